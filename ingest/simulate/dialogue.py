"""What the cameras answer to requests: the conversation of RTSP, and the faults that show in it."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from base import Clock
from ingest.simulate import rtsp
from ingest.simulate.faults import CameraState
from ingest.simulate.plan import FaultKind, SimPlan
from ingest.simulate.player import Connection, Play, timestamp_base
from ingest.simulate.spoil import HUGE_SPS

__all__ = ["Dialogue"]

_ELSEWHERE = "rtsp://198.51.100.7"  # an address for documentation, RFC 5737: nobody is there
_WRAP_S, _WRAP_PACKETS = 1.0, 20  # how soon after PLAY timestamps and sequence numbers wrap


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Answers requests of clients. Owned by the server's thread, like all it is given."""

    plan: SimPlan
    cameras: Mapping[str, CameraState]
    clock: Clock
    rng: random.Random
    started_utc_s: float
    started_s: float  # monotonic

    def answer(self, connection: Connection, request: rtsp.Request) -> bytes | None:
        """The reply, empty if the camera says nothing; None if it ends the connection instead."""
        code, headers, body = 200, dict[str, str](), b""
        known = request.method in rtsp.METHODS
        state = self._camera_of(connection, request) if known else None
        if state is not None and state.has(FaultKind.STOP, FaultKind.SILENT):
            return None if state.has(FaultKind.STOP) else b""
        if not known:
            code, headers = (405, {"Allow": ", ".join(rtsp.METHODS)}) if request.method else (400, {})
        elif request.method == "OPTIONS":
            headers["Public"] = ", ".join(rtsp.METHODS)
        elif self._refused(connection, request, state):
            code, headers = 401, rtsp.challenge(connection.nonce)
        elif request.method == "DESCRIBE":
            code, headers, body = self._describe(state, request)
        elif request.method == "SETUP":
            code, headers = self._setup(connection, state, request)
        elif connection.camera is None or request.headers.get("session", "").partition(";")[0].strip() != connection.session:
            code = 454
        elif request.method == "PLAY":
            headers = self._play(connection, connection.camera, request)
        elif request.method == "TEARDOWN":
            connection.play, connection.camera = None, None
        else:
            headers["Session"] = connection.session
        slow = state.fault(FaultKind.SLOW_LORIS) if state is not None else None
        connection.slow = connection.slow or (slow is not None and slow.phase == request.method.lower())
        return rtsp.reply(request, code, headers, body)

    def _camera_of(self, connection: Connection, request: rtsp.Request) -> CameraState | None:
        return self.cameras.get(rtsp.stream_path(request.url)[0]) or connection.camera

    def _refused(self, connection: Connection, request: rtsp.Request, state: CameraState | None) -> bool:
        if state is not None and state.has(FaultKind.REFUSE):
            return True
        return bool(self.plan.user) and not rtsp.authorised(request, connection.nonce, self.plan.user, self.plan.password)

    def _describe(self, state: CameraState | None, request: rtsp.Request) -> tuple[int, dict[str, str], bytes]:
        if state is None:
            return 404, {}, b""
        if state.has(FaultKind.REDIRECT):
            return 302, {"Location": f"{_ELSEWHERE}/{state.camera.id}/sub"}, b""
        headers = {"Content-Type": "application/sdp", "Content-Base": request.url.rstrip("/") + "/"}
        sets: tuple[bytes, bytes] | None = state.showing.parameter_sets
        if state.has(FaultKind.NO_SETS):
            sets = None
        elif state.has(FaultKind.HUGE):
            sets = HUGE_SPS, state.showing.parameter_sets[1]
        control = f"{_ELSEWHERE}/trackID=1" if state.has(FaultKind.CONTROL) else "trackID=1"
        return 200, headers, rtsp.sdp(sets, state.clip.fps, control)

    def _setup(self, connection: Connection, state: CameraState | None, request: rtsp.Request) -> tuple[int, dict[str, str]]:
        if state is None:
            return 404, {}
        if connection.play is not None:
            return 455, {}
        wanted = request.headers.get("transport", "")
        channels, ports = rtsp.wanted_channels(wanted), rtsp.wanted_ports(wanted)
        if channels is not None:
            connection.channels = channels
            transport = f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]}"
        elif ports is not None:
            port = connection.open_datagrams(ports)
            transport = f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]};server_port={port}-{port + 1}"
        else:
            return 461, {}
        connection.camera = state
        connection.session = connection.session or f"{self.rng.getrandbits(32):08X}"
        return 200, {"Session": f"{connection.session};timeout=60", "Transport": transport}

    def _play(self, connection: Connection, state: CameraState, request: rtsp.Request) -> dict[str, str]:
        """Begin with the next key frame, as cameras do; a second PLAY changes nothing."""
        play = connection.play
        if play is None:
            zero_due_s = self.started_s - state.camera.offset_s
            play = connection.play = Play(
                connection=connection,
                camera=state,
                ssrc=self.rng.getrandbits(32),
                sequence=self.rng.getrandbits(16),
                timestamp_base=timestamp_base(state.camera.id),
                zero_due_s=zero_due_s,
                utc_minus_monotonic_s=self.started_utc_s - self.started_s,
                index=math.ceil((self.clock.monotonic_s() - zero_due_s) * state.clip.fps),
            )
            play.index = play.next_key()
            if state.has(FaultKind.WRAP):
                play.wrap_in(_WRAP_S, _WRAP_PACKETS)
        url = request.url.rstrip("/").removesuffix("/trackID=1") + "/trackID=1"
        info = f"url={url};seq={play.sequence};rtptime={play.timestamp(play.index)}"
        return {"Session": connection.session, "Range": "npt=now-", "RTP-Info": info}
