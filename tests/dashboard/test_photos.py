"""Photos of a report: sent by a phone, made harmless, kept once, seen by those who may."""

import hashlib
import struct
import uuid
import zlib
from collections.abc import Iterator

import cv2
import httpx
import numpy as np
import pytest

from base import ConfigError
from dashboard.envelope import LARGE_BYTES
from dashboard.photo import LONGEST_PX, clean
from dashboard.photo_format import MOST_PIXELS, measure
from dashboard.schemas import iso
from tests.dashboard.test_walk import page, read
from tests.dashboard.two_halves import Halves, a_photo, two_halves
from tests.patrol.small_site import NOON_S

KINDS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
GPS = b"\xe1\x00\x1eExif\x00\x00MM\x00*\x00\x00\x00\x08GPS 31.2304 N"
TURNED = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Halves]:
    with two_halves(tmp_path_factory.mktemp("photos")) as made:
        yield made


def with_segment(jpeg: bytes, segment: bytes) -> bytes:
    return jpeg[:2] + segment + jpeg[2:]


def png_of(width_px: int, height_px: int, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG of one line, whatever its head says, and further chunks before its end."""
    head = struct.pack(">IIBBBBB", width_px, height_px, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), *more, (b"IDAT", zlib.compress(bytes(9))), (b"IEND", b"")]
    parts = (struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def webp_of(width_px: int, height_px: int, flags: int) -> bytes:
    size = (width_px - 1).to_bytes(3, "little") + (height_px - 1).to_bytes(3, "little")
    data = b"WEBPVP8X" + struct.pack("<I", 10) + bytes((flags, 0, 0, 0)) + size
    return b"RIFF" + struct.pack("<I", len(data)) + data


@pytest.mark.parametrize(("media_type", "suffix"), KINDS.items())
def test_a_picture_of_each_kind_becomes_a_plain_jpeg(media_type: str, suffix: str) -> None:
    body = a_photo(70, 41, suffix)
    assert (measure(body).width_px, measure(body).height_px) == (70, 41)
    done = clean(body, media_type)
    assert (done.width_px, done.height_px) == (70, 41)
    assert measure(done.jpeg).media_type == "image/jpeg"


def test_nothing_but_pixels_survives() -> None:
    comment = b"\xff\xfe\x00\x1d<script>alert(1)</script>"
    done = clean(with_segment(with_segment(a_photo(), b"\xff" + GPS), comment), "image/jpeg")
    assert b"GPS" not in done.jpeg
    assert b"Exif" not in done.jpeg
    assert b"script" not in done.jpeg


def test_a_picture_stands_upright_and_is_not_too_large() -> None:
    exif = b"\xff\xe1" + struct.pack(">H", 2 + len(TURNED)) + TURNED
    turned = clean(with_segment(a_photo(60, 40), exif), "image/jpeg")
    assert (turned.width_px, turned.height_px) == (40, 60)
    large = clean(a_photo(2 * LONGEST_PX, 300), "image/jpeg")
    assert (large.width_px, large.height_px) == (LONGEST_PX, 150)


@pytest.mark.parametrize(
    ("body", "media_type", "why"),
    [
        (b"", "image/jpeg", "no JPEG, PNG or WebP"),
        (b"GIF89a" + bytes(50), "image/png", "no JPEG, PNG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "no JPEG, PNG or WebP"),
        (a_photo(kind=".png"), "image/jpeg", "as it is said to be"),
        (a_photo() + b"PK\x03\x04 an archive", "image/jpeg", "behind the end"),
        (a_photo(kind=".png") + b"<script>", "image/png", "behind the end"),
        (a_photo(kind=".webp") + b"%PDF-1.7", "image/webp", "behind the end"),
        (a_photo()[:-2], "image/jpeg", "damaged"),
        (a_photo()[:200], "image/jpeg", "damaged"),
        (b"\xff\xd8\xff\xd9", "image/jpeg", "damaged"),
        (png_of(9, 9)[:40], "image/png", "damaged"),
        (png_of(30_000, 30_000), "image/png", "million pixels"),
        (webp_of(16_000, 16_000, 0), "image/webp", "million pixels"),
        (webp_of(100, 100, 2), "image/webp", "moving"),
        (png_of(9, 9, (b"acTL", bytes(8))), "image/png", "moving"),
        (webp_of(100, 100, 0), "image/webp", "cannot be decoded"),
        (png_of(0, 9), "image/png", "damaged"),
    ],
    ids=range(17),
)
def test_what_is_no_single_still_picture_is_refused(body: bytes, media_type: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        clean(body, media_type)


def test_a_few_bytes_that_claim_to_be_large_reach_no_decoder() -> None:
    side = int(MOST_PIXELS**0.5)
    jpeg = bytearray(a_photo())
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", side + 1, side + 1)
    with pytest.raises(ConfigError, match="million pixels"):
        measure(bytes(jpeg))


def send(client: httpx.Client, incident: str, command: str, body: bytes, **asked: str) -> httpx.Response:
    media_type = asked.pop("media_type", "image/jpeg")
    params = {"id": asked.pop("id", "") or str(uuid.uuid4()), "command": command} | asked
    path = f"/api/v1/incidents/{incident}/photos"
    return client.post(path, params=params, content=body, headers={"Content-Type": media_type})


def report(client: httpx.Client, text: str = "lamp") -> tuple[str, str]:
    """An incident that a phone reports, and the id of its command."""
    command = str(uuid.uuid4())
    body = {"origin": "patrol", "category": "facility", "severity": 4, "text": text, "grid_cell": "g1", "command_id": command}
    return str(client.post("/api/v1/incidents", json=body).json()["id"]), command


def test_a_photo_is_kept_once_with_its_time_and_hash(halves: Halves) -> None:
    phone = halves.room.sneak_in("team", "t02")
    incident, command = report(phone)
    halves.clock.advance(600)
    name, taken = str(uuid.uuid4()), iso(NOON_S + 60)
    with page(halves.room, halves.limited) as socket:
        assert read(socket)["type"] == "hello"
        first = send(phone, incident, command, a_photo(90, 60), id=name, at=taken)
        assert first.status_code == 201, first.text
        told = read(socket)["incident"]
    assert isinstance(told, dict)
    assert (told["id"], told["version"]) == (incident, 2)
    again = send(phone, incident, command, a_photo(90, 60), id=name, at=taken)
    assert again.json() == first.json()
    kept = first.json()
    assert (kept["at"], kept["recorded_at"], kept["by"]["id"]) == (taken, iso(NOON_S + 600), "t02")
    [listed] = halves.limited.get(f"/api/v1/incidents/{incident}/photos").json()["items"]
    assert listed == kept
    picture = halves.limited.get(f"/api/v1/photos/{name}")
    assert picture.headers["content-type"] == "image/jpeg"
    assert hashlib.sha256(picture.content).hexdigest() == kept["sha256"]
    pixels = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (60, 90, 3)
    line = halves.limited.get(f"/api/v1/incidents/{incident}").json()["history"][-1]
    assert (line["step"], line["text"], line["at"], line["flags"]) == ("photo", kept["sha256"], taken, ["late"])
    other = send(phone, incident, command, a_photo(90, 60, seed=1), id=name)
    assert (other.status_code, "used for another photo" in other.json()["detail"]) == (422, True)


def test_who_may_add_and_see_photos(halves: Halves) -> None:
    phone, stranger = halves.room.sneak_in("team", "t05"), halves.room.sneak_in("team", "t01")
    incident, command = report(phone)
    assert send(stranger, incident, command, a_photo()).status_code == 403
    name = str(uuid.uuid4())
    assert send(phone, incident, command, a_photo(), id=name).status_code == 201
    assert send(halves.limited, incident, command, a_photo()).status_code == 201  # for a team, by radio
    assert phone.get(f"/api/v1/photos/{name}").status_code == 403  # nobody sent it there
    step = {"step": "acknowledge", "version": 3, "command_id": str(uuid.uuid4())}
    assert halves.limited.post(f"/api/v1/incidents/{incident}/steps", json=step).status_code == 200
    step = {"step": "dispatch", "version": 4, "command_id": str(uuid.uuid4()), "team": "t05"}
    assert halves.limited.post(f"/api/v1/incidents/{incident}/steps", json=step).status_code == 200
    assert phone.get(f"/api/v1/photos/{name}").status_code == 200
    assert halves.room.client().get(f"/api/v1/photos/{name}").status_code == 401
    assert halves.limited.get(f"/api/v1/photos/{uuid.uuid4()}").status_code == 404


def test_a_report_has_four_photos_and_a_photo_a_report(halves: Halves) -> None:
    phone = halves.room.sneak_in("team", "t02")
    incident, command = report(phone)
    before = send(phone, incident, str(uuid.uuid4()), a_photo())
    assert (before.status_code, "send that first" in before.json()["detail"]) == (409, True)
    for number in range(4):
        assert send(phone, incident, command, a_photo(seed=number)).status_code == 201
    fifth = send(phone, incident, command, a_photo(seed=9))
    assert (fifth.status_code, "4 photos already" in fifth.json()["detail"]) == (409, True)
    future = send(phone, *report(phone), a_photo(), at=iso(halves.clock.now_s() + 3600))
    assert (future.status_code, "not come yet" in future.json()["detail"]) == (422, True)


def test_wrong_photos_are_refused_with_a_sentence_and_change_nothing(halves: Halves) -> None:
    phone = halves.room.sneak_in("team", "t02")
    incident, command = report(phone)
    for body, media_type, status in (
        (a_photo(), "image/gif", 415),
        (a_photo(), "text/html", 415),
        (a_photo(kind=".png"), "image/jpeg", 422),
        (a_photo() + b"PK\x03\x04", "image/jpeg", 422),
        (png_of(30_000, 30_000), "image/png", 422),
        (bytes(LARGE_BYTES + 1), "image/jpeg", 413),
    ):
        answer = send(phone, incident, command, body, media_type=media_type)
        assert (answer.status_code, set(answer.json())) == (status, {"detail"}), answer.text
    assert phone.post(f"/api/v1/incidents/{incident}/photos", content=a_photo()).status_code == 422  # no id, no command
    assert halves.limited.get(f"/api/v1/incidents/{incident}/photos").json() == {"items": []}
    found = halves.room.store.incident(incident)
    assert found is not None
    assert found.version == 1
