"""How good and quick the crop network is on clips it was not trained on, beside OpenCV's HOG and YOLOX-nano on the same boxes.

``python -m benchmarks.crops --json`` prints one JSON object as its last line. People: TUD and SBI, never learned from. Vehicles:
the highways of CDnet and SBI, never learned from, and every training clip with vehicles, each judged by a network that was
trained without it (kept in build/folds; needs the extra `train` the first time). "False" counts whatever is not the class: empty
places, the other class, a dog. Each judge gets the lowest score at which at most 2 % of these pass.
"""

import argparse
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from base import GridpatrolError, ModelError
from benchmarks._hog import OPENCV, hog_weights, square_around
from benchmarks._machine import machine
from detect import CropNetwork, Detector, check, cut_crops, list_cards
from detect.cards import MODELS_FOLDER, read_card
from detect.networks import EIGHT_BITS, EMBEDDED
from fleet.training.clips import TRAINING_CLIPS, read_frames
from fleet.training.dataset import LABELS
from fleet.training.folds import LEFT_OUT, fold_network
from fleet.training.gather import Sources
from fleet.training.int8 import make_int8
from fleet.training.known import UNSEEN, KnownPicture, clip_pictures, crops_of, unseen_pictures
from fleet.training.teacher import PERSON, VEHICLE, label_clip, load_teacher

MOST_FALSE = 0.02
RULES_SCORE = 0.8  # what a rule is advised to ask of a track
HEIGHTS_PX = ((0, 24), (24, 48), (48, 96), (96, 4000))
FEWEST = 20  # things of a class and height worth a line
AT_MOST = 400  # crops of a clip and label, so that no clip outweighs the others
SAME_IOU = 0.3  # of a box and a detection that are about the same thing
BATCH = 64
Score = NDArray[np.float32]
Columns = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Judged:
    """Boxes of one clip: `label` int64 (N,), `height_px` f32 (N,), `score` f32 (N, C) by the crop network."""

    clip: str
    label: NDArray[np.int64]
    height_px: NDArray[np.float32]
    score: Score


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("GRIDPATROL_TEST_DATA", "../shared"))
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--weights", type=Path, default=Path(os.environ.get("GRIDPATROL_WEIGHTS", shared / "weights")))
    parser.add_argument("--build", type=Path, default=Path("build"), help="where folds and the teacher's labels are kept")
    parser.add_argument("--json", action="store_true", help="one line of JSON only")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    try:
        result = measure(Sources(options.data, options.weights, options.build / "training"), options.build)
    except (GridpatrolError, FileNotFoundError) as error:
        print(json.dumps({"skipped": f"{error}; GRIDPATROL_TEST_DATA names the folder with data/ and weights/"}))
        return 0
    if not options.json:
        rows = result["classes"]
        for row in rows if isinstance(rows, list) else ():
            print("{clip:28} {label:8} {height:>7} recall {recall:.3f} false {false:.3f} of {count}".format(**row))
    print(json.dumps(result, ensure_ascii=False))
    return 0


def measure(sources: Sources, build: Path) -> dict[str, object]:
    """Every figure of this page."""
    card = read_card(MODELS_FOLDER / f"{EMBEDDED}.toml")
    network = CropNetwork(card, check(card, MODELS_FOLDER))
    unseen = {name: list(unseen_pictures(name, sources.data)) for name in UNSEEN}
    people = [name for name in unseen if name.startswith("TUD")]
    judged = [_judge(name, pictures, network) for name, pictures in unseen.items()]
    person_score = _threshold(judged, PERSON)
    left_out, problem = _left_out(sources, build / "folds")
    vehicles = [one for one in judged if (one.label == VEHICLE).any()] + left_out
    vehicle_score = _threshold(judged + left_out, VEHICLE)
    figures: dict[str, object] = {
        "ms_per_crop": _ms_per_crop(network, unseen["TUD-Stadtmitte"]),
        "recall_person": _recall([one for one in judged if one.clip in people], PERSON, person_score),
        "recall_vehicle": _mean([_recall([one], VEHICLE, vehicle_score) for one in vehicles]),
        "recall_person_sbi": _recall([one for one in judged if one.clip not in people], PERSON, person_score),
        "recall_vehicle_unseen": _mean([_recall([one], VEHICLE, vehicle_score) for one in vehicles if one.clip in unseen]),
        "recall_vehicle_by_clip": {one.clip: _recall([one], VEHICLE, vehicle_score) for one in vehicles},
        "person_score": round(person_score, 3),
        "vehicle_score": round(vehicle_score, 3),
        "at_rules_score": {
            "score": RULES_SCORE,
            "recall_person": _recall([one for one in judged if one.clip in people], PERSON, RULES_SCORE),
            "false_person": _false(judged, PERSON, RULES_SCORE),
            "recall_vehicle": _mean([_recall([one], VEHICLE, RULES_SCORE) for one in vehicles]),
            "false_vehicle": _false(judged + left_out, VEHICLE, RULES_SCORE),
        },
        "dog_called_person": _false([one for one in judged if one.clip == "dog"], PERSON, person_score),
        "left_out": problem or list(LEFT_OUT),
    }
    figures |= _int8(unseen, people, sources, build)
    figures |= _hog(unseen, people, build)
    figures |= _yolox(unseen, people, sources.weights)
    figures["classes"] = [row for one in judged + left_out for row in _rows(one, (person_score, vehicle_score))]
    versions = ("onnxruntime", "opencv-python-headless", "numpy")
    figures["versions"] = {name: importlib.metadata.version(name) for name in versions} | {"network": network.card.sha256[:12]}
    figures["machine"] = machine()
    return figures


def _judge(clip: str, pictures: Iterable[KnownPicture], network: CropNetwork) -> Judged:
    known = crops_of(clip, pictures)
    rng = np.random.default_rng(0)
    rows = [rng.permutation(np.flatnonzero(known.label == label))[:AT_MOST] for label in range(len(LABELS))]
    keep = np.sort(np.concatenate(rows))
    return Judged(clip, known.label[keep], known.height_px[keep], network.classify(known.crop[keep]))


def _left_out(sources: Sources, folds: Path) -> tuple[list[Judged], str]:
    """Each training clip with vehicles, judged by the network trained without it; or why that cannot be had."""
    teacher = load_teacher(sources.weights)
    judged = []
    for clip in (clip for clip in TRAINING_CLIPS if clip.name in LEFT_OUT):
        try:
            network = fold_network(clip.name, sources, folds)
        except ModelError as error:
            return [], str(error)
        labelled = label_clip(clip, sources.data, teacher, sources.cache)
        judged.append(_judge(clip.name, clip_pictures(labelled, read_frames(sources.data / clip.path, clip.step)), network))
    return judged, ""


def _threshold(judged: Sequence[Judged], label: int) -> float:
    """The lowest score at which at most 2 % of what is not `label` passes."""
    return lowest_score(np.concatenate([one.score[one.label != label, label] for one in judged]))


def lowest_score(other: Columns) -> float:
    """The lowest score that at most 2 % of `other` (N,) reach."""
    ranked = np.sort(other)[::-1]
    first_out = float(ranked[min(int(MOST_FALSE * len(ranked)), len(ranked) - 1)])
    return float(np.nextafter(np.float32(first_out), np.float32(np.inf)))


def _recall(judged: Sequence[Judged], label: int, score: float) -> float:
    right = [one.score[one.label == label, label] >= score for one in judged]
    return _mean(np.concatenate(right).tolist()) if right else 0.0


def _false(judged: Sequence[Judged], label: int, score: float) -> float:
    return _mean(np.concatenate([one.score[one.label != label, label] >= score for one in judged]).tolist())


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if len(values) else 0.0


def _rows(one: Judged, scores: tuple[float, float]) -> list[dict[str, object]]:
    """A line for each class and height of a clip, at the scores of 2 % false in all."""
    rows: list[dict[str, object]] = []
    for label, score in zip((PERSON, VEHICLE), scores, strict=True):
        for low, high in ((0, 4000), *HEIGHTS_PX):
            here = (one.height_px >= low) & (one.height_px < high)
            called = one.score[:, label] >= score
            count = int((here & (one.label == label)).sum())
            if count >= FEWEST:
                others = called[here & (one.label != label)]
                rows.append(
                    {
                        "clip": one.clip,
                        "label": LABELS[label],
                        "height": "all" if (low, high) == (0, 4000) else f"{low}-{high}" if high < 4000 else f"{low}-",
                        "recall": _mean(called[here & (one.label == label)].tolist()),
                        "false": _mean(others.tolist()),
                        "count": count,
                    }
                )
    return rows


def _ms_per_crop(network: CropNetwork, pictures: Sequence[KnownPicture]) -> float:
    """Cutting and judging, a crop, in batches of 64 over eight pictures, best of thirty; one thread."""
    grey = [np.asarray(cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2GRAY), np.uint8) for picture in pictures[:8]]
    each = BATCH // len(grey)
    box = [np.resize(picture.box, (each, 4)) for picture in pictures[:8]]
    took = []
    for _ in range(30):
        began_s = time.perf_counter()
        network.classify(np.concatenate([cut_crops(luma, here) for luma, here in zip(grey, box, strict=True)]))
        took.append(time.perf_counter() - began_s)
    return round(min(took) / BATCH * 1000, 4)


def _int8(unseen: dict[str, list[KnownPicture]], people: Sequence[str], sources: Sources, build: Path) -> dict[str, object]:
    """The network in eight bits, made into `build` where it is not there, on the clips that were never learned from."""
    full = read_card(MODELS_FOLDER / f"{EMBEDDED}.toml")
    path = build / "int8" / f"{EIGHT_BITS}-{full.sha256[:12]}.onnx"
    if not path.with_suffix(".toml").is_file():
        try:
            make_int8(MODELS_FOLDER / full.file, path, sources)
        except ModuleNotFoundError as error:
            return {"int8_recall_person": None, "int8": f"not made: {error.name} is not installed (extra train)"}
    card = read_card(path.with_suffix(".toml"))
    network = CropNetwork(card, check(card, path.parent))
    judged = [_judge(name, pictures, network) for name, pictures in unseen.items()]
    vehicles = [one for one in judged if (one.label == VEHICLE).any()]
    vehicle_score = _threshold(judged, VEHICLE)
    return {
        "int8_ms_per_crop": _ms_per_crop(network, unseen["TUD-Stadtmitte"]),
        "int8_recall_person": _recall([one for one in judged if one.clip in people], PERSON, _threshold(judged, PERSON)),
        "int8_recall_vehicle_unseen": _mean([_recall([one], VEHICLE, vehicle_score) for one in vehicles]),
    }


def _hog(unseen: dict[str, list[KnownPicture]], people: Sequence[str], build: Path) -> dict[str, object]:
    """OpenCV's people detector on the same boxes, each brought to the size it wants."""
    squares, is_person, counts = [], [], []
    for clip, known in unseen.items():
        for picture in known[:: 1 if clip in people else 3]:
            grey = np.asarray(cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2GRAY), np.uint8)
            squares += [square_around(grey, box) for box in picture.box]
            is_person += (picture.label == PERSON).tolist()
            counts += [clip in people] * len(picture.box)
    try:
        weight, each_ms = hog_weights(np.stack(squares), build)
    except OSError as error:
        return {"hog_recall_person": None, "hog": str(error)}
    person = np.array(is_person)
    found = weight[person & np.array(counts)] >= lowest_score(weight[~person])
    return {"hog_recall_person": _mean(found.tolist()), "hog_ms_per_crop": round(each_ms, 3), "hog": OPENCV}


def _yolox(unseen: dict[str, list[KnownPicture]], people: Sequence[str], weights: Path) -> dict[str, object]:
    """YOLOX-nano on the whole pictures: the best score of a detection that overlaps the box."""
    card = next(card for card in list_cards() if card.name == "yolox_nano_416")
    values = {name: getattr(card, name) for name in type(card).__dataclass_fields__} | {"min_score": 0.01}
    detector = Detector(type(card)(**values), check(card, weights))

    def scorer(label: str) -> Callable[[KnownPicture], Columns]:
        wanted = detector.labels.index(label)

        def score(picture: KnownPicture) -> Columns:
            found = detector.detect(picture.bgr)
            mine = found.label == wanted
            return _best_overlapping(picture.box, found.box[mine], found.score[mine])

        return score

    vehicles = [name for name, pictures in unseen.items() if any((picture.label == VEHICLE).any() for picture in pictures)]
    person, each_ms, _ = _beside(unseen, people, PERSON, scorer("person"))
    vehicle, _, _ = _beside(unseen, vehicles, VEHICLE, scorer("vehicle"))
    return {
        "yolox_nano_recall_person": person,
        "yolox_nano_recall_vehicle_unseen": vehicle,
        "yolox_nano_ms": round(each_ms, 2),
    }


def _beside(
    unseen: dict[str, list[KnownPicture]], clips: Sequence[str], label: int, score: Callable[[KnownPicture], Columns]
) -> tuple[float, float, float]:
    """Recall of another judge in `clips` at 2 % false over all, milliseconds a picture, boxes a picture."""
    there: list[Columns] = []
    other: list[Columns] = []
    took_s, pictures, boxes = 0.0, 0, 0
    for clip, known in unseen.items():
        for picture in known[:: 1 if clip in clips else 2]:
            began_s = time.perf_counter()
            got = score(picture)
            took_s += time.perf_counter() - began_s
            pictures, boxes = pictures + 1, boxes + len(got)
            other.append(got[picture.label != label])
            if clip in clips:
                there.append(got[picture.label == label])
    recall = _mean((np.concatenate(there) >= lowest_score(np.concatenate(other))).tolist())
    return recall, took_s / pictures * 1000, boxes / pictures


def _best_overlapping(box: Columns, found: Columns, score: Columns) -> Columns:
    """For each box (N, 4) the best score of those found (M, 4) that overlap it enough, else 0."""
    low = np.maximum(box[:, None, :2], found[None, :, :2])
    high = np.minimum(box[:, None, 2:], found[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    area = (box[:, 2:] - box[:, :2]).prod(axis=1)[:, None] + (found[:, 2:] - found[:, :2]).prod(axis=1)[None] - both
    return np.asarray(np.where(both / np.maximum(area, 1e-9) >= SAME_IOU, score[None], 0).max(axis=1, initial=0), np.float32)


if __name__ == "__main__":
    sys.exit(main())
