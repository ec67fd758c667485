"""What surrounds every answer: headers, limits, sentences instead of tracebacks."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from base import SourceError, StorageError
from dashboard.failures import NotFoundError, TooManyError, status_of
from tests.dashboard.conftest import Staff
from tests.dashboard.room import CANARY, Room, cookie_of, wait_until

NewRoom = Callable[..., Room]


@pytest.mark.parametrize("path", ["/", "/api/v1/cameras", "/api/v1/nothing", "/healthz", "/nothing<script>alert(1)</script>"])
def test_every_answer_has_its_headers(staff: Staff, path: str) -> None:
    answer = staff.operator.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert f"connect-src 'self' ws://127.0.0.1:{staff.room.server.port} wss://" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers
    assert answer.headers["cache-control"] == ("private, no-store" if path.startswith(("/api/", "/healthz")) else "no-cache")
    if answer.status_code == 404:
        assert answer.json() == {"detail": "There is nothing here."}  # what was asked for is not repeated


def test_only_the_phone_page_may_use_the_camera(staff: Staff) -> None:
    allowed = {path: staff.operator.get(path).headers["permissions-policy"] for path in ("/", "/phone", "/phone.html")}
    assert {path: "camera=(self)" in said for path, said in allowed.items()} == {"/": False, "/phone": True, "/phone.html": False}


def test_a_strange_host_does_not_get_into_the_policy(staff: Staff) -> None:
    answer = httpx.get(f"{staff.room.url}/healthz", headers={"Host": "x; script-src *"})
    assert "script-src *" not in answer.headers.get("content-security-policy", "")


def test_a_large_body_is_refused_whether_it_is_declared_or_not(staff: Staff) -> None:
    declared = staff.operator.post("/api/v1/session", content=b" " * 1_000_001, headers={"Content-Type": "application/json"})
    assert declared.status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 50_000

    chunked = staff.operator.post("/api/v1/session", content=chunks(), headers={"Content-Type": "application/json"})
    assert chunked.status_code == 413
    assert "1000000 bytes" in chunked.json()["detail"]
    wrong = _raw(staff.room, b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n")
    assert wrong.startswith(b"HTTP/1.1 4")


def test_a_body_that_does_not_come_is_not_waited_for(new_room: NewRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.app.BODY_DEADLINE_S", 0.2)
    room = new_room()
    begin_s = time.monotonic()
    head = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    answer = _raw(room, head)
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begin_s < 5


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_a_malformed_request_is_refused(staff: Staff, head: bytes) -> None:
    answer = _raw(staff.room, head)
    assert answer == b"" or re.match(rb"HTTP/1.1 4\d\d", answer)
    assert staff.operator.get("/healthz").status_code == 200


def _raw(room: Room, data: bytes) -> bytes:
    """What the server says to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", room.server.port), timeout=5) as connection:
        try:
            connection.sendall(data)
            answer = b""
            while part := connection.recv(65_536):
                answer += part
                if b"\r\n\r\n" in answer:
                    return answer
        except ConnectionError:
            return b""
    return answer


def test_a_failure_inside_is_a_sentence_and_a_traceback_in_the_log(new_room: NewRoom, caplog: pytest.LogCaptureFixture) -> None:
    room = new_room()
    client = room.set_up()
    room.fleet.status["c0001"] = None  # type: ignore[assignment]  # the mistake that we provoke
    answer = client.get("/api/v1/cameras")
    assert answer.status_code == 500
    assert set(answer.json()) == {"detail"}
    assert "Traceback" not in answer.text
    assert "NoneType" not in answer.text
    wait_until(lambda: "AttributeError" in caplog.text, "the traceback is logged")  # which happens after the answer
    assert room.client().get("/healthz").status_code == 200  # on a new connection: the server closes the one that failed


def test_a_database_that_refuses_is_503(new_room: NewRoom) -> None:
    room = new_room()
    client = room.set_up()
    room.store.close()
    for file in room.site.folder.glob("gridpatrol.db*"):
        file.write_bytes(b"no database any more" * 500)
    for path in ("/api/v1/incidents", "/api/v1/session"):
        answer = client.get(path)
        assert answer.status_code == 503, answer.text
        assert answer.json()["detail"]
    assert client.get("/healthz").status_code == 200


def test_errors_say_whose_fault_it_was() -> None:
    assert status_of(SourceError("x")) == status_of(StorageError("x")) == 503
    assert status_of(NotFoundError("x")) == 404
    assert status_of(TooManyError("x", 3.0)) == 429
    assert status_of(TooManyError("x", 3.0, status=503)) == 503


def test_no_answer_gives_away_a_camera_password_or_url(staff: Staff) -> None:
    room = staff.room
    incident = room.raise_event("c0003")
    texts = []
    for client in (staff.administrator, staff.operator, staff.phone):
        for path in (
            "site",
            "cameras",
            "incidents?state=all",
            f"incidents/{incident.id}",
            f"incidents/{incident.id}/proposal",
            "teams",
            "users",
            "openapi.json",
            "me/assignments",
            "cameras/c0001/snapshot",
        ):
            answer = client.get(f"/api/v1/{path}")
            texts += [answer.text, str(answer.headers)]
        texts.append(client.get("/metrics").text)
    assert sum("c0001" in text for text in texts) >= 4  # they are the answers we mean
    for text in texts:
        assert CANARY not in text
        assert "rtsp" not in text.lower()
        assert "192.0.2." not in text


def test_a_phone_gets_cameras_by_name_only(staff: Staff) -> None:
    ours, theirs = staff.operator.get("/api/v1/site").json(), staff.phone.get("/api/v1/site").json()
    assert ours["bounds"] == theirs["bounds"] == [121.0, 31.0, 121.02, 31.02]
    assert len(ours["cameras"]["features"]) == len(theirs["cameras"]["features"]) == 3
    camera = ours["cameras"]["features"][0]
    assert camera["geometry"] == {"type": "Point", "coordinates": [121.01, 31.01]}
    assert camera["properties"]["zones"][0]["name_zh"] == "绿化带"
    assert theirs["cameras"]["features"][0] == {
        "type": "Feature",
        "geometry": None,
        "properties": {"id": "c0001", "name_zh": "摄像机1", "name_en": "Camera 1"},
    }
    assert ours["places"]["features"][3]["properties"] == {
        "id": "g1",
        "kind": "grid_cell",
        "name_zh": "网格",
        "name_en": "Grid cell",
        "parent": "p1",
        "compound_kind": None,
    }
    assert ours["checkpoints"]["features"][0]["properties"]["key_node"] is True


def test_cameras_tell_their_health(new_room: NewRoom) -> None:
    room = new_room()
    client = room.set_up()
    del room.fleet.status["c0003"]
    items = {each["id"]: each for each in client.get("/api/v1/cameras").json()["items"]}
    assert (items["c0001"]["health"], items["c0001"]["codec"]) == ("online", "h264")
    assert (items["c0003"]["health"], items["c0003"]["since"]) == ("offline", None)
    assert items["c0001"]["since"].endswith("Z")
    assert client.get("/api/v1/cameras/c0001/snapshot").headers["content-type"] == "image/jpeg"
    assert client.get("/api/v1/cameras/c0042/snapshot").status_code == 404


def test_the_page_is_served_and_caches_only_what_cannot_change(new_room: NewRoom, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>room</title>")
    (dist / "phone.html").write_text("<!doctype html><title>phone</title>")
    (dist / "assets" / "main-B4cD_9xZ.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    (dist / "assets" / "way-out").symlink_to(tmp_path / "secret.txt")
    room = new_room(page=dist)
    with httpx.Client(base_url=room.url) as client:
        assert "room" in client.get("/").text
        assert "phone" in client.get("/phone").text
        assert client.get("/").headers["cache-control"] == "no-cache"
        asset = client.get("/assets/main-B4cD_9xZ.js")
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["x-content-type-options"] == "nosniff"
        for path in (
            "/..%2fsecret.txt",
            "/%2e%2e/secret.txt",
            "/assets/..%2f..%2fsecret.txt",
            "/assets/way-out",
            "/assets",
            "/a\\..\\b",
        ):
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert "secret" not in answer.text
        assert client.post("/").status_code in (403, 405)


def test_a_page_that_is_not_built_says_how_to(staff: Staff) -> None:
    answer = staff.room.client().get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text


def test_the_api_describes_itself_with_examples(staff: Staff) -> None:
    text = staff.operator.get("/api/v1/openapi.json").text
    described = json.loads(text)
    assert described["openapi"].startswith("3.")
    assert "/api/v1/incidents/{incident}/steps" in described["paths"]
    assert described["components"]["schemas"]["StepIn"]["examples"][0]["step"] == "dispatch"
    assert described["components"]["schemas"]["StepIn"]["additionalProperties"] is False
    assert cookie_of(staff.operator) not in text
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert staff.operator.get(path).status_code == 404


def test_every_route_is_in_the_reference(staff: Staff) -> None:
    text = (Path(__file__).parents[2] / "docs" / "ref" / "api.md").read_text("utf-8")
    described = staff.operator.get("/api/v1/openapi.json").json()
    for path, methods in described["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text, f"docs/ref/api.md does not mention {method.upper()} {path}"
    for name in ("StepIn", "SetupIn", "SignInIn", "TeamCodeIn", "UserIn", "PositionIn"):
        for key in described["components"]["schemas"][name]["properties"]:
            assert f"`{key}`" in text, f"docs/ref/api.md does not mention {key} of {name}"
