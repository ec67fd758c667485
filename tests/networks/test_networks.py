"""Networks: what is refused, with which sentence, and what the sound ones answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from base.errors import ModelError
from detect.cards import Card, Colour, Fit, Input
from detect.heads import Head
from detect.networks import EIGHT_BITS, EMBEDDED, CropNetwork, Detector, fit_picture, load_networks
from detect.onnx_file import inspect_onnx
from tests.networks.material import card_of, card_toml, tiny, yolox_card


def open_crop(name: str) -> CropNetwork:
    return CropNetwork(card_of(tiny(name)), tiny(name))


def test_a_sound_crop_network_answers_with_probabilities_in_order() -> None:
    network = open_crop("crop_sound")
    crops = np.zeros((300, 64, 64), np.uint8)  # more than one call to ONNX Runtime
    crops[:100, :20] = 200  # the tiny network calls the brightest third
    crops[100:200, 22:42] = 200
    crops[200:, 45:] = 200
    probability = network.classify(crops)
    assert probability.shape == (300, 3) and probability.dtype == np.float32
    assert probability.argmax(axis=1).tolist() == [0] * 100 + [1] * 100 + [2] * 100
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-5)


def test_no_crops_cost_no_call() -> None:
    assert open_crop("crop_sound").classify(np.empty((0, 64, 64), np.uint8)).shape == (0, 3)


# File, and what the sentence must say
REFUSED = [
    ("crop_wrong_shape", "expected input tensor(uint8) Nx64x64, it has tensor(uint8) nx32x32"),
    ("crop_nan", "gives values that are no numbers"),
    ("crop_foreign_operator", "uses operators of org.example, which need foreign code"),
    ("crop_external_data", "its weights lie in another file"),
    ("crop_no_softmax", "expected probabilities that sum to 1"),
    ("yolox_tiny", "expected input tensor(uint8) Nx64x64, it has tensor(float) 1x3x32x32"),
]


@pytest.mark.parametrize(("name", "sentence"), REFUSED, ids=[row[0] for row in REFUSED])
def test_an_unfit_network_is_refused_with_a_sentence(name: str, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        open_crop(name)
    assert sentence in str(caught.value) and str(caught.value).startswith("tiny: ")


def test_a_card_with_other_labels_than_the_network_is_refused() -> None:
    data = tiny("crop_sound")
    card = replace(card_of(data), labels=("person", "other"))
    card = replace(card)
    with pytest.raises(ModelError, match=r"expected \(N, 2\) for N crops, got \(3, 3\) for 3"):
        CropNetwork(card, data)


def test_heads_do_not_stand_in_for_each_other() -> None:
    data = tiny("yolox_tiny")
    with pytest.raises(ModelError, match="expected head crop"):
        CropNetwork(yolox_card(data), data)
    with pytest.raises(ModelError, match="expected a detector's head"):
        Detector(card_of(data), data)


def test_an_unknown_provider_is_refused() -> None:
    data = tiny("crop_sound")
    with pytest.raises(ModelError, match="none of AbacusExecutionProvider"):
        CropNetwork(card_of(data), data, ["AbacusExecutionProvider"])


NO_ONNX = [b"", b"\0" * 400, b"PK\x03\x04" + b"\7" * 400, b"\x3a\xff\xff\xff\xff\x0f", b"\xff" * 64, b"\x08\x07", b"\x3b\x00"]


@pytest.mark.parametrize("data", NO_ONNX)
def test_bytes_that_are_no_onnx_file_are_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="tiny: not a readable ONNX file"):
        CropNetwork(card_of(data), data)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200))
def test_random_bytes_are_looked_into_without_harm(data: bytes) -> None:
    try:
        inspect_onnx(data)
    except ModelError:
        return


@settings(deadline=None, max_examples=100)
@example(979, 128)  # the name of a dimension is no text any more
@given(st.integers(0, len(tiny("crop_sound")) - 1), st.integers(1, 255))
def test_a_file_with_one_wrong_byte_is_a_network_or_a_sentence(at: int, change: int) -> None:
    data = bytearray(tiny("crop_sound"))
    data[at] ^= change
    try:
        CropNetwork(card_of(bytes(data)), bytes(data))
    except ModelError:
        return


def test_facts_of_an_onnx_file_are_found() -> None:
    facts = inspect_onnx(tiny("crop_foreign_operator"))
    assert facts.domains == {"", "org.example"} and not facts.has_external_data and facts.nodes == 4
    assert inspect_onnx(tiny("crop_external_data")).has_external_data


# The tiny YOLOX has one thing at 8–24 px of its 32x32 input, whatever the picture
def test_a_detection_comes_back_in_fractions_of_the_picture() -> None:
    data = tiny("yolox_tiny")
    found = Detector(yolox_card(data), data).detect(np.zeros((90, 160, 3), np.uint8))
    assert found.labels == ("person", "vehicle") and found.label.tolist() == [0]
    assert found.score[0] == pytest.approx(0.9)
    # Width 160 → 32: one input pixel is five picture pixels; the picture is 18 input pixels high
    np.testing.assert_allclose(found.box[0], [8 / 32, 8 / 18, 24 / 32, 1.0], atol=1e-6)


def test_below_the_cards_score_nothing_is_detected() -> None:
    data = tiny("yolox_tiny")
    found = Detector(replace(yolox_card(data), min_score=0.95), data).detect(np.zeros((90, 160, 3), np.uint8))
    assert len(found) == 0 and found.box.shape == (0, 4)


# Small graphs with the output layout that the exporters document; no exported file of these heads is among the test data.
# File, head, input, where its thing is in fractions of a picture that fills the input, label, score
PLANTED = [
    ("picodet_tiny", Head.PICODET, Input(64, 64, Colour.BGR), (8 / 64, 24 / 64, 40 / 64, 56 / 64), "vehicle", 0.8),
    ("detr_tiny", Head.DETR, Input(32, 64, Colour.RGB, deviation=(255.0,) * 3), (0.25, 0.0, 0.75, 0.5), "person", 0.98201),
    (
        "detr_sized_tiny",
        Head.DETR_SIZED,
        Input(32, 64, Colour.RGB, deviation=(255.0,) * 3),
        (0.25, 0.0, 0.75, 0.5),
        "vehicle",
        0.9,
    ),
]


def planted(name: str, head: Head, size: Input) -> Detector:
    card = replace(yolox_card(tiny(name)), head=head, input=size)
    return Detector(card, tiny(name))


@pytest.mark.parametrize(("name", "head", "size", "box", "label", "score"), PLANTED, ids=[row[0] for row in PLANTED])
def test_the_layouts_of_other_exports_are_read(
    name: str, head: Head, size: Input, box: tuple[float, ...], label: str, score: float
) -> None:
    """As documented by the makers of PicoDet, RT-DETR and D-FINE; the graphs are made by testdata/make.py."""
    found = planted(name, head, size).detect(np.full((64, 128, 3), 230, np.uint8))  # 0.902 of white
    assert [found.labels[at] for at in found.label] == [label]
    assert found.score[0] == pytest.approx(score, abs=0.003)
    np.testing.assert_allclose(found.box[0], box, atol=1e-5)


@pytest.mark.parametrize("row", PLANTED[1:], ids=[row[0] for row in PLANTED[1:]])
def test_pictures_of_an_open_batch_keep_apart(row: tuple[str, Head, Input, tuple[float, ...], str, float]) -> None:
    detector = planted(*row[:3])
    dark, bright = np.zeros((32, 64, 3), np.uint8), np.full((32, 64, 3), 255, np.uint8)
    assert [len(found) for found in detector.detect_all([dark, bright, dark, bright])] == [0, 1, 0, 1]
    assert detector.detect_all([]) == []


def test_a_network_that_asks_for_sizes_needs_its_head() -> None:
    with pytest.raises(ModelError, match=r"expected one input, it has images tensor\(float\), orig_target_sizes tensor\(int64\)"):
        planted("detr_sized_tiny", Head.DETR, PLANTED[1][2])
    with pytest.raises(ModelError, match=r"expected a picture and orig_target_sizes tensor\(int64\) for head detr_sized"):
        planted("detr_tiny", Head.DETR_SIZED, PLANTED[1][2])


# A card that does not fit the tiny YOLOX, and what the sentence must say
MISFITS: list[tuple[dict[str, object], str]] = [
    ({"labels": ("man", "cart", "dog")}, "expected outputs 1x21x8 for head yolox with 3 labels, got 1x21x7"),
    ({"head": Head.FASTESTDET}, "expected outputs 1x7x2x2 for head fastestdet"),
    ({"head": Head.NANODET}, "expected outputs 1x16x2, 1x4x2, 1x1x2, 1x16x32, 1x4x32, 1x1x32"),
    ({"head": Head.PICODET}, "expected outputs 1x16x2, 1x4x2, 1x1x2, 1x1x2, 1x16x32, 1x4x32, 1x1x32, 1x1x32"),
    ({"head": Head.DETR}, "expected outputs 1x21x2, 1x21x4 for head detr"),
    ({"input": Input(64, 32, Colour.BGR)}, "expected input tensor(float) 1x3x64x32, it has tensor(float) 1x3x32x32"),
]


@pytest.mark.parametrize(("change", "sentence"), MISFITS)
def test_a_card_that_does_not_fit_its_detector_is_refused(change: dict[str, object], sentence: str) -> None:
    data = tiny("yolox_tiny")
    card = yolox_card(data)
    values: dict[str, object] = {name: getattr(card, name) for name in Card.__dataclass_fields__} | change
    with pytest.raises(ModelError) as caught:
        Detector(Card(**values), data)  # type: ignore[arg-type]  # a table of changes has no types
    assert sentence in str(caught.value)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(list(Fit)))
def test_a_fitted_picture_leads_back_to_its_own_corners(h: int, w: int, fit: Fit) -> None:
    picture, scale, offset = fit_picture(np.full((h, w, 3), 7, np.uint8), 96, 128, fit, 114)
    assert picture.shape == (96, 128, 3)
    left, top = offset
    right, bottom = np.array([w, h]) * scale + offset
    assert 0 <= left < right <= 128.001 and 0 <= top < bottom <= 96.001
    assert (picture[round(top) : round(bottom), round(left) : round(right)] == 7).all()
    assert (picture == 7).all(axis=2).sum() == (round(bottom) - round(top)) * (round(right) - round(left))


def install(folder: Path, name: str = "yolox_tiny") -> Card:
    """The tiny YOLOX with its card, as an operator brings a detector."""
    data = tiny("yolox_tiny")
    card = replace(yolox_card(data), name=name, file=f"{name}.onnx")
    (folder / f"{name}.toml").write_text(card_toml(card), "utf-8")
    (folder / card.file).write_bytes(data)
    return card


def test_without_a_detector_the_crop_network_works_alone(tmp_path: Path) -> None:
    networks = load_networks([tmp_path])
    assert networks.detector is None and networks.problem == ""
    assert networks.crop.classify(np.zeros((2, 64, 64), np.uint8)).shape == (2, 3)


def test_an_operators_detector_is_found_by_its_card(tmp_path: Path) -> None:
    card = install(tmp_path)
    assert (detector := load_networks([tmp_path]).detector) is not None and detector.card == card
    assert load_networks([tmp_path], prefer="none").detector is None
    assert load_networks([tmp_path], prefer="yolox_tiny").detector is not None


def test_the_crop_network_of_eight_bits_is_used_where_it_lies(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = tiny("crop_sound")
    card = card_of(data, EIGHT_BITS)
    (tmp_path / f"{EIGHT_BITS}.toml").write_text(card_toml(card).replace("person = ['person']\nvehicle = []\n", ""), "utf-8")
    assert load_networks([tmp_path]).crop.card.name == EMBEDDED  # a card alone is no network
    (tmp_path / card.file).write_bytes(data)
    assert load_networks([tmp_path]).crop.card.name == EIGHT_BITS
    (tmp_path / card.file).write_bytes(data[:-1] + b"\0")
    assert load_networks([tmp_path]).crop.card.name == EMBEDDED
    assert "the embedded crop network judges instead" in caplog.text and "expected SHA-256" in caplog.text


def test_a_broken_detector_is_logged_and_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    card = install(tmp_path)
    (tmp_path / card.file).write_bytes(b"\0" * card.bytes)
    networks = load_networks([tmp_path])
    assert networks.detector is None and "expected SHA-256" in networks.problem
    assert "the crop network judges alone" in caplog.text


def test_a_detector_that_is_asked_for_and_missing_is_a_problem(tmp_path: Path) -> None:
    assert "no card is named 'yolo99'; there are" in load_networks([tmp_path], prefer="yolo99").problem
    card = install(tmp_path)
    (tmp_path / card.file).unlink()
    assert "fetch it first" in load_networks([tmp_path], prefer=card.name).problem


def test_after_a_failed_reload_the_last_good_network_stays(tmp_path: Path) -> None:
    card = install(tmp_path)
    networks = load_networks([tmp_path])
    (tmp_path / card.file).write_bytes(b"\0" * card.bytes)
    again = networks.reload([tmp_path])
    assert again.detector is networks.detector and "expected SHA-256" in again.problem
    install(tmp_path)
    healed = again.reload([tmp_path])
    assert healed.detector is not None and healed.detector is not again.detector and healed.problem == ""
