"""How good a camera's stream is, in four words."""

from base.records import Quality

__all__ = ["MUCH_LOSS", "RESTLESS_ENDS", "RESTLESS_STALLS", "SLOW", "grade"]

MUCH_LOSS = 0.01
SLOW = 0.6
RESTLESS_ENDS = 5
RESTLESS_STALLS = 20

# Reconnects and stalls an hour, share of the usual frame rate, loss: bounds of Frigate's connection quality, and loss besides.
_GRADES = (
    (Quality.EXCELLENT, 0, 5, 0.9, 0.001),
    (Quality.FAIR, 2, RESTLESS_STALLS, SLOW, MUCH_LOSS),
    (Quality.POOR, 10, 100, 0.1, 0.2),
)


def grade(reconnects: int, stalls: int, rate: float, loss: float) -> Quality:
    """The grade of a stream that gives media: the best of which it keeps every bound.

    `reconnects` and `stalls` are of the last hour, `rate` is the frame rate as a share of what this camera is used to send,
    `loss` the share of packets lost.
    """
    for quality, ends, pauses, least, most in _GRADES:
        if reconnects <= ends and stalls <= pauses and rate >= least and loss <= most:
            return quality
    return Quality.UNUSABLE
