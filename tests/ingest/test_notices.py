"""A camera's own motion events, pulled from a device of our own on loopback that holds a question as long as it is told to."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from base import SystemClock
from ingest.onvif import AskedCamera, Login, MotionNotices, notices
from ingest.onvif.soap import OnvifFault
from tests.servers.onvif import PASSWORD, USER, Camera, OnvifServer, motion

CLOCK = SystemClock()
DEADLINE_S = 10.0
LOGIN = Login(USER, PASSWORD)


@contextmanager
def listening(camera: Camera, monkeypatch: pytest.MonkeyPatch, login: Login) -> Iterator[queue.Queue[tuple[str, float]]]:
    """What is said of a camera that is listened to."""
    said: queue.Queue[tuple[str, float]] = queue.Queue()
    with OnvifServer(camera) as server:
        monkeypatch.setattr(notices, "find_service", partial(_at, server.port))
        listener = MotionNotices((AskedCamera("c1", "127.0.0.1", login),), lambda *told: said.put(told), CLOCK)
        listener.start()
        yield said
        listener.stop(0.0)


def _at(port: int, *_: object) -> tuple[int, str]:
    return port, "/onvif/device_service"


def tells(camera: Camera, *told: str) -> None:
    with camera.told:
        camera.notices += told
        camera.told.notify_all()


def test_motion_is_said_as_it_comes_and_its_end_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera(notices=[motion(True)])
    with listening(camera, monkeypatch, LOGIN) as said:
        name, at_s = said.get(timeout=DEADLINE_S)
        assert name == "c1" and abs(CLOCK.now_s() - at_s) < DEADLINE_S
        tells(camera, motion(False))
        tells(camera, motion(True, "tns1:RuleEngine/LineDetector/LineCrossed", "ObjectId"))
        said.get(timeout=DEADLINE_S)
        assert said.empty() and camera.asked.count("CreatePullPointSubscription") == 1


def test_a_camera_that_refuses_is_named_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notices, "_AGAIN_S", 0.01)
    camera = Camera(notices=[motion(True)])
    camera.answer["CreatePullPointSubscription"] = b"<html>no events here</html>"
    with listening(camera, monkeypatch, LOGIN) as said, caplog.at_level("WARNING"):
        with pytest.raises(queue.Empty):
            said.get(timeout=0.2)
        del camera.answer["CreatePullPointSubscription"]
        said.get(timeout=DEADLINE_S)
    assert "c1: its own motion events cannot be had: expected a SOAP 1.2 envelope" in caplog.text


def test_a_camera_may_come_and_go_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera(notices=[motion(True)])
    said: queue.Queue[tuple[str, float]] = queue.Queue()
    with OnvifServer(camera) as server:
        monkeypatch.setattr(notices, "find_service", partial(_at, server.port))
        listener = MotionNotices((), lambda *told: said.put(told), CLOCK)
        listener.start()
        listener.exchange("c2", AskedCamera("c2", "127.0.0.1", LOGIN))
        assert said.get(timeout=DEADLINE_S)[0] == "c2"
        listener.exchange("c2", None)
        tells(camera, motion(True))
        listener.stop(DEADLINE_S)
        assert said.empty() and camera.asked[-1] == "Unsubscribe"


class Waits(threading.Event):
    """Waits for nothing, and is set at the third pause between tries."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses_s.append(timeout or 0.0)
        if len(self.pauses_s) == 4:  # the first spreads the cameras
            self.set()
        return self.is_set()


@pytest.mark.parametrize(
    ("error", "is_soon"),
    [(OnvifFault("NotAuthorized", "no"), False), (OnvifFault("ActionNotSupported", "no"), True), (RuntimeError("ours"), True)],
    ids=["password", "no events", "mistake"],
)
def test_after_a_refused_password_a_camera_is_left_alone(
    error: Exception, is_soon: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each try is a token and a digest: more than four refusals in five minutes lock accounts."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(notices, "find_service", fails)
    waits, asked = Waits(), AskedCamera("c1", "127.0.0.1", LOGIN)
    MotionNotices((asked,), lambda *_: None, CLOCK)._listen(asked, waits)
    assert (waits.pauses_s[1] < 10) == is_soon and (sum(waits.pauses_s[1:3]) > 300) == (not is_soon)
    assert "c1: its own motion events" in caplog.text


def test_a_camera_that_knows_no_renewal_is_listened_to_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "_RENEW_S", 0.0)
    camera = Camera(notices=[motion(True)])
    camera.answer["Renew"] = (
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Receiver</e:Value>'
        b"<e:Subcode><e:Value>ter:ActionNotSupported</e:Value></e:Subcode></e:Code></e:Fault></e:Body></e:Envelope>"
    )
    with listening(camera, monkeypatch, LOGIN) as said:
        said.get(timeout=DEADLINE_S)
        tells(camera, motion(True))
        said.get(timeout=DEADLINE_S)
        assert camera.asked.count("Renew") >= 1 and camera.asked.count("CreatePullPointSubscription") == 1
