"""Networks that were trained without one clip, to measure them on that clip; kept on disk, because five of them take minutes."""

import hashlib
from pathlib import Path

from base.errors import ModelError
from detect.cards import check, read_card
from detect.networks import CropNetwork
from fleet.training.card import card_text
from fleet.training.gather import Sources, gather

__all__ = ["LEFT_OUT", "fold_network"]

LEFT_OUT = (
    "intel_car-detection",
    "opendatacam_street_640x360",
    "vehicle_counting_street",
    "bgslibrary_highway_video02",
    "dvrscan_traffic_camera",
)
"""The training clips with vehicles."""
MADE, SCENES, EPOCHS, SEED = 1500, 0, 8, 1  # a shorter course than the committed network's: two minutes of one core each
# Files that do not decide what a network becomes
ASIDE = frozenset({"__init__.py", "__main__.py", "card.py", "folds.py", "int8.py", "known.py", "measure.py"})


def fold_network(left_out: str, sources: Sources, folder: Path) -> CropNetwork:
    """The network trained without the clip `left_out`, from `folder` if it was trained before by the same code.

    Raises ModelError where it is not there and PyTorch is not installed.
    """
    path = folder / f"without-{left_out}-{_code_digest()}.onnx"
    card_path = path.with_suffix(".toml")
    if not card_path.is_file():
        try:
            from fleet.training.network import export, fit
        except ModuleNotFoundError as error:
            raise ModelError(f"{path}: not there, and {error.name} is not installed to train it (extra train)") from None
        folder.mkdir(parents=True, exist_ok=True)
        crops = gather(sources, MADE, SCENES, SEED, left_out)
        export(fit(crops, EPOCHS, SEED, threads=1), path)
        command = f"fleet/training/folds.py without {left_out}"
        card_path.write_text(card_text(path, SCENES > 0, (), 0.0, "not measured", command), "utf-8")
    card = read_card(card_path)
    return CropNetwork(card, check(card, folder))


def _code_digest() -> str:
    """Of all that decides what a network learns, so that none is taken for that of other code."""
    digest = hashlib.sha256(f"{MADE} {SCENES} {EPOCHS} {SEED}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name not in ASIDE:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
