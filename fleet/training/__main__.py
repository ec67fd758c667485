"""`python -m fleet.training --data DATA --out models/crop_v1.onnx`: one seeded command from clips to a network and its card."""

import argparse
import importlib.metadata
import logging
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from base.errors import GridpatrolError, ModelError
from detect.cards import MODELS_FOLDER, Accuracy, read_card
from detect.networks import CropNetwork
from fleet.training.card import card_text
from fleet.training.gather import Sources, gather
from fleet.training.measure import measure, scene_crops, table, unseen_crops
from fleet.training.network import difference, export, fit
from fleet.training.scenes import draw_scenes

logger = logging.getLogger("fleet.training")

HELD_OUT_SCENES = 1000  # added to a scene's variant: drawn the same way, never learned from


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, write; 0 when the network and its card were written, 1 when something is missing."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        _train(options)
    except (GridpatrolError, FileNotFoundError) as error:
        logger.error("%s", error)
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fleet.training", description="Train the embedded crop network.")
    parser.add_argument("--data", type=Path, required=True, help="folder with video/, mot/ and motion/")
    weights = Path(os.environ.get("GRIDPATROL_WEIGHTS", "weights"))
    parser.add_argument("--weights", type=Path, default=weights, help="folder with the teacher, yolox_nano_416.onnx")
    parser.add_argument("--out", type=Path, default=MODELS_FOLDER / "crop_v1.onnx")
    parser.add_argument("--cache", type=Path, help="folder that keeps the teacher's labels between runs")
    parser.add_argument("--hold-out", default="", help="name of a clip to leave out of training")
    parser.add_argument("--made", type=int, default=4000, help="about a fifth of the crops that are pasted and drawn")
    parser.add_argument("--scenes", type=int, default=2, help="variants of each drawn scene in each light")
    parser.add_argument("--epochs", type=int, default=13)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(arguments)


def _train(options: argparse.Namespace) -> None:
    began_s = time.monotonic()
    sources = Sources(options.data, options.weights, options.cache)
    crops = gather(sources, options.made, options.scenes, options.seed, options.hold_out)
    logger.info("%d crops after %.0f s: %s", len(crops.label), time.monotonic() - began_s, crops.counted())
    net = fit(crops, options.epochs, options.seed, options.threads)
    deployed = export(net, options.out)
    logger.info("%s written after %.0f s", options.out, time.monotonic() - began_s)
    network = _write_card(options, options.scenes > 0)
    if (apart := difference(deployed, network.judge)) > 1e-4:
        raise ModelError(f"{options.out}: ONNX Runtime and PyTorch differ by {apart:.1e} in probability")


def _write_card(options: argparse.Namespace, drawn: bool) -> CropNetwork:
    """Card first without figures, so that the network loads as it will in use; then measured, then the whole card."""
    numbers = f"--made {options.made} --scenes {options.scenes} --epochs {options.epochs} --seed {options.seed}"
    command = f"python -m fleet.training --data DATA {numbers}" + (f" --hold-out {options.hold_out}" if options.hold_out else "")
    path = options.out.with_suffix(".toml")
    runtime = f"ONNX Runtime {importlib.metadata.version('onnxruntime')}"
    machine = f"one thread of {platform.machine()} ({os.cpu_count()} cores), {runtime}, CPU, batch 64"
    path.write_text(card_text(options.out, drawn, (), 0.0, machine, command), "utf-8")
    network = CropNetwork(read_card(path), options.out.read_bytes())
    rows = _measured(network, options, drawn)
    logger.info("not learned from:\n%s", table(rows))
    path.write_text(card_text(options.out, drawn, rows, _latency_ms(network), machine, command), "utf-8")
    return network


def _measured(network: CropNetwork, options: argparse.Namespace, drawn: bool) -> tuple[Accuracy, ...]:
    tests = unseen_crops(options.data)
    if drawn:
        tests.append(scene_crops("drawn scenes, other variants", draw_scenes(1, HELD_OUT_SCENES, ("gate",), ("day", "night"))))
    return tuple(row for test in tests for row in measure(network.classify, test))


def _latency_ms(network: CropNetwork) -> float:
    """Milliseconds for one look at a crop, best of two hundred batches of 64."""
    crops: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (64, 64, 64), np.uint8)
    took = []
    for _ in range(200):
        began_s = time.perf_counter()
        network.judge(crops)
        took.append(time.perf_counter() - began_s)
    return min(took) / len(crops) * 1000


if __name__ == "__main__":
    raise SystemExit(main())
