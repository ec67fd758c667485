"""Fuzz target of what ONVIF devices answer, over HTTP and to a search."""

import math
from contextlib import suppress

from ingest.onvif.answers import (
    read_device_time,
    read_encoder,
    read_information,
    read_motion,
    read_profiles,
    read_services,
    read_stream_uri,
    read_subscription,
)
from ingest.onvif.discovery import read_answer
from ingest.onvif.soap import OnvifError, read_body, security

_SENDER = "192.0.2.1"


def fuzz_onvif(data: bytes) -> None:
    """One answer, to any question: OnvifErrors only, texts and numbers within bounds, a time that can be signed with."""
    with suppress(OnvifError):
        found = read_answer(data, _SENDER)
        if found is not None:
            assert found.host == _SENDER and 0 <= found.port < 65_536 and len(found.name + found.hardware) <= 200
    try:
        body = read_body(data)
    except OnvifError as error:
        assert len(str(error)) < 400 and str(error).isprintable()
        return
    with suppress(OnvifError):
        security("user", "password", b"nonce", read_device_time(body) + 3600)
    for reader in (read_stream_uri, read_subscription, read_services):
        with suppress(OnvifError):
            reader(body)
    information = read_information(body)
    assert len(information.manufacturer + information.model + information.firmware + information.serial) <= 800
    for encoder in (read_encoder(body), *(profile.encoder for profile in read_profiles(body))):
        assert 0 <= encoder.frames_per_s < 1e9 and math.isfinite(encoder.gop_s) and encoder.gop_frames >= 0
    for event in read_motion(body):
        assert len(event.topic) <= 200 and event.topic.isprintable()
