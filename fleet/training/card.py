"""The card that goes with a trained crop network: what it learned from, how it was made, how good it is."""

import hashlib
import textwrap
from pathlib import Path

from detect.cards import Accuracy
from detect.crops import CROP_PX
from fleet.training.clips import TRAINING_CLIPS
from fleet.training.dataset import LABELS

__all__ = ["card_text"]

ABOUT = """\
Judges crops around what moves: person, vehicle or other. A cyclist counts as person, because a person is on it. Five 3x3 \
convolutions (16-32-64-96-128, stride 2) on 64x64 grey, each crop standardised inside the network, scores calibrated; the \
mean with the mirrored crop counts where it is unsure. The teacher was yolox_nano_416 on the clips named above, whole and \
in tiles; people and vehicles were also pasted before other grounds, and drawn, from above, in rooms, behind branches and \
under infrared too, vehicles as solids from every side. Known weak points: animals, loads and two-wheelers were only drawn, \
never filmed, and a dog from close by may pass for a person; a crop cut off by the picture's border, or of people before a \
patterned ground, is less sure; people under 20 pixels are often missed; a small part of a person (an arm) counts as other."""


def card_text(network: Path, drawn: bool, rows: tuple[Accuracy, ...], latency_ms: float, latency_on: str, command: str) -> str:
    """The TOML text of the card for the file at `network`; `rows` as measured, `command` as it can be typed again."""
    data = network.read_bytes()
    sources = [f"{clip.name} ({clip.licence}): {clip.attribution}" for clip in TRAINING_CLIPS]
    sources += ["drawn scenes of ingest/simulate (Apache-2.0)"] if drawn else []
    head = f"""\
# Written by fleet/training. The footage learned from, with its licence and author (CC BY 4.0 asks for this line to be kept):
{textwrap.indent(chr(10).join(sources), "#   ")}
# None of it is in this repository; the network holds no pictures.
# Made by: {command}

name = "{network.stem}"
file = "{network.name}"
sha256 = "{hashlib.sha256(data).hexdigest()}"
bytes = {len(data)}
origin = "trained by this project; command, footage and licences at the top of this card"
licence = "Apache-2.0"
head = "crop"
labels = [{", ".join(f'"{label}"' for label in LABELS)}]
latency_ms = {latency_ms:.3f}
latency_on = "{latency_on}"
about = \"\"\"
{chr(10).join(line + " " + chr(92) for line in textwrap.wrap(ABOUT, 118))}
\"\"\"

[input]
height_px = {CROP_PX}
width_px = {CROP_PX}
colour = "grey"

[classes]
person = ["person"]
vehicle = ["vehicle"]

# At a probability of 0.5 on pictures not learned from; "height" is that of the thing in the picture's pixels; "false" is the
# share of other crops of that height called this. On the highways part of "false" are vehicles that the truth leaves out.
"""
    return head + "\n".join(_row(row) for row in rows)


def _row(row: Accuracy) -> str:
    return f"""\
[[accuracy]]
data = "{row.data}"
label = "{row.label}"
height = "{row.height}"
recall = {row.recall}
false = {row.false}
count = {row.count}
"""
