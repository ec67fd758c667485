"""What cameras themselves say of motion: a pull point of each, held for as long as it runs (ONVIF Core Specification, 9.2)."""

import ipaddress
import logging
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from base import Backoff, Clock, Tally
from ingest.onvif.device import Device, Login
from ingest.onvif.discovery import PORT, find_service
from ingest.onvif.soap import OnvifError, OnvifFault

__all__ = ["AskedCamera", "MotionNotices"]

logger = logging.getLogger(__name__)

_WAITING_S = 10  # that a camera holds a question for which it has no news: what an idle camera costs
_LASTING_S = 60
_RENEW_S = 30.0
_LEAST_S = 0.5  # between two questions, for devices that answer at once without news
_SPREAD_S = 0.05  # a camera, over which the first questions are spread
_AGAIN_S, _AGAIN_AT_MOST_S = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class AskedCamera:
    """A camera whose own motion events are asked for, at its vetted address. Plain values."""

    camera: str
    host: str
    login: Login | None = None


class MotionNotices:
    """Tells of each motion that one of the cameras has seen. A thread for each camera, which waits for it most of the time.

    A camera that does not answer, or knows no events, is asked again later and later, and named in the log. One that refuses our
    password is asked every few minutes only: after a handful of refusals cameras lock the account, and with it the pictures.
    """

    def __init__(
        self, asked: Sequence[AskedCamera], says: Callable[[str, float], None], clock: Clock, discovery_port: int = PORT
    ) -> None:
        """`says` is called from any of the threads with the camera and the time (UTC) its notice came."""
        self._asked = {one.camera: one for one in asked}
        self._says, self._clock, self._discovery_port = says, clock, discovery_port
        self._stopping: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for one in self._asked.values():
            self._begin(one)

    def exchange(self, camera: str, asked: AskedCamera | None) -> None:
        """From now on this camera is asked as `asked` says, or not at all. One thread."""
        if self._asked.get(camera) == asked:
            return
        if (before := self._stopping.pop(camera, None)) is not None:
            before.set()
        self._asked.pop(camera, None)
        if asked is not None:
            self._asked[camera] = asked
            self._begin(asked)

    def stop(self, within_s: float) -> None:
        """Ask no more. A thread whose question a camera still holds ends with the answer, or with the process."""
        for stopping in self._stopping.values():
            stopping.set()
        ends_s = self._clock.monotonic_s() + within_s
        for thread in self._threads:
            thread.join(max(0.0, ends_s - self._clock.monotonic_s()))

    def _begin(self, one: AskedCamera) -> None:
        stopping = self._stopping[one.camera] = threading.Event()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._listen, args=(one, stopping), name=f"notices-{one.camera}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self, one: AskedCamera, stopping: threading.Event) -> None:
        rng, again, tally = random.Random(one.camera), Backoff(_AGAIN_S, _AGAIN_AT_MOST_S), Tally(logger, self._clock, 600.0)
        stopping.wait(rng.uniform(0, _SPREAD_S * len(self._asked)))
        while not stopping.is_set():
            began_s, is_denied = self._clock.monotonic_s(), False
            try:
                self._follow(one, stopping)
            except OnvifError as error:
                tally.warn(one.camera, f"its own motion events cannot be had: {error}")
                is_denied = isinstance(error, OnvifFault) and error.is_denied
            except Exception:  # our own mistake costs a pause
                logger.exception("%s: its own motion events", one.camera)
            lasted_s = self._clock.monotonic_s() - began_s
            again.succeeded(lasted_s)
            was_good = lasted_s >= again.good_after_s  # then its clock was set, most likely
            stopping.wait(again.next_delay_s(rng, _AGAIN_AT_MOST_S if is_denied and not was_good else 0.0))

    def _follow(self, one: AskedCamera, stopping: threading.Event) -> None:
        """Pull until it is over; raises OnvifError when the camera refuses, fails or forgets."""
        port, path = find_service(one.host, (ipaddress.ip_network(one.host),), self._clock, self._discovery_port)
        with Device(one.host, one.login, self._clock, port, path) as device:
            point = device.subscribe(_LASTING_S)
            logger.info("%s: its own motion events are listened to", one.camera)
            renew_s = self._clock.monotonic_s() + _RENEW_S
            while not stopping.is_set():
                asked_s = self._clock.monotonic_s()
                notices = device.pull(point, _WAITING_S)
                if any(notice.active for notice in notices) and not stopping.is_set():
                    self._says(one.camera, self._clock.now_s())
                if self._clock.monotonic_s() >= renew_s:
                    with suppress(OnvifFault):  # some know no Renew: then the pull point ends by itself, and a new one is made
                        device.renew(point, _LASTING_S)
                    renew_s = self._clock.monotonic_s() + _RENEW_S
                stopping.wait(max(0.0, _LEAST_S - (self._clock.monotonic_s() - asked_s)))
            device.unsubscribe(point)
