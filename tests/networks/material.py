"""What the tests of this folder share: tiny networks with their cards, and where the real data and networks lie."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from detect.cards import Card, Classes, Colour, Fit, Input
from detect.heads import Head

TESTDATA = Path(__file__).parent / "testdata"
ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GRIDPATROL_TEST_DATA", ROOT.parent / "shared"))
WEIGHTS = Path(os.environ.get("GRIDPATROL_WEIGHTS", DATA / "weights"))

LABELS = ("person", "vehicle", "other")


def card_of(data: bytes, name: str = "tiny") -> Card:
    """A card that fits these bytes, for a crop network of three labels."""
    return Card(
        name=name,
        file=f"{name}.onnx",
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=max(1, len(data)),
        url="",
        origin="made by the tests",
        licence="Apache-2.0",
        head=Head.CROP,
        labels=LABELS,
        latency_ms=0.0,
        latency_on="",
        input=Input(64, 64, Colour.GREY),
    )


def yolox_card(data: bytes) -> Card:
    """A card for the tiny YOLOX."""
    return replace(
        card_of(data, "yolox_tiny"),
        head=Head.YOLOX,
        labels=("man", "cart"),
        input=Input(32, 32, Colour.BGR, Fit.CORNER, pad=114.0),
        classes=Classes(person=("man",), vehicle=("cart",)),
    )


def card_toml(card: Card) -> str:
    """The card as its operator would write it."""
    labels = ", ".join(f'"{label}"' for label in card.labels)
    return f"""\
name = "{card.name}"
file = "{card.file}"
sha256 = "{card.sha256}"
bytes = {card.bytes}
url = "{card.url}"
origin = "{card.origin}"
licence = "{card.licence}"
head = "{card.head}"
labels = [{labels}]
[input]
height_px = {card.input.height_px}
width_px = {card.input.width_px}
colour = "{card.input.colour}"
fit = "{card.input.fit}"
pad = {card.input.pad}
[classes]
person = {list(card.classes.person)}
vehicle = {list(card.classes.vehicle)}
"""


def tiny(name: str) -> bytes:
    return (TESTDATA / f"{name}.onnx").read_bytes()


def clip_or_skip(path: str) -> Path:
    """A clip or label file of the test data; skips the test where it is missing."""
    found = DATA / "data" / path
    if not found.exists():
        pytest.skip(f"{path} is not among the test data; set GRIDPATROL_TEST_DATA")
    return found


def weights_or_skip(file: str) -> Path:
    """The folder with the public networks; skips the test where `file` is not in it."""
    if not (WEIGHTS / file).is_file():
        pytest.skip(f"{file} is not here; set GRIDPATROL_WEIGHTS")
    return WEIGHTS
