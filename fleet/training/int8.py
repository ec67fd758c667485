"""`python -m fleet.training.int8 --data DATA`: the crop network with weights and maps of eight bits, and its card.

Static quantisation by ONNX Runtime: the range of each map is taken from crops of the training clips. Needs the extra `train`.
What it loses and gains is measured by `benchmarks/crops.py`.
"""

import argparse
import hashlib
import importlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from base.errors import GridpatrolError
from detect.cards import MODELS_FOLDER, read_card
from detect.networks import EIGHT_BITS, EMBEDDED, CropNetwork
from detect.quantise import quantise
from fleet.training.gather import Sources, gather

__all__ = ["make_int8", "write_card"]

logger = logging.getLogger("fleet.training.int8")

CROPS = 1024  # of those gathered, to find the ranges with
SEED = 1
MADE = 300  # pasted and drawn crops beside those of the clips, see `collect`


def main(arguments: Sequence[str] | None = None) -> int:
    """Quantise the network in `models/`; 0 when the file and its card were written, 1 when something is missing."""
    parser = argparse.ArgumentParser(prog="python -m fleet.training.int8", description="Quantise the embedded crop network.")
    parser.add_argument("--data", type=Path, required=True, help="folder with video/")
    parser.add_argument("--weights", type=Path, default=Path(os.environ.get("GRIDPATROL_WEIGHTS", "weights")))
    parser.add_argument("--cache", type=Path, help="folder that keeps the teacher's labels between runs")
    parser.add_argument("--network", type=Path, default=MODELS_FOLDER / f"{EMBEDDED}.onnx")
    parser.add_argument(
        "--out", type=Path, help=f"default: {EIGHT_BITS}.onnx beside the network; DATA/models/ of an installation"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    out: Path = options.out or options.network.with_name(f"{EIGHT_BITS}.onnx")
    try:
        make_int8(options.network, out, Sources(options.data, options.weights, options.cache))
    except (GridpatrolError, FileNotFoundError) as error:
        logger.error("%s", error)
        return 1
    logger.info("%s written, %d bytes", out, out.stat().st_size)
    return 0


def make_int8(network: Path, out: Path, sources: Sources) -> None:
    """Write `network` in eight bits to `out`, and its card beside it; raises ModuleNotFoundError without `onnx`."""
    importlib.import_module("onnx")  # before minutes are spent
    crops = gather(sources, MADE, 0, SEED)
    pick = np.random.default_rng(SEED).permutation(len(crops.label))[:CROPS]
    out.parent.mkdir(parents=True, exist_ok=True)
    quantise(network, crops.crop[pick], out)
    write_card(network.with_suffix(".toml"), out)


def write_card(of: Path, out: Path) -> None:
    """The card of the network that was quantised, with the new file's name, size and hash, and without the old one's figures."""
    card, data = read_card(of), out.read_bytes()
    text = of.read_text("utf-8").partition("[[accuracy]]")[0]
    for old, new in (
        (f'name = "{card.name}"', f'name = "{EIGHT_BITS}"'),
        (f'file = "{card.file}"', f'file = "{out.name}"'),
        (card.sha256, hashlib.sha256(data).hexdigest()),
        (f"bytes = {card.bytes}", f"bytes = {len(data)}"),
        (f"latency_ms = {card.latency_ms:.3f}", "latency_ms = 0.0"),
        ("# Made by: ", "# Made by: python -m fleet.training.int8 --data DATA from the network of: "),
    ):
        text = text.replace(old, new)
    path = out.with_suffix(".toml")
    path.write_text(text, "utf-8")
    CropNetwork(read_card(path), data)


if __name__ == "__main__":
    raise SystemExit(main())
