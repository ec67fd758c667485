"""What faults make of a frame on its way to a client."""

import random

from ingest.simulate.faults import CameraState
from ingest.simulate.packets import PackedFrame, fragments, pack, payloads
from ingest.simulate.plan import FaultKind

__all__ = ["HUGE_SPS", "OTHER_SSRC", "spoil_bytes", "spoil_frame"]

HUGE_SPS = bytes.fromhex("67420028da001000008011")  # baseline, 16384x16384
OTHER_SSRC = bytes.fromhex("5555aaaa")
_SSRC_AT = 12  # behind "$", channel, length, and eight bytes of RTP
_SPS, _PPS, _FILLER, _FU_A = 7, 8, 12, 28
_CUT_BYTES = 2  # of an FU-A: its two header bytes, nothing of the picture
_TOO_LONG_BYTES = 7
_CONTENT = (FaultKind.NO_SETS, FaultKind.HUGE, FaultKind.CUT_FRAGMENT, FaultKind.FLOOD)
_BYTES = (FaultKind.BAD_LENGTH, FaultKind.OTHER_SSRC, FaultKind.BAD_RTP)


def spoil_frame(frame: PackedFrame, camera: CameraState) -> PackedFrame:
    """The frame with other RTP payloads, as the camera's faults want it."""
    if not camera.has(*_CONTENT):
        return frame
    parts = payloads(frame)
    if camera.has(FaultKind.NO_SETS):
        parts = [part for part in parts if part[0] & 31 not in (_SPS, _PPS)]
    if camera.has(FaultKind.HUGE):
        parts = [HUGE_SPS if part[0] & 31 == _SPS else part for part in parts]
    if camera.has(FaultKind.CUT_FRAGMENT):
        parts = [part[:_CUT_BYTES] if part[0] & 31 == _FU_A else part for part in parts]
    if flood := camera.fault(FaultKind.FLOOD):
        parts += fragments(bytes((_FILLER,)) + b"\xff" * int(flood.mbit_per_s * 125_000 / camera.clip.fps))
    return pack(parts, frame.is_key)


def spoil_bytes(data: bytearray, frame: PackedFrame, camera: CameraState, rng: random.Random) -> None:
    """Change what goes down the wire in place: the framing's lengths, the SSRC, or all that is in the RTP packets."""
    if not camera.has(*_BYTES):
        return
    for start, end in zip(frame.start, (*frame.start[1:], len(data)), strict=True):
        if camera.has(FaultKind.BAD_LENGTH):
            data[start + 2 : start + 4] = (end - start - 4 + _TOO_LONG_BYTES).to_bytes(2)
        if camera.has(FaultKind.OTHER_SSRC):
            data[start + _SSRC_AT : start + _SSRC_AT + 4] = OTHER_SSRC
        if camera.has(FaultKind.BAD_RTP):
            data[start + 4 : end] = rng.randbytes(end - start - 4)
