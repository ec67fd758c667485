"""Rooms: one shared by the tests of a file that leave it as it was, and a new one for each test that does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from base import SystemClock
from camera_config.coverage import Coverage
from dashboard import CoverageNow
from tests.dashboard.room import Room, a_room


@dataclass
class Staff:
    """A running room and who works in it."""

    room: Room
    administrator: httpx.Client
    dispatcher: httpx.Client
    operator: httpx.Client
    phone: httpx.Client  # of team t01

    def by_role(self) -> dict[str, httpx.Client]:
        return {
            "anonymous": self.room.client(),
            "team": self.phone,
            "operator": self.operator,
            "dispatcher": self.dispatcher,
            "administrator": self.administrator,
        }


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    """The room a file of tests shares, with somebody of each role. They may raise events and take steps in it, nothing more."""
    room = a_room(tmp_path_factory.mktemp("room"), SystemClock(), metrics_token="scrape-me-0123456789", failures=10_000)
    room.start()
    coverage = Coverage(room.site)
    room.app.state.coverage.put(CoverageNow(1, room.clock.now_s(), coverage, coverage.with_states({})))
    try:
        administrator = room.set_up()
        dispatcher = room.person(administrator, "wang", "dispatcher")
        operator = room.person(administrator, "li.na", "operator")
        yield Staff(room, administrator, dispatcher, operator, room.phone(dispatcher, "t01"))
    finally:
        room.stop()


@pytest.fixture
def new_room(tmp_path: Path) -> Iterator[Callable[..., Room]]:
    """Starts rooms of a test's own: `new_room(clock=..., idle_s=...)`."""
    rooms: list[Room] = []

    def start(clock: Any = None, **changes: Any) -> Room:  # Any: settings of different types
        folder = tmp_path / str(len(rooms))
        folder.mkdir()
        room = a_room(folder, clock or SystemClock(), **changes)
        rooms.append(room)
        room.start()
        return room

    yield start
    for room in rooms:
        room.stop()


@pytest.fixture
def a_jpeg() -> bytes:
    """A white picture as a JPEG file."""
    done, data = cv2.imencode(".jpg", np.full((90, 160, 3), 255, np.uint8))
    assert done
    return data.tobytes()
