"""Fetching over a real HTTP server on this machine that behaves, lies, breaks off, or never ends."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from base.clock import SimulatedClock
from base.errors import ModelError
from detect import cards
from detect.cards import Card, fetch
from fleet.commands.models import app
from tests.networks.material import card_of, tiny, weights_or_skip

DATA = tiny("crop_sound")
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """An HTTP server that gives `answer` to every GET; its address."""

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name the base class gives it
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, name="http-server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def sends(data: bytes, announced: int | None = None, status: int = 200) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        if announced is not None:
            request.send_header("Content-Length", str(announced))
        request.end_headers()
        request.wfile.write(data)

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    """Sends on and on until the client has had enough."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(b"\0" * 4096)
    except OSError:
        pass


def card_at(url: str) -> Card:
    return replace(card_of(DATA), url=f"{url}/tiny.onnx")


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRIDPATROL_WEIGHTS", raising=False)


def test_a_network_is_fetched_and_its_progress_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with server(sends(DATA, len(DATA))) as url:
        path = fetch(card_at(url), tmp_path / "models", lambda got, of: told.append((got, of)))
    assert path.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA)) and told == sorted(told)
    assert [item.name for item in path.parent.iterdir()] == ["tiny.onnx"]


def test_what_is_already_right_is_not_fetched_again(tmp_path: Path) -> None:
    asked: list[str] = []
    with server(lambda request: asked.append(request.path)) as url:
        (tmp_path / "tiny.onnx").write_bytes(DATA)
        fetch(card_at(url), tmp_path)
    assert not asked


def test_a_wrong_file_in_place_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "tiny.onnx").write_bytes(b"wrong")
    with server(sends(DATA)) as url:
        assert fetch(card_at(url), tmp_path).read_bytes() == DATA


# What the server does, and what the sentence must say
FAILURES: list[tuple[str, Answer, str]] = [
    ("other bytes of the same size", sends(b"\0" * len(DATA)), "expected SHA-256"),
    ("too few bytes", sends(DATA[:-9]), f"expected {len(DATA)} bytes as the card says, got {len(DATA) - 9}"),
    ("too many bytes", sends(DATA + b"\0"), "the server sends more"),
    ("endless", endless, "the server sends more"),
    ("breaks off", sends(DATA[:-9], len(DATA)), "broken off after"),
    ("404", sends(b"", 0, 404), "the server answered 404 Not Found"),
    ("redirect", sends(b"", 0, 302), "the server answered 302"),
    ("500", sends(b"", 0, 500), "the server answered 500"),
]


@pytest.mark.parametrize(("answer", "sentence"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_a_failed_fetch_leaves_nothing_and_says_why(tmp_path: Path, answer: Answer, sentence: str) -> None:
    with server(answer) as url, pytest.raises(ModelError) as caught:
        fetch(card_at(url), tmp_path)
    assert sentence in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "READ_TIMEOUT_S", 0.05)
    done = threading.Event()

    def silent(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(DATA[:10])
        request.wfile.flush()
        done.wait(10)

    with server(silent) as url:
        with pytest.raises(ModelError, match="fell silent after 10 of"):
            fetch(card_at(url), tmp_path)
        done.set()


def test_a_dripping_server_is_given_up_at_the_deadline(tmp_path: Path) -> None:
    clock = SimulatedClock()
    done = threading.Event()

    def dripping(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for byte in DATA:
            request.wfile.write(bytes([byte]))
            request.wfile.flush()
            if done.wait(0.002):
                return

    def tick(got: int, of: int) -> None:
        clock.advance(20)

    with server(dripping) as url:
        with pytest.raises(ModelError, match="not complete after 60 s"):
            fetch(card_at(url), tmp_path, tick, clock, deadline_s=60)
        done.set()


def test_without_a_network_the_sentence_names_the_mirror(tmp_path: Path) -> None:
    with server(sends(DATA)) as url:
        pass  # the server is gone again, its port refuses
    with pytest.raises(ModelError, match=r"no connection: .*GRIDPATROL_WEIGHTS"):
        fetch(card_at(url), tmp_path)


def test_the_mirror_is_tried_before_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    monkeypatch.setenv("GRIDPATROL_WEIGHTS", str(mirror))
    asked: list[str] = []
    with server(lambda request: asked.append(request.path)) as url:
        (mirror / "tiny.onnx").write_bytes(DATA)
        assert fetch(card_at(url), tmp_path / "models").read_bytes() == DATA
    assert not asked


def test_a_wrong_file_in_the_mirror_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.onnx").write_bytes(b"wrong")
    monkeypatch.setenv("GRIDPATROL_WEIGHTS", str(tmp_path))
    with server(sends(DATA)) as url:
        assert fetch(card_at(url), tmp_path / "models").read_bytes() == DATA


def test_an_embedded_network_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="comes with Gridpatrol"):
        fetch(card_of(DATA), tmp_path)


def test_all_networks_are_fetched_but_the_embedded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDPATROL_WEIGHTS", str(weights_or_skip("yolox_nano_416.onnx")))
    wanted = {card.file for card in cards.list_cards() if card.url}
    done = CliRunner().invoke(app, ["fetch", "all", "--data", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "models").iterdir()} == wanted and len(wanted) == 4


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    part = tmp_path / "tiny.onnx"
    # The temporary file's name holds our process id; a link from it to /dev/full is a disk without room.
    (tmp_path / f"{part.name}.{os.getpid()}.part").symlink_to("/dev/full")
    with server(sends(DATA)) as url, pytest.raises(ModelError, match=f"No space left on device; {len(DATA)} bytes are needed"):
        fetch(card_at(url), tmp_path)
    assert list(tmp_path.iterdir()) == []
