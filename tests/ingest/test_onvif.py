"""ONVIF against a strict device of our own on loopback, and against recorded answers of real ones."""

import ipaddress
import os
import re
import socket
import threading
from pathlib import Path
from xml.etree.ElementTree import tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import SystemClock
from ingest.onvif import Device, FoundDevice, Login, OnvifError, OnvifFault, discover
from ingest.onvif.answers import read_information, read_probe_matches, read_profiles, read_services, read_stream_uri
from ingest.onvif.discovery import read_answer
from ingest.onvif.soap import MOST_BYTES, read_body
from tests.servers.onvif import PASSWORD, USER, Camera, OnvifServer, motion

RECORDED = Path(os.environ.get("GRIDPATROL_TEST_DATA", "../shared")) / "data/protocol/onvif_responses_agsh"
CLOCK = SystemClock()
LOGIN = Login(USER, PASSWORD)


def device(server: OnvifServer, login: Login | None = LOGIN) -> Device:
    return Device("127.0.0.1", login, CLOCK, server.port)


@pytest.mark.parametrize("media2", [False, True], ids=["media 1", "media 2"])
def test_streams_are_found_the_largest_first(media2: bool) -> None:
    with OnvifServer(Camera(media2=media2)) as server, device(server) as camera:
        assert camera.information().model == "L-1"
        main, sub = camera.profiles()
        assert (sub.encoder.width_px, sub.encoder.height_px, sub.encoder.gop_s) == (640, 360, 4.0)
        assert main.encoder.codec == ("H265" if media2 else "H264")
        assert camera.stream_url(main) == ("rtsp://127.0.0.1/main" if media2 else "rtsp://127.0.0.1:554/main?a=1&b=2")


@pytest.mark.parametrize("media2", [False, True], ids=["media 1", "media 2"])
def test_a_stream_is_made_analysable_and_everything_else_of_it_stays(media2: bool) -> None:
    state = Camera(media2=media2, gop=250)
    with OnvifServer(state) as server, device(server) as camera:
        done = camera.make_analysable(camera.profiles()[0])
        assert (done.before.gop_frames, done.after.gop_frames, done.is_analysable) == (250, 50, True)
    assert state.kept is not None
    kept = tostring(state.kept, encoding="unicode")
    for value in ("<ns0:Width>", ">512<", ">4<", ">25"):
        assert value in re.sub(r"ns\d+:", "ns0:", kept), value


def test_a_device_that_keeps_its_long_gop_is_told_as_it_is() -> None:
    state = Camera(gop=400)
    with OnvifServer(state) as server, device(server) as camera:
        profile = camera.profiles()[0]
        state.answer["SetVideoEncoderConfiguration"] = (
            b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><r/></e:Body></e:Envelope>'
        )
        assert not camera.make_analysable(profile).is_analysable


@pytest.mark.parametrize("ahead_s", [-7200.0, 86_400.0 * 365])
def test_a_wrong_clock_of_the_device_is_no_wrong_password(ahead_s: float) -> None:
    with OnvifServer(Camera(ahead_s=ahead_s)) as server, device(server) as camera:
        assert camera.information().manufacturer == "Loopback"
        assert abs(camera.clock_ahead_s - ahead_s) < 2.5


def test_a_device_that_wants_http_digest_gets_it() -> None:
    with OnvifServer(Camera(only_http_digest=True)) as server, device(server) as camera:
        assert camera.information().serial == "007"


@pytest.mark.parametrize("only_http_digest", [False, True])
def test_a_wrong_password_is_said_so(only_http_digest: bool) -> None:
    with OnvifServer(Camera(only_http_digest=only_http_digest)) as server, device(server, Login(USER, "wrong")) as camera:
        with pytest.raises(OnvifFault) as refused:
            camera.information()
        assert refused.value.code == "NotAuthorized"
        assert "wrong" not in str(refused.value) or "password is wrong" in str(refused.value)


def test_only_the_vetted_host_is_ever_asked() -> None:
    """A device says that its services, streams and pull points are somewhere else."""
    with OnvifServer(Camera(elsewhere="192.0.2.1", notices=[motion(True)])) as server, device(server) as camera:
        assert camera.stream_url(camera.profiles()[0]) == "rtsp://127.0.0.1:554/main?a=1&b=2"
        assert camera.pull(camera.subscribe())[0].active


def test_a_redirect_is_refused() -> None:
    elsewhere = Camera(redirect="http://192.0.2.1/")
    with OnvifServer(elsewhere) as server, device(server, None) as camera, pytest.raises(OnvifError, match="redirect"):
        camera.information()


def test_motion_is_pulled_and_anything_else_passed_over() -> None:
    notices = [
        motion(True),
        motion(False),
        motion(True, "tns1:VideoSource/MotionAlarm", "State"),
        motion(True, "tns1:Device/Trigger/DigitalInput", "LogicalState"),
        motion(True, "tns1:RuleEngine/LineDetector/LineCrossed", "ObjectId"),
    ]
    state = Camera(notices=notices)
    with OnvifServer(state) as server, device(server) as camera:
        point = camera.subscribe()
        assert [event.active for event in camera.pull(point)] == [True, False, True, True]
        camera.renew(point)
        camera.unsubscribe(point)
    assert state.asked[-2:] == ["Renew", "Unsubscribe"]


_BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x"}">' for n in range(9))
_OUTSIDE = '<!ENTITY x SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (f"<?xml version='1.0'?><!DOCTYPE a [{_BOMB}]><a>&e8;</a>".encode(), "expected XML"),
        (f"<?xml version='1.0'?><!DOCTYPE a [{_OUTSIDE}]><a>&x;</a>".encode(), "expected XML"),
        (b"<html>404</html>", "SOAP 1.2 envelope"),
        (b"", "without one"),
        (b" " * (MOST_BYTES + 1), "or fewer"),
        (b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>', "one element"),
        (b"\xff\xfe\x00garbage", "expected XML"),
    ],
    ids=["bomb", "external entity", "html", "nothing", "endless", "empty body", "bytes"],
)
def test_an_answer_that_is_none_becomes_a_sentence(answer: bytes, said: str) -> None:
    state = Camera(answer={"GetDeviceInformation": answer})
    with OnvifServer(state) as server, device(server) as camera, pytest.raises(OnvifError, match=said):
        camera.information()


def test_an_xml_with_too_many_elements_is_refused() -> None:
    with pytest.raises(OnvifError, match="elements"):
        read_body(
            b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
            + b"<a/>" * 60_000
            + b"</e:Body></e:Envelope>"
        )


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with pytest.raises(OnvifError):
        read_body(data)


class Responder:
    """Answers WS-Discovery probes on a UDP port of 127.0.0.1 with what it is given; `{asked}` is the probe's id."""

    def __init__(self, *answers: str) -> None:
        self._answers = answers
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(10)
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._answer)

    def __enter__(self) -> "Responder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._socket.close()

    def _answer(self) -> None:
        data, sender = self._socket.recvfrom(65_535)
        found = re.search(rb"urn:uuid:([0-9a-f-]+)", data)
        assert found and b"dn:NetworkVideoTransmitter" in data
        for answer in self._answers:
            self._socket.sendto(answer.replace("{asked}", found[1].decode()).encode(), sender)


def match(address: str) -> str:
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><e:Header><a:RelatesTo>urn:uuid:{asked}</a:RelatesTo></e:Header>'
        f"<e:Body><d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/Gate%2007</d:Scopes><d:XAddrs>{address}</d:XAddrs>"
        "</d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
    )


LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


def test_devices_are_believed_only_for_their_own_address() -> None:
    own = match("http://192.0.2.9/onvif http://127.0.0.1:8081/onvif/device_service")
    other = match("http://192.0.2.9/onvif")
    with Responder("not xml", other, own.replace("{asked}", "0" * 36), own, own) as responder:
        found = discover(LOOPBACK, CLOCK, "127.0.0.1", ["127.0.0.1"], 1.0, ("127.0.0.1", responder.port))
    assert found == [FoundDevice("127.0.0.1", 8081, "/onvif/device_service", "Gate 07", "")]


def test_nobody_outside_the_camera_networks_is_asked() -> None:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.2)
        port = int(receiver.getsockname()[1])
        assert discover([ipaddress.ip_network("10.0.0.0/8")], CLOCK, "127.0.0.1", ["127.0.0.1"], 0.1, ("127.0.0.1", port)) == []
        with pytest.raises(TimeoutError):
            receiver.recvfrom(100)


needs_recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recorded ONVIF answers at {RECORDED}")


@needs_recorded
def test_recorded_answers_of_a_real_camera() -> None:
    def body(name: str) -> bytes:
        return (RECORDED / f"{name}.xml").read_bytes()

    assert read_information(read_body(body("GetDeviceInformation"))).manufacturer == "Mockup Manufacturer"
    services = read_services(read_body(body("GetServices")))
    assert services["http://www.onvif.org/ver10/device/wsdl"] == "http://192.168.68.111/onvif/services"
    profiles = read_profiles(read_body(body("GetProfiles")))
    assert profiles[0].token == "main" and profiles[0].encoder.width_px == 1920
    assert read_stream_uri(read_body(body("GetStreamUri"))) == "rtsp://192.168.68.111/h264main"
    probe = body("Probe").replace(b"SERVICE_URI", b"http://192.168.68.111:80/onvif/services")
    assert next(iter(read_probe_matches(read_body(probe))))[0] == ["http://192.168.68.111:80/onvif/services"]
    found = read_answer(probe, "192.168.68.111")
    assert found is not None and found.hardware == "HD_PREDATOR"


@needs_recorded
def test_every_recorded_answer_is_read_or_refused_with_a_sentence() -> None:
    read = 0
    for path in sorted(RECORDED.glob("*.xml")):
        try:
            body = read_body(path.read_bytes())
            read += 1
        except OnvifError:
            continue
        for reader in (read_information, read_services, read_profiles):
            reader(body)
    assert read > 50
