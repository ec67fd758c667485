"""Each fault as a client sees it on the wire."""

import pytest

from ingest.simulate import Fault, FaultKind, SimCamera
from tests.simulate.stage import FPS, RawClient, serving
from tests.simulate.test_server import access_units

BEFORE_S = 0.9  # the first key frame comes within 0.4 s


def camera(kind: FaultKind, for_s: float = 1.2, **rest: float) -> SimCamera:
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
