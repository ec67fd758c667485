"""Fuzz targets of what `detect` reads: model cards, ONNX files, stored events and the folder they are stored in."""

import itertools
import shutil
import struct
import zlib
from pathlib import Path

from base import ModelError, SimulatedClock, StorageError
from detect.cards import read_card
from detect.onnx_file import inspect_onnx
from detect.outbox import Outbox, pack_event, unpack_event
from tests.fuzz.pieces import pieces, scratch

_HEAD = struct.Struct("<4sIIQ")


def fuzz_model_card(data: bytes) -> None:
    """A card or ModelError."""
    path = scratch() / "card.toml"
    path.write_bytes(data)
    try:
        card = read_card(path)
    except ModelError:
        return
    assert card.labels and Path(card.file).name == card.file and card.bytes > 0


def fuzz_onnx_file(data: bytes) -> None:
    """Facts or ModelError."""
    try:
        facts = inspect_onnx(data)
    except ModelError:
        return
    assert 0 < facts.nodes <= len(data) and len(facts.domains) <= len(data)


def fuzz_outbox_event(data: bytes) -> None:
    """An event or ValueError, from a payload and from its header alone; what was read can be written and read again."""
    for payload in (data, len(data).to_bytes(4, "little") + data + b"\xff\xd8"):
        try:
            event = unpack_event(payload)
        except ValueError:
            continue
        packed = pack_event(event)
        assert pack_event(unpack_event(packed)) == packed


def fuzz_outbox_folder(data: bytes) -> None:
    """The acknowledged number, then segments, with the check sums they should have: opened, read, acknowledged, opened again."""
    folder = scratch() / "outbox"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    acknowledged, *segments = pieces(data)
    (folder / "acknowledged").write_bytes(_acknowledgement(acknowledged))
    for number, segment in enumerate(itertools.islice(segments, 3), 1):
        (folder / f"{number:020d}.events").write_bytes(_with_sums(segment))
    clock = SimulatedClock()
    try:
        outbox = Outbox(folder, clock)
        last, events = outbox.pending(100)
        outbox.acknowledge(last)
        assert len(events) <= len(data) and outbox.lost <= len(data)
        outbox.close()
        outbox = Outbox(folder, clock)
    except StorageError:
        return
    outbox.close()


def _acknowledgement(data: bytes) -> bytes:
    """With its right check sum if it is a number at all."""
    try:
        number = int(data)
        return b"%d %08x\n" % (number, zlib.crc32(struct.pack("<Q", number)))
    except (ValueError, struct.error):
        return data


def _with_sums(data: bytes) -> bytes:
    """Right check sums on whatever looks like a record, for no mutation would ever hit one."""
    fixed, at = bytearray(data), data.find(b"GPE1")
    while 0 <= at <= len(data) - _HEAD.size:
        magic, length, _, number = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        if end <= len(data):
            crc = zlib.crc32(data[at + _HEAD.size : end], zlib.crc32(struct.pack("<Q", number)))
            _HEAD.pack_into(fixed, at, magic, length, crc, number)
            at = end - 1
        at = data.find(b"GPE1", at + 1)
    return bytes(fixed)
