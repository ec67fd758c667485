"""A device that means ill, or is badly made, costs its own answer: no memory, no thread, no waiting without end."""

import gzip
import itertools
import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import pytest

from base import SystemClock
from ingest.onvif import Device, Login, OnvifError, OnvifFault, device
from ingest.onvif.answers import read_device_time
from ingest.onvif.soap import read_body
from tests.servers.onvif import PASSWORD, USER, Camera, OnvifServer

LOGIN = Login(USER, PASSWORD)
OPENED = b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
CLOSED = b"</e:Body></e:Envelope>"
TIME = OPENED + (
    b"<r><SystemDateAndTime><UTCDateTime><Time><Hour>23</Hour><Minute>59</Minute><Second>59</Second></Time>"
    b"<Date><Year>%d</Year><Month>12</Month><Day>31</Day></Date></UTCDateTime></SystemDateAndTime></r>" + CLOSED
)
DENIED = b"HTTP/1.1 401 No\r\nWWW-Authenticate: %s\r\n"
DIGEST = b'Digest realm="c", qop="auth", nonce="1"'


class Hostile:
    """Answers the n-th question with the n-th entry, and the last one for ever; each is sent in its pieces until nobody reads."""

    def __init__(self, *answers: Iterable[bytes]) -> None:
        self.asked: list[bytes] = []
        self._answers = itertools.chain(answers, itertools.repeat(answers[-1]))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listening.accept()
            except OSError:
                return
            with link:
                link.settimeout(10)
                try:
                    while self._answer(link):
                        pass
                except OSError:  # nobody reads any more
                    continue

    def _answer(self, link: socket.socket) -> bool:
        question = b""
        while b"Envelope>" not in question:
            if not (more := link.recv(65_536)):
                return False
            question += more
        self.asked.append(question)
        for piece in next(self._answers):
            link.sendall(piece)
        return True


def whole(body: bytes, headers: bytes = b"") -> list[bytes]:
    return [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), headers, body)]


def asks(hostile: Hostile, login: Login | None = None) -> None:
    with Device("127.0.0.1", login, SystemClock(), hostile.port) as camera:
        camera.information()


def test_a_small_answer_that_would_unpack_to_a_large_one_is_not_unpacked() -> None:
    bomb = gzip.compress(gzip.compress(OPENED + b" " * 20_000_000 + CLOSED))
    with Hostile(whole(bomb, b"Content-Encoding: gzip, gzip\r\n")) as hostile:
        with pytest.raises(OnvifError, match="expected XML"):
            asks(hostile)
        assert b"accept-encoding: identity" in hostile.asked[0].lower()


def test_what_comes_with_a_refusal_is_not_read() -> None:
    endless = itertools.chain([DENIED % DIGEST + b"Transfer-Encoding: chunked\r\n\r\n"], itertools.repeat(b"4\r\nmore\r\n" * 999))
    closed = [DENIED % DIGEST + b"Content-Length: 0\r\n\r\n"]
    with Hostile(whole(TIME % 2026), closed, endless, closed) as hostile, pytest.raises(OnvifFault) as refused:
        asks(hostile, LOGIN)
    assert refused.value.is_denied


def test_cookies_are_not_kept() -> None:
    fat = b"".join(b"Set-Cookie: c%d=%s\r\n" % (number, b"x" * 2000) for number in range(10))
    with (
        Hostile(whole(OPENED + b"<r/>" + CLOSED, fat)) as hostile,
        Device("127.0.0.1", None, SystemClock(), hostile.port) as camera,
    ):
        for _ in range(2):
            camera.pull(f"http://127.0.0.1:{hostile.port}/")
        assert b"cookie:" not in hostile.asked[1].lower()


def trickle(opening: bytes, piece: bytes, pauses: threading.Event) -> Iterable[bytes]:
    yield opening
    while True:
        pauses.wait(0.01)
        yield piece


@pytest.mark.parametrize(
    ("opening", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\n", b"A"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 10),
    ],
    ids=["body", "header", "continue"],
)
def test_an_answer_that_never_ends_is_given_up(opening: bytes, piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "ANSWER_S", 0.3)
    with (
        Hostile(trickle(opening, piece, threading.Event())) as hostile,
        pytest.raises(OnvifError, match=r"whole answer within 0\.3 s"),
    ):
        asks(hostile)


def test_an_address_that_is_none_becomes_a_sentence() -> None:
    told = "<Service><Namespace>http://www.onvif.org/ver10/events/wsdl</Namespace><XAddr>http://x/&#x7f;</XAddr></Service>"
    state = Camera(answer={"GetServices": OPENED + f"<r>{told}</r>".encode() + CLOSED})
    with (
        OnvifServer(state) as server,
        Device("127.0.0.1", LOGIN, SystemClock(), server.port) as camera,
        pytest.raises(OnvifError, match="does not speak ONVIF"),
    ):
        camera.subscribe()


def test_a_makers_own_service_may_be_anywhere() -> None:
    own = "<Service><Namespace>urn:maker</Namespace><XAddr>soap.udp://x</XAddr></Service>"
    media = "<Service><Namespace>http://www.onvif.org/ver10/media/wsdl</Namespace><XAddr>http://x/onvif/media</XAddr></Service>"
    state = Camera(answer={"GetServices": OPENED + f"<r>{own}{media}</r>".encode() + CLOSED})
    with OnvifServer(state) as server, Device("127.0.0.1", LOGIN, SystemClock(), server.port) as camera:
        assert camera.profiles()


@pytest.mark.parametrize(
    "challenge",
    [
        b'Digest realm="c", nonce="1", algorithm=ROT13',
        b'Digest realm="c", nonce="1", qop="?"',
        b"Digest nonsense",
        b'Basic realm="c"',
    ],
)
def test_an_odd_question_for_the_password_is_a_refusal(challenge: bytes) -> None:
    no = [DENIED % challenge + b"Content-Length: 0\r\n\r\n"]
    with Hostile(whole(TIME % 2026), no) as hostile:
        with pytest.raises(OnvifFault) as refused:
            asks(hostile, LOGIN)
        assert refused.value.is_denied and not any(b"authorization: basic" in question.lower() for question in hostile.asked)


def test_a_realm_in_another_script_is_answered() -> None:
    no = [DENIED % 'Digest realm="相机", nonce="1"'.encode() + b"Content-Length: 0\r\n\r\n"]
    with Hostile(whole(TIME % 2026), no, no, whole(OPENED + b"<r/>" + CLOSED)) as hostile:
        asks(hostile, LOGIN)
        assert 'realm="相机"'.encode() in hostile.asked[3]


@pytest.mark.parametrize(("year", "is_time"), [(1970, True), (2999, True), (1969, False), (3000, False), (9999, False)])
def test_a_time_that_cannot_be_told_on_is_none(year: int, is_time: bool) -> None:
    body = read_body(TIME % year)
    if is_time:
        assert read_device_time(body)
    else:
        with pytest.raises(OnvifError, match="expected the device's time"):
            read_device_time(body)


def test_elements_deep_in_each_other_are_refused() -> None:
    with pytest.raises(OnvifError, match="in each other"):
        read_body(OPENED + b"<a>" * 40_000 + b"</a>" * 40_000 + CLOSED)
    assert read_body(OPENED + b"<a>" * 90 + b"</a>" * 90 + CLOSED).tag == "a"
