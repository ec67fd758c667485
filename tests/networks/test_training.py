"""Training: the pieces that decide what the crop network learns, and the way from PyTorch into a file that loads."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from base import ModelError
from benchmarks.crops import lowest_score
from detect.cards import MODELS_FOLDER, read_card
from detect.networks import EMBEDDED, CropNetwork
from fleet.training.card import card_text
from fleet.training.clips import TRAINING_CLIPS
from fleet.training.cutouts import Cutout, paste, vary_person
from fleet.training.dataset import LABELS, Crops, _parts, empty_boxes, jittered
from fleet.training.figures import draw_figure
from fleet.training.folds import LEFT_OUT, fold_network
from fleet.training.gather import Sources
from fleet.training.infrared import lit_by_infrared, under_infrared
from fleet.training.known import KnownCrops
from fleet.training.markings import draw_marking
from fleet.training.measure import measure
from fleet.training.pastes import _entering
from fleet.training.regions import OTHER, name_regions
from fleet.training.teacher import PERSON, VEHICLE, overlap
from fleet.training.textures import draw_clutter, draw_ground, draw_light
from fleet.training.things import draw_animal, draw_thing
from fleet.training.vehicles import draw_vehicle


def test_clips_kept_for_testing_are_not_learned_from() -> None:
    for clip in TRAINING_CLIPS:
        assert not clip.path.startswith(("mot/", "motion/"))
        assert clip.licence in ("CC-BY-4.0", "MIT", "BSD-2-Clause") and clip.attribution


def test_a_drawn_figure_is_somebody_upright_and_each_is_another() -> None:
    figures = [draw_figure(np.random.default_rng(seed)) for seed in range(12)]
    assert len({figure.grey.tobytes() for figure in figures}) == 12
    for figure in figures:
        assert figure.label == PERSON and figure.grey.shape == figure.alpha.shape
        assert 0.15 < figure.alpha.mean() < 0.9 and figure.alpha.max() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("draw", "label"), [(draw_animal, OTHER), (draw_thing, OTHER), (draw_vehicle, VEHICLE)])
def test_what_is_drawn_besides_people_is_whole_and_each_is_another(
    draw: Callable[[np.random.Generator], Cutout], label: int
) -> None:
    drawn = [draw(np.random.default_rng(seed)) for seed in range(25)]
    assert len({one.grey.tobytes() for one in drawn}) == 25
    for one in drawn:
        assert one.label == label and one.grey.shape == one.alpha.shape and min(one.grey.shape) >= 8
        assert 0.05 < one.alpha.mean() <= 1


def test_a_mark_changes_its_ground_and_each_is_another() -> None:
    grounds = [draw_ground(70, np.random.default_rng(seed)) for seed in range(40)]
    marked = [draw_marking(ground, np.random.default_rng(seed)) for seed, ground in enumerate(grounds)]
    assert len({one.tobytes() for one in marked}) == 40
    changed = [float((one != ground).mean()) for one, ground in zip(marked, grounds, strict=True)]
    assert all(one.shape == (70, 70) and one.dtype == np.uint8 for one in marked)
    assert np.median(changed) > 0.05 and np.count_nonzero(changed) >= 36, "a mark may lie outside, or be as bright as its ground"


def test_of_a_vehicle_cut_off_by_the_border_the_crop_repeats_the_last_of_it() -> None:
    thing = Cutout(np.tile(np.arange(40, 200, 2, dtype=np.uint8), (40, 1)), np.ones((40, 80), np.float32), VEHICLE, "test")
    sides = set()
    for seed in range(20):
        ground = _entering(np.full((100, 100), 250, np.uint8), thing, np.random.default_rng(seed))
        for turns in range(4):
            outside = np.rot90(ground, turns)[:, 92:]
            if (outside == outside[:, :1]).all() and (outside < 240).any():
                sides.add(turns)
        assert (ground < 240).mean() > 0.1, "what is left of it fills the crop"
    assert sides == {0, 1, 2, 3}


def test_under_infrared_the_ground_is_dark_and_whoever_is_near_is_pale() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        ground = draw_ground(80, rng)
        dark = under_infrared(ground, rng)
        assert dark.shape == ground.shape and dark.mean() < ground.mean() + 30
        somebody = lit_by_infrared(draw_figure(rng), rng)
        solid = somebody.grey[somebody.alpha > 0.9]
        assert solid.mean() > 90 and np.ptp(np.percentile(solid, (10, 90))) < 120


def test_small_parts_of_large_things_are_other_but_never_heads() -> None:
    box = np.tile(np.array([[0.3, 0.1, 0.5, 0.9]], np.float32), (200, 1))
    part = _parts(box, np.full(200, PERSON, np.int32), 640, 360, np.random.default_rng(0))
    assert 40 < len(part) < 110
    middle = (part[:, 1] + part[:, 3]) / 2
    assert (middle >= 0.5 - 1e-6).all()
    assert ((part[:, 3] - part[:, 1]) <= 0.3 * 0.8 + 1e-6).all()
    small = box * np.array([1, 1, 0.65, 0.3], np.float32)
    assert len(_parts(small, np.full(200, PERSON, np.int32), 640, 360, np.random.default_rng(0))) == 0


def test_a_fold_that_is_not_there_asks_for_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fleet.training.network", None)
    with pytest.raises(ModelError, match="is not installed to train it"):
        fold_network("intel_car-detection", Sources(tmp_path, tmp_path, None), tmp_path)


def test_folds_are_those_of_training_clips() -> None:
    assert set(LEFT_OUT) <= {clip.name for clip in TRAINING_CLIPS}


def test_the_network_of_eight_bits_says_nearly_the_same(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the extra train is not installed")
    from detect.quantise import quantise
    from fleet.training.int8 import write_card

    rng = np.random.default_rng(3)
    crop = np.stack([cv2.resize(draw_ground(90, rng), (64, 64)) for _ in range(96)]).astype(np.uint8)
    out = tmp_path / "crop_v1_int8.onnx"
    quantise(MODELS_FOLDER / f"{EMBEDDED}.onnx", crop, out)
    write_card(MODELS_FOLDER / f"{EMBEDDED}.toml", out)
    card = read_card(out.with_suffix(".toml"))
    full = read_card(MODELS_FOLDER / f"{EMBEDDED}.toml")
    assert card.name == "crop_v1_int8" and card.bytes < 0.5 * full.bytes and card.accuracy == ()
    eight = CropNetwork(card, out.read_bytes()).classify(crop)
    whole = CropNetwork(full, (MODELS_FOLDER / full.file).read_bytes()).classify(crop)
    assert (eight.argmax(axis=1) == whole.argmax(axis=1)).mean() > 0.9


def test_the_lowest_score_lets_one_in_fifty_others_pass() -> None:
    other = np.linspace(0, 1, 1000, dtype=np.float32)
    score = lowest_score(np.random.default_rng(0).permutation(other))
    assert (other >= score).sum() == 20
    assert lowest_score(np.full(100, 0.25, np.float32)) > 0.25


def test_the_same_seed_draws_the_same() -> None:
    for draw in (draw_clutter, draw_light):
        pictures = [draw(draw_ground(60, np.random.default_rng(5)), np.random.default_rng(6)) for _ in range(2)]
        np.testing.assert_array_equal(pictures[0], pictures[1])
    figures = [vary_person(draw_figure(np.random.default_rng(7)), np.random.default_rng(8)) for _ in range(2)]
    np.testing.assert_array_equal(figures[0].grey, figures[1].grey)


def test_a_paste_changes_only_where_the_thing_is_and_its_shadow() -> None:
    ground = np.full((100, 100), 200, np.uint8)
    thing = Cutout(np.full((40, 20), 30, np.uint8), np.ones((40, 20), np.float32), VEHICLE, "test")
    left, top, right, bottom = paste(ground, thing, 50, 40, 40, np.random.default_rng(0))
    assert (left, top, right, bottom) == (40, 20, 60, 60)
    assert (ground[20:60, 40:60] == 30).all()
    assert (ground[:15] == 200).all() and (ground[80:] == 200).all()


def test_a_paste_over_the_border_is_cut_and_beyond_it_harmless() -> None:
    thing = Cutout(np.zeros((40, 20), np.uint8), np.ones((40, 20), np.float32), PERSON, "test")
    for x, y in ((0, 0), (99, 99), (-300, 50), (50, 400)):
        ground = np.full((100, 100), 200, np.uint8)
        paste(ground, thing, x, y, 40, np.random.default_rng(1))
        assert (ground == 0).any() == (x >= 0 and y <= 99)


def test_jittered_boxes_stay_near_theirs() -> None:
    box = np.repeat(np.array([[0.4, 0.3, 0.5, 0.6]], np.float32), 500, axis=0)
    moved = jittered(box, 640, 360, np.random.default_rng(0))
    shared = overlap(box[:1], moved)[0]
    assert shared.mean() > 0.75 and len(np.unique(moved[:, 0])) > 400


def test_an_empty_box_shows_nobody_even_in_its_context() -> None:
    taken = np.array([[0.5, 0.5, 0.6, 0.7]], np.float32)
    # Far away; beside, but its square reaches into the taken box; inside it
    box = np.array([[0.1, 0.1, 0.2, 0.3], [0.46, 0.45, 0.49, 0.75], [0.52, 0.55, 0.58, 0.65]], np.float32)
    np.testing.assert_array_equal(empty_boxes(box, taken, 640, 360), box[:1])


def test_regions_are_named_by_what_they_show() -> None:
    truth = np.array([[0.2, 0.2, 0.3, 0.6], [0.6, 0.4, 0.9, 0.6]], np.float32)
    label = np.array([PERSON, VEHICLE])
    region = np.array(
        [
            [0.19, 0.18, 0.31, 0.62],  # the person
            [0.58, 0.4, 0.92, 0.62],  # the vehicle
            [0.2, 0.5, 0.3, 0.6],  # a quarter of the person
            [0.05, 0.7, 0.1, 0.8],  # nobody
            [0.0, 0.0, 1.0, 1.0],  # everything, of which nothing fills a fair part
        ],
        np.float32,
    )
    assert name_regions(region, truth, label, 640, 360).tolist() == [PERSON, VEHICLE, -1, OTHER, -1]
    assert name_regions(region, truth[:0], label[:0], 640, 360).tolist() == [OTHER] * 5
    assert name_regions(region[:0], truth, label, 640, 360).tolist() == []


def test_crops_with_missing_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 rows"):
        Crops(np.zeros((1, 64, 64), np.uint8), np.zeros(2, np.int64), ("a", "b"))


def test_recall_and_false_alarms_are_counted_by_height() -> None:
    # The stand-in reads the class from the first pixel
    crop = np.zeros((80, 64, 64), np.uint8)
    crop[:30, 0, 0] = 1  # of 40 small people 30 are recognised
    crop[40:44, 0, 0] = 1  # of 40 other things 4 are taken for people
    label = np.repeat([PERSON, OTHER], 40)
    known = KnownCrops("made", crop, label, np.full(80, 30, np.float32))
    rows = measure(lambda crops: np.eye(3, dtype=np.float32)[np.where(crops[:, 0, 0] == 1, PERSON, OTHER)], known)
    assert [(row.height, row.recall, row.false, row.count) for row in rows] == [("all", 0.75, 0.1, 40), ("24-48", 0.75, 0.1, 40)]


def test_a_trained_network_loads_from_its_file_and_card_and_answers_alike(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra train is not installed")
    pytest.importorskip("onnx", reason="the extra train is not installed")
    from fleet.training.network import difference, export, fit

    rng = np.random.default_rng(0)
    label = np.arange(256) % 3
    crop = rng.integers(0, 40, (256, 64, 64)).astype(np.uint8)
    for row, kind in enumerate(label):
        crop[row, 20 * kind : 20 * kind + 20] += 150
    crops = Crops(crop, label.astype(np.int64), ("made",) * 256)
    deployed = export(fit(crops, epochs=1, seed=1, threads=1), tmp_path / "made.onnx")
    card_path = tmp_path / "made.toml"
    card_path.write_text(card_text(tmp_path / "made.onnx", False, (), 0.1, "a machine", "a command"), "utf-8")
    card = read_card(card_path)
    network = CropNetwork(card, (tmp_path / "made.onnx").read_bytes())
    assert network.labels == LABELS and card.bytes <= 1_000_000
    assert card.sha256 == hashlib.sha256((tmp_path / "made.onnx").read_bytes()).hexdigest()
    assert difference(deployed, network.judge) < 1e-4
    again = export(fit(crops, epochs=1, seed=1, threads=1), tmp_path / "again.onnx")
    assert difference(again, network.judge) < 1e-6  # the same seed gives the same network
