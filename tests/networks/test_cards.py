"""Cards: ours are sound, an operator's are read strictly."""

from pathlib import Path

import pytest

from base.errors import ModelError
from detect.cards import MODELS_FOLDER, Card, check, find_file, list_cards, read_card
from detect.heads import Head
from tests.networks.material import card_of, card_toml, tiny, weights_or_skip, yolox_card


def test_all_cards_that_come_along_are_sound() -> None:
    cards = {card.name: card for card in list_cards()}
    assert {"crop_v1", "fastestdet_352", "nanodet_m_416", "yolox_nano_416", "yolox_nano_person_192"} <= set(cards)
    for card in cards.values():
        assert card.licence and card.origin and card.latency_ms > 0 and card.latency_on
        assert card.accuracy, f"{card.name} says nothing about how good it is"
        assert "person" in card.labels
        if card.head is not Head.CROP:
            assert "/main/" not in card.url and "/master/" not in card.url  # a commit, not a branch that moves


def test_the_embedded_network_is_the_one_on_its_card() -> None:
    card = read_card(MODELS_FOLDER / "crop_v1.toml")
    assert len(check(card, MODELS_FOLDER)) <= 1_000_000
    assert card.labels == ("person", "vehicle", "other")


@pytest.mark.parametrize("name", ["fastestdet_352", "nanodet_m_416", "yolox_nano_416", "yolox_nano_person_192"])
def test_the_public_networks_are_the_ones_on_their_cards(name: str) -> None:
    card = next(card for card in list_cards() if card.name == name)
    assert len(check(card, weights_or_skip(card.file))) == card.bytes


def write_card(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return path


def test_an_operators_card_reads_back_as_written(tmp_path: Path) -> None:
    card = yolox_card(tiny("yolox_tiny"))
    assert read_card(write_card(tmp_path, card_toml(card))) == card


# What is changed in a sound card, and what the sentence must say
WRONG: list[tuple[str, str, str]] = [
    ('licence = "', 'license = "', "license: unknown key"),  # a misspelt key
    ('head = "crop"', 'head = "oracle"', "head: expected one of"),  # a head we do not know
    ("height_px = 64", "height_px = 8", "height_px: expected 16 to 4096, got 8"),  # out of range
    ("height_px = 64", 'height_px = "64"', "height_px: expected a whole number"),  # wrong type
    ('file = "tiny.onnx"', 'file = "../tiny.onnx"', "file: expected a plain name"),  # leaves the folder
    ('url = ""', 'url = "http://example.org/x"', "url: expected https"),  # anybody on the way could change it
    ('labels = ["person", ', 'labels = ["person", "person", ', "labels: expected at least one, each once"),
    ("person = ['person']", "person = ['human']", "'human' is not among the labels"),  # a class of no label
    ("[input]", "[inputs]", "input.height_px: missing"),  # a misspelt table leaves its own keys missing
    ("bytes = ", "bytes = -", "bytes: expected 1 to"),
    ('name = "tiny"', "name = tiny", "not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), WRONG, ids=[row[2] for row in WRONG])
def test_a_wrong_card_is_refused_with_file_and_key(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    text = card_toml(card_of(tiny("crop_sound")))
    assert old in text
    path = write_card(tmp_path, text.replace(old, new))
    with pytest.raises(ModelError) as caught:
        read_card(path)
    assert sentence in str(caught.value) and "mine.toml" in str(caught.value)


def test_a_card_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a file here"):
        read_card(tmp_path / "none.toml")


def test_an_operators_folder_adds_cards_but_replaces_none(tmp_path: Path) -> None:
    mine = card_of(tiny("crop_sound"), "mine")
    write_card(tmp_path, card_toml(mine))
    (tmp_path / "other.toml").write_text(card_toml(card_of(tiny("crop_sound"), "crop_v1")), "utf-8")
    cards = {card.name: card for card in list_cards([tmp_path, tmp_path / "missing"])}
    assert cards["mine"] == mine
    assert cards["crop_v1"] == read_card(MODELS_FOLDER / "crop_v1.toml")


def lay(folder: Path, card: Card, data: bytes) -> None:
    (folder / card.file).write_bytes(data)


def test_a_file_of_wrong_size_or_hash_is_refused(tmp_path: Path) -> None:
    data = tiny("crop_sound")
    card = card_of(data)
    with pytest.raises(ModelError, match="cannot be read"):
        check(card, tmp_path)
    lay(tmp_path, card, data[:-1])
    with pytest.raises(ModelError, match=f"expected {len(data)} bytes as its card says, found {len(data) - 1}"):
        check(card, tmp_path)
    lay(tmp_path, card, data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ModelError, match="expected SHA-256"):
        check(card, tmp_path)
    lay(tmp_path, card, data)
    assert check(card, tmp_path) == data and find_file(card, [tmp_path]) == tmp_path / card.file
