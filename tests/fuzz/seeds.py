"""Writes the first inputs of every target: `python -m tests.fuzz.seeds`. All of them are made here, none comes from a camera.

Inputs that once failed lie beside them as `found-…` and are left alone.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from base import Clip, ClipGap, ClipGapCause, Codec, Event, EventKind, Tier
from detect.outbox import pack_event
from ingest.clip_box import pack_clip
from ingest.simulate import rtsp as simulator
from tests.camera_config.small_site import FILES
from tests.fuzz.catalogue import CORPUS, TARGETS
from tests.fuzz.pieces import MARK
from tests.ingest.conftest import encode, split
from tests.servers.rtsp import HUGE_SPS, packetize

Inputs = Iterator[tuple[str, bytes]]
"""A short name and the bytes."""

HOST = "rtsp://192.0.2.1"
SETUP = ("Session: 12; timeout=20", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc= 4D")
DIGEST = 'WWW-Authenticate: Digest realm="IP Camera", nonce="4f{}", algorithm={}, qop="auth", opaque="5c"'
BASIC = 'WWW-Authenticate: Basic realm="IP Camera"'

# A sequence parameter set of 64x48 pixels as an H.265 encoder of no importance would write it, and sets of three bytes around it.
H265_SPS = bytes.fromhex("420101016000000300900000030000030000")
H265_SETS = (b"\x40\x01\x0c\x01", H265_SPS + bytes.fromhex("1ea02020804d"), b"\x44\x01\xc1\x72")


def reply(number: int, *headers: str, status: str = "200 OK", body: bytes = b"") -> bytes:
    lines = [f"RTSP/1.0 {status}", f"CSeq: {number}", *headers, *([f"Content-Length: {len(body)}"] if body else []), "", ""]
    return "\r\n".join(lines).encode() + body


def small_clip() -> list[list[bytes]]:
    """Four access units of 64x48, without the encoder's own remarks (SEI)."""
    units = [split(unit) for unit in encode(frames=4, gop=2, width=64, height=48)]
    return [[nal for nal in unit if nal[0] & 31 != 6] for unit in units]


def rtp_packets(units: list[list[bytes]]) -> list[bytes]:
    packets: list[bytes] = []
    for index, unit in enumerate(units):
        payloads = packetize(unit)
        for at, payload in enumerate(payloads):
            marker = at == len(payloads) - 1
            packets.append(
                struct.pack(">BBHII", 0x80, marker << 7 | 96, 65_534 + len(packets) & 0xFFFF, index * 6000, 77) + payload
            )
    return packets


def framed(packets: list[bytes], channel: int = 0) -> bytes:
    return b"".join(b"$" + bytes((channel,)) + len(packet).to_bytes(2) + packet for packet in packets)


CLIP = small_clip()
RTP = rtp_packets(CLIP)
SPS, PPS = CLIP[0][0], CLIP[0][1]
SDP = simulator.sdp((SPS, PPS), 15.0)
SDP_H265 = SDP.replace(b"H264", b"H265").replace(b"sprop-parameter-sets", b"sprop-vps=QAEMAQ==;sprop-sps=QgEB;sprop-pps")
AUDIO = b"m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:trackID=2\r\n"
SENDER_REPORT = struct.pack(">BBHIIIIII", 0x80, 200, 6, 77, 3_908_988_800, 2**31, 6000, 9, 900)
GOODBYE = struct.pack(">BBHI", 0x81, 203, 1, 77)
FLAGS = (b"\x01", b"\x03", b"\x00", b"\x07")  # marker, next timestamp, lost packets; see media_targets


def message() -> Inputs:
    describe = reply(2, f"Content-Base: {HOST}/live/", "Content-Type: application/sdp", body=SDP)
    yield "dialogue", reply(1, "Public: OPTIONS, DESCRIBE,\r\n SETUP") + describe + reply(3, *SETUP) + b"\r\n" + framed(RTP[:4])
    yield "question", b"SET_PARAMETER * RTSP/1.0\nCSeq: 8\n\n" + framed([b"hello"]) + b"ANNOUNCE * RTSP/1.0\r\nCSeq: 9\r\n\r\n"
    garbled = framed(RTP[:2]) + b"\x80garbage $\0\0\3" + framed(RTP[2:])
    yield "garbage", reply(3, *SETUP) + garbled
    yield "bare", b"RTSP/1.0 404\r\n\r\n$\x01\x00\x00\x80garbage"


def session() -> Inputs:
    asks = [reply(number, DIGEST.format(number, "MD5"), BASIC, status="401 Unauthorized") for number in (1, 2)]
    start = reply(1, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER")
    describe = reply(2, f"Content-Base: {HOST}/live/", body=SDP)
    media = framed(RTP) + framed([SENDER_REPORT], 1)
    yield "plain", start + describe + reply(3, *SETUP) + reply(4) + media
    yield "digest", asks[0] + start + describe + asks[1] + reply(3, *SETUP) + reply(4) + media
    yield "redirect", start + reply(2, f"Location: {HOST}/other", status="302 Found") + describe + reply(4, *SETUP)
    yield "h265", start + reply(2, body=SDP_H265 + AUDIO) + reply(3, *SETUP) + reply(4) + framed([GOODBYE], 1)
    yield "elsewhere", start + reply(2, body=SDP.replace(b"trackID=1", b"rtsp://192.0.2.2/t"))
    garbled = framed(RTP[:2]) + b"\x80garbage $\0\0\3" + framed(RTP[2:])
    yield "garbage", start + describe + reply(3, *SETUP) + reply(4) + garbled
    yield "questions", b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n" * 25 + start + describe


def datagrams() -> Inputs:
    udp = "Transport: RTP/AVP;unicast;client_port=50000-50001;server_port=6970-6971;source=192.0.2.1;ssrc=0000004D"
    body = SDP + b"\r\n"  # ends as a head does, so that the target can cut there
    dialogue = reply(1) + reply(2, body=body) + reply(3, SETUP[0], udp) + reply(4)
    yield "in-order", MARK.join([dialogue, *(b"\2" + packet for packet in RTP[:6]), b"\1" + SENDER_REPORT, b"\1" + GOODBYE])
    mixed = [RTP[1], RTP[0], RTP[3], RTP[3], RTP[2], RTP[5]]
    yield "mixed", MARK.join([dialogue, *(b"\0" + packet for packet in mixed), b"\x80", b"\0" + RTP[6]])


def sdp() -> Inputs:
    yield "h264", SDP
    yield "h265", SDP_H265
    yield "audio", SDP + AUDIO + b"m=application 0 RTP/AVP 107\na=rtpmap:107 vnd.onvif.metadata/90000\n"
    yield "jpeg", b"v=0\r\na=control:*\r\nm=video 0 RTP/AVP 26\r\na=x-dimensions:640,480\r\na=control:track1\r\n"


def challenge() -> Inputs:
    yield "digest", (DIGEST.format(1, "SHA-256") + "\n" + BASIC).encode().replace(b"WWW-Authenticate: ", b"")
    yield "stale", MARK.join((DIGEST.format(number, "MD5") + ", stale=true")[18:].encode() for number in range(3))
    yield "both", b'Basic realm="a, Digest b", Digest realm="x\\"y", nonce="n"' + MARK + b"!Basic realm=x" + MARK + b"Basic"


def address() -> Inputs:
    yield "track", f"{HOST}/live/\ntrackID=1\n{HOST}:8554/a?b=c".encode()
    yield "absolute", f"192.0.2.1/live\n{HOST}/live/trackID=1\nrtsps://[2001:db8::1]:322/x".encode()
    yield "elsewhere", b"rtsp://192.0.2.1@192.0.2.2/\nrtsp://u:p@192.0.2.2/\nrtsp://user:password@host:70000/x?y"


def simulator_requests() -> Inputs:
    digest = 'Authorization: Digest username="op", realm="IP Camera", nonce="nonce", uri="/", response="00"'
    asks = "SETUP rtsp://127.0.0.1:8554/c0001/sub/trackID=1 RTSP/1.0"
    lines = (asks, "CSeq: 3", digest, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "", "")
    body = b"SET_PARAMETER rtsp://127.0.0.1/c0001/main RTSP/1.0\r\nCSeq: 4\r\nContent-Length: 5\r\n\r\nhello"
    yield "setup", "\r\n".join(lines).encode() + framed([SENDER_REPORT], 1) + body
    yield "nonsense", b"GET / HTTP/1.1\r\n\r\n$\x01\x00\x02hi\r\nOPTIONS * RTSP/1.0\r\n\r\n"


def rtp() -> Inputs:
    yield "clip", MARK.join(RTP[:6])
    strange = [struct.pack(">BBHII", 0x80, 96, 900 + at, 6000, 78) + b"\x41abc" for at in range(4)]
    yield "stranger", MARK.join([RTP[0], *strange])
    extended = struct.pack(">BBHII", 0xB1, 0xE0, 5, 0, 77) + b"CSRC" + b"\xbe\xde\0\1wxyz" + b"\x65abc\0\0\3"
    yield "extended", extended + MARK + SENDER_REPORT + GOODBYE


def calm() -> Inputs:
    def stream(first: bytes, *parts: bytes) -> bytes:
        return first + MARK.join(parts)

    fragments = (b"\0\x7c\x81\x9aabc", b"\0\x7c\x01defg", b"\1\x7c\x41ij")
    report = b"\2" + SENDER_REPORT
    yield "plain", stream(b"\0", b"\1\x61\x9aabcdefgh", *fragments, b"\1\x41\x9axyz")
    yield "report", stream(b"\0", b"\1\x61\x9aabcdefgh", report, *fragments, report)
    yield "goodbye", stream(b"\0", b"\1\x61\x9aabcdefgh", b"\2" + SENDER_REPORT + GOODBYE)
    key = (b"\0\x7c\x85\x88abcd", b"\0\x7c\x05efgh", b"\1\x7c\x45ij")
    yield "key", stream(b"\0", b"\0\x06\x05\x01\x80", *key, b"\0\x09\xf0\x80", b"\1\x65\x88abc", *fragments[:2])
    yield "slices", stream(b"\0", b"\0\x41\x9aabc", b"\1\x41\x40def", framed(RTP[:1]))
    key = (b"\0\x62\x01\x93\xafabcd", b"\0\x62\x01\x13efgh", b"\1\x62\x01\x53ij")
    yield "h265", stream(b"\1", b"\1\x02\x01\xd0abcdefgh", *key, b"\0\x62\x01\x81\xd0abc", b"\1\x62\x01\x41ij")
    yield "h265-slices", stream(b"\1", b"\0\x00\x01\xd0abc", b"\1\x00\x01\x50def", b"\0\x4e\x01\x05\x80", b"\1\x26\x01\xafab")


def _payloads(payloads: list[bytes]) -> bytes:
    return MARK.join(FLAGS[at % len(FLAGS)] + payload for at, payload in enumerate(payloads))


def h264() -> Inputs:
    picture = CLIP[0][-1][:300]
    thirds = (picture[1:100], picture[100:200], picture[200:])
    fragments = [b"\x7c\x85" + thirds[0], b"\x7c\x05" + thirds[1], b"\x7c\x45" + thirds[2]]
    together = b"\x18" + b"".join(len(nal).to_bytes(2) + nal for nal in (SPS, PPS))
    yield "single", _payloads([SPS, PPS, picture, CLIP[1][-1][:100]])
    yield "fragments", MARK.join([b"\0" + together, b"\0" + fragments[0], b"\0" + fragments[1], b"\1" + fragments[2]])
    yield "lost", _payloads([together, *fragments, *fragments[1:], HUGE_SPS])


def h265() -> Inputs:
    vps, sps, pps = H265_SETS
    picture = b"\x26\x01" + bytes(range(200))
    together = b"\x60\x01" + b"".join(len(nal).to_bytes(2) + nal for nal in H265_SETS)
    fragments = [b"\x62\x01\x93" + picture[2:80], b"\x62\x01\x13" + picture[80:150], b"\x62\x01\x53" + picture[150:]]
    yield "single", MARK.join([b"\0" + vps, b"\0" + sps, b"\0" + pps, b"\1" + picture, b"\3\x02\x01abcdef"])
    yield "fragments", MARK.join([b"\0" + together, b"\0" + fragments[0], b"\0" + fragments[1], b"\1" + fragments[2]])
    yield "lost", _payloads([together, *fragments[1:], picture])


def jpeg() -> Inputs:
    def payload(offset: int, quality: int, rest: bytes, kind: int = 1) -> bytes:
        return b"\0" + offset.to_bytes(3) + bytes((kind, quality, 8, 6)) + rest

    scan = bytes(range(1, 180))
    quanta = b"\0\0\0\x80" + bytes([16] * 128)
    restart = b"\0\4\xff\xff"
    yield "standard", MARK.join([b"\0" + payload(0, 60, scan), b"\1" + payload(179, 60, scan), b"\3" + payload(0, 20, scan)])
    own = payload(0, 255, restart + quanta + scan, 65)
    yield (
        "own-tables",
        MARK.join([b"\0" + own, b"\1" + payload(179, 255, restart + scan, 65), b"\3" + payload(0, 128, b"\0" * 4)]),
    )
    yield (
        "lost",
        MARK.join([b"\0" + payload(0, 60, scan), b"\5" + payload(400, 60, scan), b"\3" + payload(0, 99, scan + b"\xff\xd9")]),
    )


def parameter_sets() -> Inputs:
    yield "h264", MARK.join((SPS, PPS))
    yield "huge", HUGE_SPS
    yield "high", bytes.fromhex("67640028acd940780227e5c044000003000400000300f03c60c658")
    yield "h265", MARK.join(H265_SETS)


def timeline() -> Inputs:
    steady = b"".join(struct.pack(">BI", 1, (2**32 - 18_000 + at * 6000) % 2**32) for at in range(12))
    yield "steady", b"\0" + steady
    yield "sweep", b"\1" + b"".join(struct.pack(">BI", 0x80 * (at % 3 != 2) + 3, at * 6000) for at in range(12))
    yield "jump", b"\0" + steady + b"".join(struct.pack(">BI", 1, 900_000_000 + at * 6000) for at in range(5))
    yield "set-back", b"\2" + struct.pack(">BI", 1, 0) + struct.pack(">BI", 0x41, 600) + struct.pack(">BI", 1, 1200)


PATHS = """\
{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"mode": "walk"},
 "geometry": {"type": "LineString", "coordinates": [[121.901, 30.601], [121.902, 30.601], [121.903, 30.602]]}}
]}
"""
GROUND = """\
{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"kind": "wall", "height_m": 2.4},
 "geometry": {"type": "LineString", "coordinates": [[121.901, 30.601], [121.903, 30.601]]}},
{"type": "Feature", "properties": {"id": "gate-1", "kind": "gate", "name_en": "Gate"},
 "geometry": {"type": "Point", "coordinates": [121.902, 30.601]}},
{"type": "Feature", "properties": {"id": "play-1", "kind": "play_area", "name_en": "Swings"},
 "geometry": {"type": "Polygon",
  "coordinates": [[[121.902, 30.6011], [121.9025, 30.6011], [121.902, 30.6015], [121.902, 30.6011]]]}},
{"type": "Feature", "properties": {"id": "pole-1", "kind": "pole", "height_m": 5},
 "geometry": {"type": "Point", "coordinates": [121.9021, 30.6012]}}
]}
"""
COVERAGE = """\

[coverage]
stream = "analysed"
band = "monitor"
detect_ppm = 20
complete_share = 0.9
gate_weight = 10
"""
DISPATCH = """\
[rest]
assignments = 3
hours = 4
minutes = 20

[[need]]
severity = [1, 2]
skills = ["first-aid"]

[[automatic]]
name = "nights"
category = "public_order"
schedule = "22:00-06:00"

[[minimum]]
grid_cells = ["cell-1"]
schedule = "mon-fri 08:00-18:00"
teams = 1
"""
LIMITS = """\
warn_at = 0.8
escalate_after = [1.0, 1.5, 2.0]
working_hours = "mon-fri 08:00-18:00"

[[limit]]
severity = [3, 4]
accept_min = 30
in_working_time = ["accept"]

[[hours]]
place = "yard"
working_hours = "07:00-21:00"

[[section]]
id = "section-1"
name_en = "Section 1"
grid_cells = ["cell-1"]
"""
ROUNDS = """\
[visits]
geofence_m = 30

[[route]]
id = "evening"
name_en = "Evening"
teams = ["guards"]
stops = ["point-1"]
at = "20:00"

[[inspection]]
id = "doors"
name_en = "Doors"
schedule = "mon-fri 08:00-18:00"
checkpoints = ["point-1"]
teams = ["guards"]
within_min = 60
"""
DESKS = """\
[[desk]]
id = "mediation"
kind = "mediation"
name_en = "Mediation"
opening_hours = "mon-fri 08:30-17:30"
receipt_min = 60
places = ["cell-1"]
users = ["chen.mediation"]
"""
ASSESSMENT = """\
in_time = 50
closing = 30
patrol = 20
true_alarms = 0
"""
NOTIFICATIONS = """\
page = "https://grid.example.org"
camera_after_min = 10

[[webhook]]
id = "city"
url = "https://city.example.org/in"
language = "en"
body = "cap"

[[mqtt]]
id = "broker"
url = "mqtts://broker.example.org"
version = "3.1.1"

[[rule]]
targets = ["city", "broker"]
kinds = ["opened", "breached"]
severity = 2
places = ["cell-1"]
quiet = "22:00-07:00"
"""
MASKS = """\
[[privacy]]
camera = ["c0001", "c0002"]
outline = [[0, 0], [0.25, 0], [0.25, 0.5], [0, 0.5]]

[[ignore]]
camera = "c0001"
outline = [[0.5, 0], [1.0, 0], [0.75, 0.25]]
"""
CREDENTIALS = """\
[yard]
user = "viewer"
sealed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJA=="
"""
SITE_FILES = FILES | {
    "credentials.toml": CREDENTIALS,
    "masks.toml": MASKS,
    "rounds.toml": ROUNDS,
    "paths.geojson": PATHS,
    "ground.geojson": GROUND,
    "dispatch.toml": DISPATCH,
    "limits.toml": LIMITS,
    "desks.toml": DESKS,
    "assessment.toml": ASSESSMENT,
    "notifications.toml": NOTIFICATIONS,
}


def site_file(name: str) -> Callable[[], Inputs]:
    def inputs() -> Inputs:
        yield "small", SITE_FILES[name].encode()
        if name == "site.toml":
            yield "coverage", (SITE_FILES[name] + COVERAGE).encode()
        if name.endswith(".geojson"):
            yield "deep", b'{"type": "FeatureCollection", "features": ' + b"[" * 980 + b"]" * 980 + b"}"

    return inputs


def cameras_toml() -> Inputs:
    header, *rows = FILES["cameras.csv"].splitlines()
    texts = ("id", "name_zh", "name_en", "compound", "grid_cell", "url_sub", "url_main", "credential")
    tables = []
    for row in rows:
        pairs = [(key, value) for key, value in zip(header.split(","), row.split(","), strict=True) if value]
        lines = [f'{key} = "{value}"' if key in texts else f"{key} = {value}" for key, value in pairs]
        tables.append("\n".join(["[[camera]]", *lines, ""]))
    yield "small", "\n".join(tables).encode()


CARD = """\
name = "crop_small"
file = "crop_small.onnx"
sha256 = "{}"
bytes = 1026
origin = "drawn"
licence = "Apache-2.0"
head = "crop"
labels = ["person", "vehicle", "other"]

[input]
height_px = 64
width_px = 64
colour = "grey"

[classes]
vehicle = ["vehicle"]

[[accuracy]]
data = "drawn"
label = "person"
height = "24-48"
recall = 0.9
false = 0.01
count = 120
"""


def model_card() -> Inputs:
    yield "small", CARD.format("0" * 64).encode()


def field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer, numbered up to 31: an integer below 128, or up to 127 bytes."""
    key = number << 3 | (2 if isinstance(value, bytes) else 0)
    head = bytes((key,)) if key < 128 else bytes((key & 0x7F | 0x80, key >> 7))
    return head + (bytes((len(value),)) + value if isinstance(value, bytes) else bytes((value,)))


def onnx_file() -> Inputs:
    weight = field(1, 4) + field(8, b"w")
    attribute = field(1, b"body") + field(6, field(1, field(4, b"Relu")))
    node = field(1, b"x") + field(2, b"y") + field(4, b"Loop") + field(7, b"ai.onnx") + field(5, attribute)
    yield "small", field(1, 8) + field(7, field(1, node) + field(5, weight)) + field(8, field(1, b"") + field(2, 17))
    outside = field(13, field(1, b"location") + field(2, b"../secret")) + field(14, 1)
    yield "outside", field(7, field(1, field(4, b"Add")) + field(5, outside) + field(15, field(1, weight)))
    yield "function", field(25, field(7, node) + field(9, field(1, b"elsewhere")))


def event(number: int) -> Event:
    return Event(
        id=f"0190-{number}",
        camera="c0001",
        kind=EventKind.INTRUSION,
        label="person",
        rule="no-entry",
        zone="禁区",
        severity=1,
        began_s=1_700_000_000.0,
        raised_s=1_700_000_001.5,
        ended_s=None,
        score=0.9,
        box=(0.1, 0.2, 0.3, 0.4),
        seen_by=next(iter(Tier)),
        snapshot_jpeg=b"\xff\xd8" + bytes(20) + b"\xff\xd9",
    )


def clip_facts() -> Inputs:
    gap = ClipGap(1.0, 2.5, ClipGapCause.NOT_KEPT)
    clip = Clip("0199a3c2", "c1", 2.5, 9.0, 97, Codec.H264, 640, 360, 4711, "ab" * 32, False, (gap,), Path())
    yield "clip", pack_clip(clip)


def outbox_event() -> Inputs:
    packed = pack_event(event(1))
    yield "event", packed
    yield "header", packed[4 : 4 + int.from_bytes(packed[:4], "little")]


def outbox_folder() -> Inputs:
    def records(*numbers: int) -> bytes:
        payloads = [(number, pack_event(event(number))) for number in numbers]
        return b"".join(b"GPE1" + struct.pack("<IIQ", len(payload), 0, number) + payload for number, payload in payloads)

    yield "two", b"1" + MARK + records(1, 2) + MARK + records(3)
    yield "torn", b"0 00000000\n" + MARK + records(1, 2)[:-30] + MARK + b"junk" + records(3)


OFFER = """\
v=0
o=- 4611 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic: WMS
m=video 9 UDP/TLS/RTP/SAVPF 102 103
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 5f0d.local 50000 typ host generation 0
a=end-of-candidates
a=ice-ufrag:Xy1z
a=ice-pwd:0123456789abcdef01234567
a=ice-options:trickle
a=fingerprint:sha-256 {}
a=setup:actpass
a=mid:0
a=recvonly
a=rtcp-mux
a=rtpmap:102 H264/90000
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
a=ssrc:77 cname:x
"""


def offer() -> Inputs:
    text = OFFER.format(":".join(["AB"] * 32))
    yield "browser", text.replace("\n", "\r\n").encode()
    yield "other-lines", text.encode()


def onvif() -> Inputs:
    def answer(body: str) -> bytes:
        return f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>{body}</e:Body></e:Envelope>'.encode()

    day, time = "<Year>2026</Year><Month>2</Month><Day>3</Day>", "<Hour>4</Hour><Minute>5</Minute><Second>60</Second>"
    clock = f"<UTCDateTime><Time>{time}</Time><Date>{day}</Date></UTCDateTime>"
    yield "time", answer(f"<r><SystemDateAndTime>{clock}</SystemDateAndTime></r>")
    yield "services", answer("<r><Service><Namespace>a</Namespace><XAddr>http://192.0.2.1/a</XAddr></Service></r>")
    size = "<Resolution><Width>640</Width><Height>360</Height></Resolution>"
    inner = f"<Encoding>H264</Encoding>{size}<H264><GovLength>9</GovLength></H264>"
    encoder = f"<VideoEncoderConfiguration token='e'>{inner}<RateControl><FrameRateLimit>15</FrameRateLimit></RateControl>"
    yield "profiles", answer(f"<r><Profiles token='p'><Name>x</Name>{encoder}</VideoEncoderConfiguration></Profiles></r>")
    yield "stream", answer("<r><MediaUri><Uri>rtsp://192.0.2.1:554/main?a=1</Uri></MediaUri></r>")
    state = "<Message UtcTime='2026-01-02T03:04:05Z'><Data><SimpleItem Name='IsMotion' Value='true'/></Data></Message>"
    yield "motion", answer(f"<r><NotificationMessage><Topic>a/Motion</Topic><Message>{state}</Message></NotificationMessage></r>")
    yield "subscription", answer("<r><SubscriptionReference><Address>http://192.0.2.1/p</Address></SubscriptionReference></r>")
    code = "<Code><Value>e:Sender</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code>"
    yield "fault", answer(f"<e:Fault>{code}<Reason><Text>no</Text></Reason></e:Fault>")
    match = "<Scopes>onvif://www.onvif.org/name/Gate%2007</Scopes><XAddrs>http://192.0.2.1:81/o</XAddrs>"
    yield "match", answer(f"<ProbeMatches><ProbeMatch>{match}</ProbeMatch></ProbeMatches>")


def photo() -> Inputs:
    pixels = np.add.outer(np.arange(0, 240, 10), np.arange(0, 16)).astype(np.uint8)
    files = {kind: cv2.imencode(f".{kind}", pixels)[1].tobytes() for kind in ("jpg", "png", "webp")}
    yield from files.items()
    yield "progressive", cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))[1].tobytes()
    yield "two-in-one", files["jpg"] + b"PK\x03\x04"
    yield "large", files["png"][:16] + struct.pack(">II", 60_000, 60_000) + files["png"][24:]
    yield "moving", b"RIFF\x16\0\0\0WEBPVP8X" + struct.pack("<I", 10) + bytes((2, 0, 0, 0, 7, 0, 0, 7, 0, 0))


SEEDS: dict[str, Callable[[], Inputs]] = {
    **{make.__name__: make for make in (message, session, datagrams, sdp, challenge, address, rtp, calm, h264, h265)},
    **{
        make.__name__: make
        for make in (
            jpeg,
            parameter_sets,
            timeline,
            cameras_toml,
            model_card,
            onnx_file,
            outbox_event,
            outbox_folder,
            offer,
            onvif,
        )
    },
    **{name.replace(".", "_"): site_file(name) for name in SITE_FILES},
    "clip_facts": clip_facts,
    "photo": photo,
    "simulator": simulator_requests,
}


def main() -> None:
    for name in TARGETS:
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("seed-*"):
            old.unlink()
        for title, data in SEEDS[name]():
            (folder / f"seed-{title}").write_bytes(data)


if __name__ == "__main__":
    main()
