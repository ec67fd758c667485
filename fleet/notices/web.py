"""HTTP as webhooks and robots need it: one POST to exactly the configured address, with a deadline, led nowhere else."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import httpx

from base import printable
from fleet.notices.sender import DEADLINE_S, MessageRefused, MessageRejected, TargetDown

__all__ = ["Answer", "post"]

_ANSWER_MOST = 64 * 1024  # bytes of an answer that are read
_AGENT = "gridpatrol"
_DOWN = frozenset({401, 402, 403, 404, 405, 407, 408, 410, 425, 429, 502, 503, 504})
"""Answers that say something of the receiver or of the way to it, not of the message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered; `body` is cut off after _ANSWER_MOST bytes."""

    status: int
    body: bytes


async def post(
    url: str, body: bytes, headers: Mapping[str, str], secrets: Collection[str] = (), deadline_s: float = DEADLINE_S
) -> Answer:
    """POST `body` to `url` and nowhere else; the answer if it is a success, or 409: known already. Raises SendError.

    No redirect is followed and no proxy of the environment is used. None of `secrets`, which may be part of the address, ever
    appears in an error.
    """
    try:
        async with asyncio.timeout(deadline_s):
            answer = await _post(url, body, headers)
    except TimeoutError:
        raise TargetDown(f"no complete answer within {deadline_s:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise TargetDown(_clean(f"{type(error).__name__}: {error}", secrets)) from None
    status, said = answer.status, _clean(answer.body[:200].decode("utf-8", "replace"), secrets)
    if 200 <= status < 300 or status == 409:
        return answer
    sentence = f"answered {status}: {said}" if said else f"answered {status}"
    if 300 <= status < 400:
        raise TargetDown(f"{sentence}; redirects are not followed, configure the address it leads to")
    if status in _DOWN:
        raise TargetDown(sentence)
    if status < 500:
        raise MessageRejected(sentence)
    raise MessageRefused(sentence)


async def _post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    limits = httpx.Timeout(DEADLINE_S)
    async with (
        httpx.AsyncClient(timeout=limits, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", url, content=body, headers={"User-Agent": _AGENT, **headers}) as answer,
    ):
        read = bytearray()
        async for chunk in answer.aiter_raw():  # never unpacked: a small answer may be a large one in disguise
            read += chunk
            if len(read) >= _ANSWER_MOST:
                break
        return Answer(answer.status_code, bytes(read[:_ANSWER_MOST]))


def _clean(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "•••")
    return printable(" ".join(text.split()))[:300]
