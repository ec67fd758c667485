"""What a worker is told of each camera."""

from dataclasses import replace
from pathlib import Path

from base import Transport
from camera_config import load_site
from fleet.run import feeds_of
from tests.camera_config.small_site import write_small_site


def test_feeds_carry_login_transport_and_certificate(tmp_path: Path) -> None:
    site = load_site(write_small_site(tmp_path))
    first, second = site.cameras
    (feed,) = feeds_of(site)  # the second camera is switched off
    assert (feed.camera, feed.url, feed.user, feed.transport) == (
        first.id,
        first.url_sub,
        site.credentials[0].user,
        Transport.TCP,
    )
    changed = replace(second, enabled=True, transport=Transport.UDP, certificate_sha256="3f" * 32)
    feed = feeds_of(replace(site, cameras=(first, changed)))[1]
    assert (feed.user, feed.transport, feed.certificate_sha256) == ("", Transport.UDP, "3f" * 32)
