"""The overlay must show where things are, and leave the rest of the page as it is."""

import numpy as np
import pytest

from docrec.document import KINDS, Block, Box, Line
from docrec.overlay import CUT, KIND_COLORS, ORDER, SCRIPT, draw_layout

PAPER = np.full((400, 800), 255, np.uint8)


def colors(picture: np.ndarray) -> set[tuple[int, ...]]:
    return set(map(tuple, picture.reshape(-1, 3).tolist()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_is_framed_in_the_color_of_its_kind(kind: str) -> None:
    picture = draw_layout(PAPER, [Block(kind, (Line(Box(100, 100, 300, 130)), Line(Box(100, 150, 300, 180))))])
    assert picture.shape == (400, 800, 3)
    for row in (100, 130, 150, 180):
        assert tuple(picture[row, 200]) == KIND_COLORS[kind], "the box of a line"
    rows = np.flatnonzero((picture[:, 250] == KIND_COLORS[kind]).all(axis=1))
    assert rows[0] < 100, "the frame stands outside of the lines"
    assert rows[-1] > 180
    assert (picture[200:] == 255).all()


@pytest.mark.parametrize("vertical", [False, True])
def test_overlaps_of_chunks_are_filled(vertical: bool) -> None:
    def tinted(length: int) -> int:
        box = Box(10, 10, 40, 10 + length) if vertical else Box(10, 10, 10 + length, 40)
        page = PAPER.T if vertical else PAPER
        picture = draw_layout(np.ascontiguousarray(page), [Block("text", (Line(box, vertical=vertical),))])
        return int((picture == np.array([255, 223, 195])).all(axis=2).sum())

    assert tinted(200) == 0, "one chunk"
    assert tinted(700) > 30 * 30, "several"


def test_arrows_follow_the_order_of_reading() -> None:
    lines = (Line(Box(50, 50, 200, 80)), Line(Box(50, 300, 200, 330)))
    for order in (lines, lines[::-1]):
        picture = draw_layout(PAPER, [Block("text", order)])
        inked = (picture == ORDER).all(axis=2)
        tip, tail = (order[1].box.top, order[0].box.top)
        near_tip, near_tail = (inked[int(y) + 5 : int(y) + 25, x : x + 12].sum() for y, x in ((tip, 50), (tail, 190)))
        assert near_tip > 1.5 * near_tail > 0


def test_scripts_and_cells_are_marked() -> None:
    host = Line(Box(100, 100, 300, 130))
    assert SCRIPT in colors(draw_layout(PAPER, [Block("text", (host, Line(Box(300, 95, 320, 110), script=1)))]))
    plain, cell = (draw_layout(PAPER, [Block("table", (Line(host.box, cell=cell),))]) for cell in (None, (2, 3)))
    assert (plain != cell).any()


def test_a_page_without_blocks_is_only_paler() -> None:
    page = np.arange(256, dtype=np.uint8).repeat(4).reshape(32, 32)
    picture = draw_layout(page, [])
    assert (picture[..., 0] >= page).all()
    assert (np.diff(picture[..., 0].ravel()[::4].astype(int)) >= 0).all()
    assert CUT not in colors(picture)
