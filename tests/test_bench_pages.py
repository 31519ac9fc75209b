"""Pages of the bench are what they say: the same every time, their lines where the truth has them, also after a disturbance."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

CASES = ["two_columns", "ruled_table", "contents", "blanks", "scripts", "vertical"]
MARGIN = 3  # pixels of antialiasing around ink


@pytest.fixture(scope="module")
def pages(root: Path) -> ModuleType:
    sys.path.insert(0, str(root / "benchmarks"))
    try:
        import pages
    finally:
        sys.path.remove(str(root / "benchmarks"))
    return pages


def ink(rgb: np.ndarray) -> np.ndarray:
    """Where a page is dark."""
    return rgb.min(axis=2) < 128


def part(image: np.ndarray, box: Any, margin: int = 0) -> np.ndarray:
    """What of an image is within a box."""
    left, top, right, bottom = (round(edge) for edge in (box.left, box.top, box.right, box.bottom))
    return image[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]


def test_a_page_depends_on_its_names_and_seed_only(pages: ModuleType) -> None:
    first, again, other = (pages.make_page("lists", seed, "noise") for seed in (1, 1, 2))
    assert first.lines == again.lines != other.lines
    assert np.array_equal(first.rgb, again.rgb)


@pytest.mark.parametrize("case", CASES)
def test_boxes_hold_the_ink_of_their_lines(pages: ModuleType, case: str) -> None:
    page = pages.make_page(case, 1)
    dark = ink(page.rgb)
    for line in page.lines:
        within = part(dark, line.box)
        level = within.T if line.vertical else within
        assert level[:, :MARGIN].any(), line
        assert level[:, -MARGIN:].any(), line
        assert level.any(axis=1).mean() > 0.3, line
    left = dark.copy()
    for line in page.lines:
        part(left, line.box, round(0.35 * min(line.box.width, line.box.height)))[:] = False  # descenders and indices hang out
    share = left.sum() / dark.sum()
    assert share < (0.001 if case in ("two_columns", "scripts", "contents", "vertical") else 0.5)  # else there are rules


@pytest.mark.parametrize("case", CASES)
def test_lines_do_not_overlap(pages: ModuleType, case: str) -> None:
    boxes = [line.box for line in pages.make_page(case, 2).lines]
    for index, a in enumerate(boxes):
        for b in boxes[:index]:
            assert a.left >= b.right or b.left >= a.right or a.top >= b.bottom or b.top >= a.bottom, (a, b)


def test_lines_stand_in_the_order_in_which_they_are_read(pages: ModuleType) -> None:
    page = pages.make_page("two_columns", 1)
    *body, number = page.lines
    middle = page.rgb.shape[1] / 2
    columns = [line.box.left > middle for line in body]
    assert columns == sorted(columns)
    assert number.kind == "footer"
    cells = [line.cell for line in pages.make_page("ruled_table", 1).lines if line.cell]
    assert cells == sorted(cells)


@pytest.mark.parametrize("disturbance", ["skew_15", "turn_90", "turn_180", "turn_270", "photo", "fax", "dpi_150"])
def test_the_matrix_carries_lines_to_where_they_are(pages: ModuleType, disturbance: str) -> None:
    page = pages.make_page("short", 1, disturbance)
    (line, *_), plain = page.lines, pages.make_page("short", 1)
    assert line == plain.lines[0]
    height, width = page.rgb.shape[:2]
    xs, ys = np.meshgrid(np.arange(line.box.left, line.box.right), np.arange(line.box.top, line.box.bottom))
    there = pages.carry(page.matrix, np.stack([xs.ravel() + 0.5, ys.ravel() + 0.5], 1)).astype(int)
    assert ((there >= 0) & (there < (width, height))).all()
    moved = page.rgb[there[:, 1], there[:, 0]].mean(axis=1).reshape(xs.shape)
    still = part(plain.rgb, line.box).mean(axis=2)
    rows, columns = (min(a, b) for a, b in zip(moved.shape, still.shape, strict=True))
    assert np.corrcoef(moved[:rows, :columns].ravel(), still[:rows, :columns].ravel())[0, 1] > 0.7


def test_skew_and_turn_are_told(pages: ModuleType) -> None:
    skewed, turned = pages.make_page("short", 2, "skew_15"), pages.make_page("short", 2, "turn_270")
    (left, right) = pages.carry(skewed.matrix, np.array([(0.0, 0.0), (100.0, 0.0)]))
    assert np.degrees(np.arctan2(*(right - left)[::-1])) == pytest.approx(skewed.skew)
    assert 0 < abs(skewed.skew) <= 15
    assert (turned.turn, turned.rgb.shape[:2]) == (270, pages.make_page("short", 2).rgb.shape[1::-1])
