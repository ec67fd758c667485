"""Mutations for runs without a coverage-guided fuzzer, and the one that such a fuzzer hardly ever finds."""

import random
from collections.abc import Iterator

__all__ = ["mutated", "stretched"]

# Delimiters, and numbers and nestings that are too large.
_ODD = (
    b"\0",
    b"\xff",
    b"\r\n",
    b"\n\n",
    b"$",
    b'"',
    b"=",
    b";",
    b":",
    b"//",
    b"0",
    b"-1",
    b"99999999999",
    b"1e999",
    b"nan",
    b"[" * 500,
)


def stretched(data: bytes, most: int, times: int, seed: int = 1) -> Iterator[bytes]:
    """`data` with some part of it repeated until it is `most` bytes long: what finds parsers that take the square of a length."""
    lot = random.Random(f"{seed} {data!r}")
    for _ in range(times if data else 0):
        start = lot.randrange(len(data))
        part = data[start : start + lot.choice((1, 1, 2, 4, 8, 16, 64))]
        rest = max(0, most - len(data))
        yield data[:start] + part * (rest // len(part)) + data[start:]


def mutated(inputs: list[bytes], times: int, seed: int = 1) -> Iterator[bytes]:
    """`times` variants of the inputs, some with parts of another; the same seed gives the same."""
    lot = random.Random(seed)
    for _ in range(times):
        data = lot.choice(inputs)
        for _ in range(lot.randint(1, 4)):
            data = _edited(data, lot.choice(inputs), lot)
        yield data


def _edited(data: bytes, other: bytes, lot: random.Random) -> bytes:
    start = lot.randint(0, len(data))
    end = min(len(data), start + lot.choice((0, 1, 1, 2, 4, 16, 64)))
    from_other = lot.randint(0, len(other))
    new = lot.choice(
        (
            b"",  # cut out
            data[start:end] * 2,
            lot.randbytes(lot.randint(1, 4)),
            lot.choice(_ODD),
            other[from_other : from_other + lot.choice((1, 4, 16, 256))],
            bytes(byte ^ 1 << lot.randrange(8) for byte in data[start:end]),
        )
    )
    return data[:start] + new + data[end:]
