"""What other sites' pages can make a browser send."""

import httpx
import pytest
from starlette.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dashboard.cross_origin import is_foreign
from tests.dashboard.conftest import Staff
from tests.dashboard.room import cookie_of

HOST = "room.example:8080"

CASES = [
    # method, headers, foreign?
    ("GET", {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),  # safe methods change nothing
    ("POST", {"Sec-Fetch-Site": "same-origin"}, False),
    ("POST", {"Sec-Fetch-Site": "none"}, False),  # typed by the user
    ("POST", {"Sec-Fetch-Site": "same-site"}, True),  # another port of the same host is another site to us
    ("POST", {"Sec-Fetch-Site": "cross-site"}, True),
    ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{HOST}"}, True),  # the browser knows better
    ("POST", {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
    ("POST", {"Sec-Fetch-Site": ""}, True),
    ("POST", {"Origin": f"http://{HOST}"}, False),
    ("POST", {"Origin": f"http://{HOST.upper()}"}, False),
    ("POST", {"Origin": "http://room.example"}, True),
    ("POST", {"Origin": "http://room.example:8080.evil.example"}, True),
    ("POST", {"Origin": "null"}, True),  # a sandboxed frame
    ("POST", {"Origin": ""}, True),
    ("POST", {"Origin": "file://"}, True),
    ("POST", {}, False),  # no browser, and no cookie that could be abused
    ("POST", {"Cookie": "gridpatrol_session=x"}, True),
    ("DELETE", {"Cookie": "gridpatrol_session=x"}, True),
    ("PATCH", {"Origin": "https://evil.example"}, True),
    ("PROPFIND", {"Origin": "https://evil.example"}, True),
]


@pytest.mark.parametrize(("method", "headers", "foreign"), CASES)
def test_the_rule(method: str, headers: dict[str, str], foreign: bool) -> None:
    assert is_foreign(Headers({"Host": HOST} | headers), method) is foreign


@pytest.mark.parametrize(
    ("origin", "host", "foreign"),
    [
        ("http://room.example", "room.example:80", False),
        ("https://room.example", "room.example", False),
        ("https://room.example", "room.example:443", False),
        ("http://room.example", "room.example:443", True),
        ("http://[::1]:8080", "[::1]:8080", False),
        ("http://[::1]", "[::1]", False),
        ("http://room.example:8080", "", True),
    ],
)
def test_ports_are_compared_spelt_out(origin: str, host: str, foreign: bool) -> None:
    assert is_foreign(Headers({"Origin": origin, "Host": host}), "POST") is foreign


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_of_another_site_is_refused_and_changes_nothing(staff: Staff, content_type: str) -> None:
    cookie = f"gridpatrol_session={cookie_of(staff.administrator)}"
    body = b'{"name": "mallory", "password": "a long password here", "role": "administrator"}'
    for site in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        headers = {"Content-Type": content_type, "Cookie": cookie} | site
        answer = httpx.post(f"{staff.room.url}/api/v1/users", content=body, headers=headers)
        assert answer.status_code == 403
        assert "another site" in answer.json()["detail"]
    same = {"Content-Type": content_type, "Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert httpx.post(f"{staff.room.url}/api/v1/users", content=body, headers=same).status_code == 422  # JSON or nothing
    assert "mallory" not in staff.administrator.get("/api/v1/users").text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "http://localhost:1"])
def test_a_socket_of_another_site_does_not_open(staff: Staff, origin: str) -> None:
    headers = {"Cookie": f"gridpatrol_session={cookie_of(staff.operator)}", "Origin": origin}
    with pytest.raises(InvalidStatus) as refused, connect(staff.room.socket_url, additional_headers=headers):
        pass
    assert refused.value.response.status_code == 403


def test_reading_everything_changes_nothing(staff: Staff) -> None:
    before = (staff.administrator.get("/api/v1/users").text, len(staff.room.store.audit_rows()))
    for path in ("site", "cameras", "incidents?state=all", "teams", "users", "session", "setup", "openapi.json"):
        assert staff.administrator.get(f"/api/v1/{path}").status_code == 200
    assert (staff.administrator.get("/api/v1/users").text, len(staff.room.store.audit_rows())) == before
