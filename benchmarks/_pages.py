"""Open pages in a process of their own: each follows the updates and notes when it heard of which version of which incident."""

import asyncio
import multiprocessing
import re
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Pages"]

Heard = list[tuple[str, int, float]]
"""Incident, version, monotonic time; one list per page. That clock is the same in all processes of a machine."""

_INCIDENT = re.compile(r'^{"type":"incident","seq":\d+,"incident":{"id":"([\w-]{36})".*?"version":(\d+),')


class Pages:
    """One page for each session on the server at `url`; `close` returns what each heard."""

    def __init__(self, url: str, sessions: Sequence[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_follow, args=(url, sessions, theirs), name="pages")
        self._process.start()
        assert self._ours.recv() == "open"

    def close(self, quiet_s: float = 2.0) -> list[Heard]:
        """Wait until no page hears anything more for `quiet_s`, and end."""
        self._ours.send(quiet_s)
        heard: list[Heard] = self._ours.recv()
        self._process.join(30)
        return heard


def _follow(url: str, sessions: Sequence[str], told: Connection) -> None:
    asyncio.run(_run(url, sessions, told))


async def _run(url: str, sessions: Sequence[str], told: Connection) -> None:
    heard: list[Heard] = [[] for _ in sessions]
    origin = url.replace("ws:", "http:")
    pages = [
        await connect(
            f"{url}/api/v1/updates",
            additional_headers={"Cookie": f"gridpatrol_session={session}", "Origin": origin},
            compression=None,
        )
        for session in sessions
    ]
    listening = [asyncio.create_task(_listen(page, notes)) for page, notes in zip(pages, heard, strict=True)]
    told.send("open")
    quiet_s = await asyncio.to_thread(told.recv)
    before = -1
    while sum(map(len, heard)) != before:
        before = sum(map(len, heard))
        await asyncio.sleep(quiet_s)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    told.send(heard)


async def _listen(page: ClientConnection, notes: Heard) -> None:
    async for text in page:
        found = _INCIDENT.match(str(text))
        if found:
            notes.append((found[1], int(found[2]), time.monotonic()))
