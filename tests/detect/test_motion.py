"""Foreground → regions, against a slow twin and by example."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detect.motion import Regions, find_regions, merge_boxes
from tests.detect.stage import HEIGHT, WIDTH

Boxes = list[tuple[int, int, int, int]]


def mask_of(*boxes: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Foreground (H, W) of filled boxes left, top, right, bottom in pixels."""
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def found(*masks: NDArray[np.bool_], min_area: float = 0.0007, max_regions: int = 16) -> Regions:
    return find_regions(np.stack(masks), min_area, max_regions)


def in_pixels(regions: Regions) -> list[list[int]]:
    boxes: list[list[int]] = np.rint(regions.box * (WIDTH, HEIGHT, WIDTH, HEIGHT)).astype(int).tolist()
    return boxes


def test_a_thing_is_one_region_with_its_box_and_area() -> None:
    regions = found(mask_of((50, 20, 60, 50)))
    # The median rounds the four corners off.
    assert in_pixels(regions) == [[50, 20, 60, 50]]
    assert regions.area[0] * WIDTH * HEIGHT == pytest.approx(300 - 4)


@pytest.mark.parametrize(
    ("parts", "things"),
    [
        ([(50, 20, 60, 30), (50, 34, 60, 60)], 1),  # head and body, parted by coding noise
        ([(50, 20, 60, 30), (51, 32, 59, 44), (50, 47, 60, 60)], 1),  # three parts
        ([(50, 20, 56, 50), (70, 20, 76, 50)], 2),  # two people side by side
        ([(20, 20, 60, 34), (20, 40, 60, 54)], 2),  # two cars behind one another
        ([(20, 20, 50, 34), (52, 22, 70, 34)], 1),  # a car in two parts, two pixels apart
        ([(20, 20, 30, 44), (34, 20, 42, 44), (20, 42, 42, 44)], 2),  # two people, joined by their shadow
    ],
)
def test_fragments_of_one_thing_are_merged(parts: Boxes, things: int) -> None:
    assert len(found(mask_of(*parts))) == things


def test_noise_is_no_region() -> None:
    random = np.random.default_rng(0)
    salt = random.random((HEIGHT, WIDTH)) < 0.03
    assert len(found(salt)) == 0
    assert len(found(mask_of((10, 10, 13, 12)))) == 0
    assert len(found(np.zeros((HEIGHT, WIDTH), np.bool_))) == 0


def test_rows_come_in_order_and_only_the_largest_are_kept() -> None:
    many = mask_of(*[(x, 10, x + 4 + x // 30, 30) for x in range(2, 150, 14)])
    regions = found(mask_of(), many, mask_of((50, 20, 60, 50)), max_regions=5)
    assert regions.row.tolist() == [1] * 5 + [2]
    everything = found(many)
    assert len(everything) == 11
    assert sorted(regions.area[:5].tolist()) == sorted(everything.area.tolist())[-5:]


def test_a_thing_at_the_border_reaches_the_border() -> None:
    assert in_pixels(found(mask_of((0, 60, 10, 90), (150, 0, 160, 30)))) in (
        [[0, 60, 10, 90], [150, 0, 160, 30]],
        [[150, 0, 160, 30], [0, 60, 10, 90]],
    )


def test_a_storm_of_specks_stays_bounded() -> None:
    storm = np.zeros((HEIGHT, WIDTH), np.bool_)
    storm[::6] = storm[1::6] = storm[2::6] = True
    storm[:, ::6] = storm[:, 1::6] = False
    assert len(found(storm, min_area=0.0, max_regions=16)) <= 16


def test_the_shadow_beside_a_walker_is_not_part_of_him() -> None:
    walker, shadow = (60, 20, 70, 50), (35, 44, 60, 48)
    (box,) = in_pixels(found(mask_of(walker, shadow)))
    assert box == [60, 20, 70, 50]
    # A car keeps its bonnet, and a man the child at his side.
    assert in_pixels(found(mask_of((30, 30, 60, 50), (60, 38, 75, 50)))) == [[30, 30, 75, 50]]
    assert in_pixels(found(mask_of((60, 10, 72, 60), (72, 42, 84, 60)))) == [[60, 10, 84, 60]]


def majority(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether most of the 3x3 pixels around each pixel are set; the border is repeated outwards."""
    padded, (height, width) = np.pad(mask, 1, mode="edge"), mask.shape
    return np.array([[padded[y : y + 3, x : x + 3].sum() >= 5 for x in range(width)] for y in range(height)])


def twin_without_shadow(clean: NDArray[np.bool_], box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The box cut where its columns first and last reach 0.4 of the tallest, on sides that are 1.5 times as wide as tall, if
    that leaves at most 0.8 of its width; without empty rows."""
    left, top, right, bottom = box
    heights = [sum(bool(clean[y, x]) for y in range(top, bottom)) for x in range(left, right)]
    tall = [x for x, height in enumerate(heights) if height >= 0.4 * max(*heights, 1)]
    if not tall:
        return box
    first, last = min(tall), max(tall) + 1
    if sum(height > 0 for height in heights[:first]) < 1.5 * max([1, *heights[:first]]):
        first = 0
    if sum(height > 0 for height in heights[last:]) < 1.5 * max([1, *heights[last:]]):
        last = len(heights)
    if last - first > 0.8 * len(heights):
        return box
    rows = [y for y in range(top, bottom) if any(clean[y, x] for x in range(left + first, left + last))]
    return left + first, min(rows), left + last, max(rows) + 1


def twin_regions(mask: NDArray[np.bool_]) -> Boxes:
    """Boxes by plain loops: 3x3 majority, dilation by 3x5, flood fill, extent of each body. No merging."""
    height, width = mask.shape
    clean = majority(mask)
    grown = np.array([[clean[max(0, y - 2) : y + 3, max(0, x - 1) : x + 2].any() for x in range(width)] for y in range(height)])
    seen, result = np.zeros_like(grown), []
    for y, x in zip(*np.nonzero(grown), strict=True):
        if seen[y, x]:
            continue
        body, stack = [], [(int(y), int(x))]
        seen[y, x] = True
        while stack:
            cy, cx = stack.pop()
            body.append((cy, cx))
            for ny in range(max(0, cy - 1), min(height, cy + 2)):
                for nx in range(max(0, cx - 1), min(width, cx + 2)):
                    if grown[ny, nx] and not seen[ny, nx]:
                        seen[ny, nx] = True
                        stack.append((ny, nx))
        ys, xs = [p[0] for p in body], [p[1] for p in body]
        left, top, right, bottom = min(xs), min(ys), max(xs) + 1, max(ys) + 1
        # What dilating added is taken off again, but for what touches the border, which may reach it.
        left, right = left + (left > 0), right - (right < width)
        top, bottom = top + 2 * (top > 0), bottom - 2 * (bottom < height)
        result.append((left, top, right, bottom))
    return result


def twin_side_by_side(clean: NDArray[np.bool_], box: tuple[int, int, int, int]) -> Boxes:
    """The box cut where the mean of each column's reach and count, averaged over five columns, is lowest against the lower of the
    highest to its left and to its right: if that is below 0.7 of it, it at least 0.4 of the height, a part upright, both tall."""
    left, top, right, bottom = box
    height, width = bottom - top, right - left
    if width < max(0.67 * height, 6):
        return [box]
    columns = [[bool(clean[y, x]) for y in range(top, bottom)] for x in range(left, right)]
    outline = [((height - column.index(True) if any(column) else 0) + sum(column)) / 2 for column in columns]
    smooth = [sum(outline[min(max(x + dx, 0), width - 1)] for dx in range(-2, 3)) / 5 for x in range(width)]
    depth = {}
    for x in range(3, width - 3):
        crest = min(max(smooth[: x + 1]), max(smooth[x:]))
        depth[x] = smooth[x] / max(crest, 1) if crest >= 0.4 * height else 1.0
    at = min(depth, key=lambda x: depth[x], default=0)
    if not depth or depth[at] >= 0.7 - 1e-9:
        return [box]
    parts = [twin_trimmed(clean, part) for part in ((left, top, left + at, bottom), (left + at, top, right, bottom))]
    if all(y1 - y0 < 0.9 * (x1 - x0) for x0, y0, x1, y1 in parts) or any(y1 - y0 < 0.5 * height for _, y0, _, y1 in parts):
        return [box]
    return [one for part in parts for one in twin_side_by_side(clean, part)]


def twin_trimmed(clean: NDArray[np.bool_], box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    there = [(x, y) for y in range(top, bottom) for x in range(left, right) if clean[y, x]]
    if not there:
        return box
    xs, ys = zip(*there, strict=True)
    return min(xs), min(ys), max(xs) + 1, max(ys) + 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(3, 12), st.integers(3, 12)), max_size=4))
def test_regions_agree_with_the_slow_twin(things: list[tuple[int, int, int, int]]) -> None:
    mask = np.zeros((40, 50), np.bool_)
    for x, y, w, h in things:
        mask[y : y + h, x : x + w] = True
    twin = merge_boxes(twin_regions(mask))
    clean = majority(mask)
    bodies = [twin_without_shadow(clean, (left, top, right, bottom)) for left, top, right, bottom in twin]
    parts = [part for body in bodies for part in twin_side_by_side(clean, body)]
    # Where a merged box is cut, a part without a pixel of its own is none.
    expected = [(x0, y0, x1, y1) for x0, y0, x1, y1 in parts if clean[y0:y1, x0:x1].any()]
    regions = find_regions(mask[None], 0.0, 16)
    ours = np.rint(regions.box * (50, 40, 50, 40)).astype(int).tolist()
    assert sorted(map(tuple, ours)) == sorted(expected)
    for (left, top, right, bottom), area in zip(ours, regions.area.tolist(), strict=True):
        assert clean[top:bottom, left:right].sum() == round(area * 2000)


boxes = st.lists(
    st.tuples(st.integers(0, 80), st.integers(0, 60), st.integers(1, 20), st.integers(1, 30)).map(
        lambda v: (v[0], v[1], v[0] + v[2], v[1] + v[3])
    ),
    max_size=12,
)


@settings(deadline=None)
@given(boxes)
def test_merging_covers_everything_and_settles(parts: Boxes) -> None:
    merged = merge_boxes(parts)
    for left, top, right, bottom in parts:
        assert any(m[0] <= left and m[1] <= top and m[2] >= right and m[3] >= bottom for m in merged)
    assert merge_boxes(merged) == merged
    assert len(merged) <= len(parts)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 rows"):
        Regions(np.zeros(1, np.int32), np.zeros((2, 4), np.float32), np.zeros(1, np.float32))
