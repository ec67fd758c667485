"""Each fault as a client sees it on the wire."""

from base64 import b64encode
from itertools import pairwise

import pytest

from base import SystemClock
from ingest.simulate import Fault, FaultKind, SimCamera, SimPlan, Simulator, SlowPhase
from ingest.simulate.spoil import HUGE_SPS
from tests.simulate.stage import FPS, RawClient, serving, small_clip
from tests.simulate.test_server import access_units

BEFORE_S = 0.9  # the first key frame comes within 0.4 s


def camera(kind: FaultKind, for_s: float = 1.2, **rest: object) -> SimCamera:
    return SimCamera("c1", faults=(Fault(kind, BEFORE_S, for_s, **rest),))  # type: ignore[arg-type]


def until_gone(client: RawClient) -> type[BaseException]:
    """Read frames until the connection ends; how it ended."""
    try:
        while True:
            client.frame()
    except (EOFError, ConnectionResetError) as error:
        return type(error)


def test_stop_ends_the_connection_answers_nothing_and_comes_back() -> None:
    with serving(camera(FaultKind.STOP)) as simulator:
        with RawClient(simulator.port) as client:
            client.play("c1")
            client.frame()
            assert until_gone(client) in (EOFError, ConnectionResetError)
        with RawClient(simulator.port) as client, pytest.raises((EOFError, ConnectionResetError)):
            client.ask("DESCRIBE", "/c1/sub")
        back = False
        while not back:
            with RawClient(simulator.port) as client:
                try:
                    back = client.ask("DESCRIBE", "/c1/sub")[0] == 200
                except (EOFError, ConnectionResetError):
                    continue
                client.play("c1")
                assert client.rtp().kind == 7


def test_reset_is_a_reset_and_only_a_moment() -> None:
    with serving(camera(FaultKind.RESET)) as simulator:
        with RawClient(simulator.port) as client:
            client.play("c1")
            assert until_gone(client) is ConnectionResetError
        with RawClient(simulator.port) as client:
            client.play("c1")
            assert client.rtp().kind == 7


def test_stall_keeps_answering_but_sends_no_media_then_goes_on_with_a_key_frame() -> None:
    with serving(camera(FaultKind.STALL)) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        last = access_units(client, 2)[-1]
        while True:
            frame = access_units(client, 1)[0]
            gap = (frame[0].timestamp - last[0].timestamp) & 0xFFFFFFFF
            if gap > 90_000:
                break
            last = frame
            assert client.ask("GET_PARAMETER", "/c1/sub", Session=client.session)[0] == 200
        assert gap >= 1.1 * 90_000
        assert frame[0].kind == 7  # a key frame with its parameter sets
        assert frame[0].sequence == (last[-1].sequence + 1) & 0xFFFF  # nothing was made that could be lost


def test_garbage_breaks_the_framing() -> None:
    with serving(camera(FaultKind.GARBAGE, 0.0)) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        with pytest.raises(AssertionError, match="expected an interleaved frame"):
            while True:
                client.frame()


def test_refuse_answers_401_whatever_the_password() -> None:
    with serving(camera(FaultKind.REFUSE, 0.0)) as simulator:
        with RawClient(simulator.port) as client:
            assert client.ask("DESCRIBE", "/c1/sub")[0] == 200
            client.play("c1")
            until_gone(client)
        with RawClient(simulator.port) as client:
            code, headers, _ = client.ask("DESCRIBE", "/c1/sub")
            assert code == 401
            assert headers["www-authenticate"].startswith("Digest ")


def test_resolution_changes_in_the_stream_at_a_key_frame() -> None:
    with serving(camera(FaultKind.RESOLUTION, 0.0, width_px=96, height_px=64)) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        frames = access_units(client, 1)
        first = frames[0][0].payload
        while True:
            frame = access_units(client, 1)[0]
            if frame[0].kind == 7 and frame[0].payload != first:
                break
        assert (frame[0].timestamp - frames[0][0].timestamp) & 0xFFFFFFFF < 5 * 90_000
        assert [packet.kind for packet in frame][:3] == [7, 8, 5]
        _, _, body = client.ask("DESCRIBE", "/c1/sub")
        assert b"sprop-parameter-sets" in body


def test_a_clock_jump_moves_both_clocks_of_the_camera() -> None:
    with serving(camera(FaultKind.CLOCK_JUMP, 0.0, jump_s=-500.0)) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        steps: list[int] = []
        last = client.rtp().timestamp
        while not any(step > 90_000 for step in steps):
            packet = client.rtp()
            steps.append((packet.timestamp - last) & 0xFFFFFFFF)
            last = packet.timestamp
        assert steps[-1] == (90_000 // FPS - 500 * 90_000) & 0xFFFFFFFF
        with RawClient(simulator.port) as other:
            other.play("c1")
            while True:
                channel, data = other.frame()
                if channel == 1:
                    break
        utc_s = int.from_bytes(data[8:12]) - 2_208_988_800
        assert utc_s - simulator.clock.now_s() == pytest.approx(-500, abs=3)


def test_silence_answers_nothing_and_closes_nothing() -> None:
    with serving(camera(FaultKind.SILENT, 0.0)) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        client.sock.settimeout(2.0)
        with pytest.raises(TimeoutError):
            while True:
                client.frame()
        with RawClient(simulator.port) as other:  # connects, and that is all
            other.sock.settimeout(0.5)
            with pytest.raises(TimeoutError):
                other.ask("OPTIONS", "/c1/sub")


@pytest.mark.parametrize("phase", [SlowPhase.OPTIONS, SlowPhase.PLAY])
def test_a_slow_loris_sends_a_byte_a_second_from_its_phase_on(phase: SlowPhase) -> None:
    fault = Fault(FaultKind.SLOW_LORIS, 0.0, 0.0, phase=phase)
    with serving(SimCamera("c1", faults=(fault,))) as simulator, RawClient(simulator.port) as client:
        if phase is SlowPhase.PLAY:
            assert client.ask("OPTIONS", "/c1/sub")[0] == 200
            code, headers, _ = client.ask("SETUP", "/c1/sub/trackID=1", Transport="RTP/AVP/TCP;interleaved=0-1")
            assert code == 200
            request = f"PLAY rtsp://x/c1/sub RTSP/1.0\r\nCSeq: 9\r\nSession: {headers['session'].partition(';')[0]}\r\n\r\n"
        else:
            request = "OPTIONS rtsp://x/c1/sub RTSP/1.0\r\nCSeq: 9\r\n\r\n"
        client.sock.sendall(request.encode())
        assert [client.sock.recv(100) for _ in range(2)] == [b"R", b"T"]


def test_slow_media_goes_on_with_what_waited_when_the_fault_is_over() -> None:
    with serving(camera(FaultKind.SLOW_LORIS, 1.5, phase=SlowPhase.MEDIA)) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        frames = access_units(client, 4 * FPS)
        steps = {(b[0].timestamp - a[0].timestamp) & 0xFFFFFFFF for a, b in pairwise(frames)}
        assert steps == {90_000 // FPS}


def packets_of(client: RawClient, count: int) -> list[bytes]:
    """The next RTP packets."""
    packets: list[bytes] = []
    while len(packets) < count:
        channel, data = client.frame()
        packets += [data] if channel == 0 else []
    return packets


def test_bad_rtp_is_framed_but_random() -> None:
    with serving(SimCamera("c1", faults=(Fault(FaultKind.BAD_RTP, 0.0, 0.0),))) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        assert len({packet[0] for packet in packets_of(client, 30)}) > 10


def test_a_bad_length_is_seven_bytes_too_long() -> None:
    fault = Fault(FaultKind.BAD_LENGTH, 0.0, 0.0)
    with serving(SimCamera("c1", faults=(fault,))) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        _, first = client.frame()
        assert first[-7:-5] == b"$\0"  # where the next frame begins
        with pytest.raises(AssertionError, match="expected an interleaved frame"):
            client.frame()


def test_another_ssrc_leaves_the_sequence_alone() -> None:
    with serving(camera(FaultKind.OTHER_SSRC)) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        packets = [client.rtp()]
        while len({packet.ssrc for packet in packets}) < 2 or packets[-1].ssrc != packets[0].ssrc:
            packets.append(client.rtp())
        assert all((b.sequence - a.sequence) & 0xFFFF == 1 for a, b in pairwise(packets))


def test_fragments_are_cut_to_their_header() -> None:
    fault = Fault(FaultKind.CUT_FRAGMENT, 0.0, 0.0)
    with serving(SimCamera("c1", faults=(fault,))) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        fragments = [packet for frame in access_units(client, 2) for packet in frame if packet.payload[0] & 31 == 28]
        assert {len(packet.payload) for packet in fragments} == {2}


def test_key_frames_are_left_out() -> None:
    fault = Fault(FaultKind.NO_KEY, 0.0, 0.0)
    with serving(SimCamera("c1", faults=(fault,))) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        assert {packet.kind for frame in access_units(client, 12) for packet in frame} == {1}


@pytest.mark.parametrize(("kind", "found"), [(FaultKind.NO_SETS, []), (FaultKind.HUGE, [HUGE_SPS])])
def test_parameter_sets_are_missing_or_huge_in_sdp_and_in_band(kind: FaultKind, found: list[bytes]) -> None:
    with serving(SimCamera("c1", faults=(Fault(kind, 0.0, 0.0),))) as simulator, RawClient(simulator.port) as client:
        sdp = client.ask("DESCRIBE", "/c1/sub")[2].decode()
        assert ("sprop-parameter-sets=" + b64encode(HUGE_SPS).decode() in sdp) == bool(found)
        assert ("sprop-parameter-sets" in sdp) == bool(found)
        client.play("c1")
        frame = access_units(client, 1)[0]
        assert [packet.payload for packet in frame if packet.kind == 7] == found
        assert frame[-1].kind == 5


def test_a_flood_has_the_rate_asked_for() -> None:
    fault = Fault(FaultKind.FLOOD, 0.0, 0.0, mbit_per_s=6.0)
    with serving(SimCamera("c1", faults=(fault,))) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        frames = access_units(client, FPS)
        filler = sum(len(packet.payload) for frame in frames for packet in frame if packet.kind == 12)
        assert 5.9e6 < filler * 8 < 6.2e6
        assert frames[0][-1].marker and not any(packet.marker for packet in frames[0][:-1])


def test_numbers_wrap_within_a_second() -> None:
    fault = Fault(FaultKind.WRAP, 0.0, 0.0)
    with serving(SimCamera("c1", faults=(fault,))) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        packets = [packet for frame in access_units(client, FPS + 4) for packet in frame]
        assert packets[0].timestamp > packets[-1].timestamp and packets[0].sequence > packets[-1].sequence
        assert all((b.sequence - a.sequence) & 0xFFFF == 1 for a, b in pairwise(packets))
        assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)} <= {0, 90_000 // FPS}


def test_others_are_named_where_a_client_must_not_go() -> None:
    faults = (
        SimCamera("c1", faults=(Fault(FaultKind.REDIRECT, 0.0, 0.0),)),
        SimCamera("c2", faults=(Fault(FaultKind.CONTROL, 0.0, 0.0),)),
    )
    with serving(*faults) as simulator, RawClient(simulator.port) as client:
        code, headers, _ = client.ask("DESCRIBE", "/c1/sub")
        assert (code, headers["location"]) == (302, "rtsp://198.51.100.7/c1/sub")
        assert b"a=control:rtsp://198.51.100.7/trackID=1" in client.ask("DESCRIBE", "/c2/sub")[2]


def test_held_faults_begin_when_they_are_released() -> None:
    cameras = (SimCamera("c1", faults=(Fault(FaultKind.REFUSE, 0.0, 0.0),)),)
    plan = SimPlan(cameras, fps=FPS)
    simulator = Simulator(plan, {plan.clip_name(cameras[0]): small_clip()}, SystemClock(), hold_faults=True)
    simulator.start()
    try:
        with RawClient(simulator.port) as client:
            client.play("c1")
            assert len(access_units(client, 5)) == 5
            simulator.release_faults()
            assert until_gone(client) in (EOFError, ConnectionResetError)
    finally:
        simulator.stop()
