"""`masks.toml`: read as written, written back, and refused where a picture might stay unmasked."""

from pathlib import Path

import pytest

from camera_config import MaskKind, SiteError, load_site, write_site
from tests.camera_config.small_site import write_small_site

MASKS = """\
[[ignore]]
camera = "c0001"
outline = [[0.5, 0], [1.0, 0], [0.75, 0.25]]

[[privacy]]
camera = ["c0001", "c0002"]
outline = [[0, 0], [0.25, 0], [0.25, 0.5], [0, 0.5], [0, 0]]
"""


def test_masks_are_read_as_written_and_written_as_read(tmp_path: Path) -> None:
    folder = write_small_site(tmp_path)
    (folder / "masks.toml").write_text(MASKS, "utf-8")
    site = load_site(folder)
    assert site.masks_of("c0002", MaskKind.PRIVACY) == (((0, 0), (0.25, 0), (0.25, 0.5), (0, 0.5)),)
    assert site.masks_of("c0001", MaskKind.IGNORE) == (((0.5, 0), (1.0, 0), (0.75, 0.25)),)
    assert site.masks_of("c0002", MaskKind.IGNORE) == ()
    write_site(site, tmp_path / "again")
    assert load_site(tmp_path / "again").masks == site.masks


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (MASKS.replace("c0002", "c0009"), "masks.toml:6: privacy.camera: no such camera"),  # a slip would leave it unmasked
        (MASKS.replace("privacy", "privat"), "unknown"),
        (MASKS.replace("[0.25, 0.5]", "[0.25, 1.5]"), "outline: expected numbers within"),
        (MASKS.replace("[1.0, 0], ", ""), "outline: expected an outline of at least 3"),
        (MASKS.replace("outline", "zone", 1), "zone: unknown key"),
        ("[[privacy", "masks.toml"),
    ],
)
def test_a_mask_that_does_not_say_what_it_hides_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    folder = write_small_site(tmp_path)
    (folder / "masks.toml").write_text(text, "utf-8")
    with pytest.raises(SiteError) as error:
        load_site(folder)
    assert problem in str(error.value)
