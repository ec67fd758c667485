"""Training: the pieces that decide what the crop network learns, and the way from PyTorch into a file that loads."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from detect.cards import read_card
from detect.networks import CropNetwork
from fleet.training.card import card_text
from fleet.training.clips import TRAINING_CLIPS
from fleet.training.cutouts import Cutout, paste, vary_person
from fleet.training.dataset import LABELS, Crops, empty_boxes, jittered
from fleet.training.figures import draw_figure
from fleet.training.measure import KnownCrops, measure
from fleet.training.regions import OTHER, name_regions
from fleet.training.teacher import PERSON, VEHICLE, overlap
from fleet.training.textures import draw_clutter, draw_ground, draw_light


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
    assert difference(deployed, network.classify) < 1e-4
    again = export(fit(crops, epochs=1, seed=1, threads=1), tmp_path / "again.onnx")
    assert difference(again, network.classify) < 1e-6  # the same seed gives the same network
