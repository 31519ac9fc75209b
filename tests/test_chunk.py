"""Cutting lines and joining their readings, as a table of cases with reasons.

The reader here is ideal: it sees where the characters of a drawn line stand and reads those that lie whole within a chunk,
and an invented one where the chunk's edge cuts a character in two.
"""

from itertools import pairwise

import numpy as np
import pytest

from docrec.charset import Charset
from docrec.chunk import FRAMES, HEIGHT, INK_HEIGHT, WIDTH, line_to_chunks, picture_to_line, readings_to_line
from docrec.ctc import Mark, Reading
from docrec.document import Box, Line

CHARSET = Charset(tuple("一二三四五六七八九十川儿ab ，。,.⒈#\"“”□口"))
GARBAGE = "#"


def draw(widths, gaps, height=28, left=50, top=40):
    """A page with a line of boxes, each with a narrow gap inside as 川 has, and the places of the boxes."""
    page = np.full((120, 2 * left + sum(widths) + sum(gaps)), 255, np.uint8)
    places, x = [], left
    for width, gap in zip(widths, gaps, strict=True):
        page[top : top + height, x : x + width] = 0
        if width > 20:
            page[top : top + height, x + 7 : x + 12] = 255
        places.append((x, x + width))
        x += width + gap
    return page, places, Box(places[0][0], top, places[-1][1], top + height)


def ideal_reading(chunk, places, text):
    marks = []
    for char, (left, right) in zip(text, places, strict=True):
        start, end = (left - chunk.left) / chunk.scale, (right - chunk.left) / chunk.scale
        if end <= 0 or start >= chunk.width:
            continue
        whole = start >= -1.5 and end <= chunk.width + 1.5
        middle = int((max(start, 0) + min(end, chunk.width)) / 2 / WIDTH * FRAMES)
        marks.append(Mark(CHARSET.classes[char if whole else GARBAGE], middle, middle + 1, 0.9))
    return Reading(tuple(marks))


def read(page, places, box, text):
    chunks = line_to_chunks(page, Line(box), 0)
    line = readings_to_line(chunks, [ideal_reading(chunk, places, text) for chunk in chunks], Line(box), CHARSET)
    return line, chunks


DIGITS = "一二三四五六七八九十" * 4


@pytest.mark.parametrize(
    ("widths", "gaps", "why"),
    [
        ([26] * 5, [3] * 5, "a short line is one chunk"),
        ([26] * 40, [3] * 40, "no gap between characters is wider than that inside one: chunks overlap"),
        ([26] * 40, [0] * 40, "characters that touch have gaps only inside"),
        ([26] * 40, [12] * 40, "widely set characters"),
        ([26] * 40, ([3] * 6 + [60]) * 5 + [3] * 5, "a gap as wide as the overlap"),
        ([8] * 40, [2] * 40, "narrow letters"),
        ([26, 8] * 20, [3] * 40, "letters among Hanzi"),
    ],
)
def test_no_character_is_lost_or_doubled(widths, gaps, why):
    text = DIGITS[: len(widths)]
    page, places, box = draw(widths, gaps)
    line, chunks = read(page, places, box, text)
    glyphs = [glyph for glyph in line.glyphs if glyph.char != " "]  # which stands in the widest gaps
    assert "".join(glyph.char for glyph in glyphs) == text, why
    for glyph, (left, right) in zip(glyphs, places, strict=True):
        assert abs((glyph.left + glyph.right - left - right) / 2) < 16, "glyphs stand where the ink is"
    assert chunks[0].left <= box.left
    assert chunks[-1].right >= box.right
    assert all(before.right >= after.left for before, after in pairwise(chunks)), "no column is skipped"


@pytest.mark.parametrize("letters", [2, 3, 5, 8])
def test_spaces_at_a_cut_are_kept_once(letters):
    """A space near the beginning of a chunk is often seen only by the chunk before."""
    gaps = ([2] * (letters - 1) + [18]) * 12
    page, places, box = draw([8] * len(gaps), gaps)
    between = [(a[1], b[0]) for a, b in pairwise(places) if b[0] - a[1] > 5]
    spaced = sorted([*places, *between])
    text = "".join("a" if place in places else " " for place in spaced)
    chunks = line_to_chunks(page, Line(box), 0)
    readings = []
    for chunk in chunks:
        marks = ideal_reading(chunk, spaced, text).marks
        seen = [mark for mark in marks if CHARSET.characters[mark.label] != " " or chunk is chunks[0] or mark.start > 8]
        readings.append(Reading(tuple(seen)))
    assert len(chunks) > 1
    assert readings_to_line(chunks, readings, Line(box), CHARSET).text.rstrip() == text


@pytest.mark.parametrize("height", [12, 28, 60])
def test_the_band_is_scaled_to_the_height_of_training(height):
    page, _, box = draw([height] * 4, [3] * 4, height)
    (chunk,) = line_to_chunks(page, Line(box), 7)
    rows = np.flatnonzero(chunk.pixels[:, :, 0].max(axis=1) > 0.5)
    assert chunk.pixels.shape == (HEIGHT, WIDTH, 1)
    assert chunk.line == 7
    assert chunk.scale == pytest.approx(height / INK_HEIGHT)
    assert abs(len(rows) - INK_HEIGHT) <= 2
    assert chunk.pixels[:, chunk.width :].max() == 0


def test_a_line_of_dashes_is_not_blown_up():
    page = np.full((100, 400), 255, np.uint8)
    page[48:52, 20:380] = 0
    chunks = line_to_chunks(page, Line(Box(20, 36, 380, 64)), 0)
    assert all((chunk.pixels[:, :, 0] > 0.5).any(axis=1).sum() <= 6 for chunk in chunks)


def test_a_line_at_the_edge_of_the_page_is_padded_with_paper():
    page = np.zeros((28, 100), np.uint8)
    (chunk,) = line_to_chunks(page, Line(Box(0, 0, 100, 28)), 0)
    assert chunk.pixels[0].max() == 0
    assert chunk.pixels[16, 50, 0] == 1


def test_a_page_of_one_pixel_is_no_error():
    (chunk,) = line_to_chunks(np.full((1, 1), 255, np.uint8), Line(Box(0, 0, 1, 1)), 0)
    assert chunk.pixels.max() == 0


@pytest.mark.parametrize(
    ("read_as", "text", "why"),
    [
        ("一 二", "一二", "no space between Hanzi"),
        ("a b", "a b", "a space between words stays"),
        ("一 a 二", "一 a 二", "a space between a Hanzi and a word that was printed stays"),
        ("， a", "，a", "full-width punctuation has its own room"),
        ("a ，", "a，", "on either side"),
        ("一 , 二", "一，二", "a mark in the middle of its em is a full-width one"),
        ("一, 二", "一, 二", "one close to the character before is not"),
        ("a , 二", "a，二", "also behind a word"),
        ("a , b", "a , b", "but not between words"),
        (" a ", "a", "none at the ends"),
        ("a  b", "a b", "one of several"),
        ("一  二", "一二", "nor two between Hanzi"),
        ("⒈.一", "1.一", "a number has one point"),
        ("⒈一", "⒈一", "which may be its own"),
        ("□一 口二", "□一 □二", "boxes to be ticked"),
        ("口一二", "口一二", "a single one is the Hanzi"),
        ('一"二"“三”', "一“二”“三”", "quotation marks of a line are alike"),
        ('“一"二"三”', "“一”二“三”", "and close where they were opened"),
        ('"一""二”', '"一""二”', "unless most are straight"),
    ],
)
def test_spaces_and_marks(read_as, text, why):
    page, _, box = draw([26] * 7, [3] * 7)
    chunks = line_to_chunks(page, Line(box), 0)
    marks = tuple(Mark(CHARSET.classes[char], 5 * i, 5 * i + 1, 0.9) for i, char in enumerate(read_as))
    assert readings_to_line(chunks, [Reading(marks)], Line(box), CHARSET).text == text, why


@pytest.mark.parametrize(
    ("places", "text"),
    [
        ([0, 7, 22, 29], "一二 一二"),  # frames of 4 columns, 28 to an em
        ([0, 7, 14, 21], "一二一二"),
        ([0, 14, 28, 42], "一二一二"),  # each by itself, as in a title set wide
        ([0, 7, 22], "一二一"),
    ],
)
def test_a_wide_gap_between_words_of_hanzi_is_a_space(places, text):
    page, _, box = draw([26] * 7, [3] * 7)
    chunks = line_to_chunks(page, Line(box), 0)
    marks = tuple(Mark(CHARSET.classes["一二"[i % 2]], place, place + 1, 0.9) for i, place in enumerate(places))
    assert readings_to_line(chunks, [Reading(marks)], Line(box), CHARSET).text == text


@pytest.mark.parametrize("width", [1, 5, 100, 280])
def test_a_picture_of_the_networks_height_goes_in_pixel_for_pixel(width):
    gray = np.random.default_rng(0).integers(0, 256, (HEIGHT, width)).astype(np.uint8)
    (chunk,) = line_to_chunks(gray, picture_to_line(gray), 0)
    (left,) = {round(-chunk.left)}  # narrower than the margins, it stands between them
    np.testing.assert_allclose(chunk.pixels[:, left : left + width, 0], 1 - gray / 255, atol=1e-6)
    assert chunk.pixels[:, left + width :].max(initial=0) == 0
    assert chunk.scale == 1


@pytest.mark.parametrize("side", [-1, 1])
def test_the_side_of_a_cell_is_no_part_of_a_number_that_is_set_close_to_it(side):
    gray = np.full((60, 200), 255, np.uint8)
    gray[20:40, 60:100] = 0
    gray[:, 102:104] = 0
    gray = gray[:, ::side]
    box = Box(60, 16, 100, 44) if side == 1 else Box(100, 16, 140, 44)
    (chunk,) = line_to_chunks(np.ascontiguousarray(gray), Line(box), 0)
    (inked,) = np.nonzero(chunk.pixels[..., 0].any(axis=0))
    assert inked[-1] - inked[0] + 1 == 40


@pytest.mark.parametrize(("height", "width", "columns"), [(64, 400, 200), (16, 140, 280), (20, 100, 160)])
def test_other_pictures_are_scaled_to_the_networks_height(height, width, columns):
    gray = np.zeros((height, width), np.uint8)
    (chunk,) = line_to_chunks(gray, picture_to_line(gray), 0)
    assert abs(chunk.width - columns) <= 1
    assert chunk.pixels[:, : columns - 1].min() > 0.9, "ink from edge to edge"
