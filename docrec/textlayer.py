"""The text that a PDF page has already: how far it is sound, and its characters put into the lines that layout finds.

A line takes its text from the layer if its characters are mapped to Unicode and cover its ink; else it is read. All lines of the layer,
those of visible text and those of invisible OCR text apart, are held against a reading of a few of them.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby

import cv2
import numpy as np

from docrec.chunk import ChunkReader, is_wide, line_to_chunks, readings_to_line, without_idle_spaces
from docrec.document import Block, Box, Glyph, Line
from docrec.ink import gray_to_ink
from docrec.scripts import holding
from docrec.source import LayerGlyph, PageImage
from docrec.upright import turn

# Where characters belong, in heights of a line.
ABOVE = 0.45  # the middle of a superscript is no farther outside the line
BESIDE = 0.5
LARGE = 2.5  # what is higher is no part of the line

COVERED = 0.8  # share of a line's inked columns over which characters of the layer stand, if it has the line's text
INKED = 0.8  # share of an invisible layer's characters that lie on ink, if it belongs to the page
SPACE = 0.15  # heights of a character: a wider gap between letters is a space; TeX sets none
SAME = 0.3  # widths by which two equal characters are apart at most if they are one, drawn twice to look bold

SAMPLE_LINES = {True: 4, False: 12}
"""Lines of visible and of invisible text that are read to judge it; of each its beginning,"""
SAMPLE_WIDTH = 8  # so many heights of it, which one chunk holds
SURE = 0.85  # mean confidence of a reading that can judge
AGREEMENT = {True: 0.7, False: 0.95}
"""How well, 0 to 1, a sure reading of visible and of invisible text agrees with it if the layer is sound. Visible text is as its author
wrote it, or its font is mapped wrongly and hardly a character agrees; invisible text was read by other OCR, whose errors should go."""
TYPESET = 0.5  # share of a page's ink under visible characters, if it is typeset and not a scan
_FOLDED = ((0x2E80, 0x2FDF), (0xFB00, 0xFB06), (0xF900, 0xFAFF), (0xA0, 0xA0), (0x2000, 0x200A))
"""Radicals, ligatures, compatibility ideographs and odd spaces, which fonts map letters to, become what they stand for."""


@dataclass(frozen=True, slots=True)
class _Row:
    """The characters of the layer that stand in one line, in order."""

    line: Line
    glyphs: tuple[LayerGlyph, ...]

    @property
    def visible(self) -> bool:
        """Whether they are drawn."""
        return self.glyphs[0].visible


def with_layer_upright(page: PageImage) -> PageImage:
    """Turn a page such that most of the text of its layer stands upright."""
    quarters = [glyph.quarters for glyph in page.layer]
    return turn(page, -max(set(quarters), key=quarters.count) % 4) if quarters else page


def is_typeset(page: PageImage) -> bool:
    """Whether most of a page's ink is that of visible text of its layer, so that it lies straight and nothing is around it."""
    if not any(glyph.visible for glyph in page.layer):
        return False
    ink = gray_to_ink(page.gray)
    covered = _covered([glyph.box for glyph in page.layer if glyph.visible], ink)
    return bool((ink & covered).sum() > TYPESET * ink.sum())


def blocks_with_layer(page: PageImage, blocks: Sequence[Block], mode: str, recognizer: ChunkReader) -> tuple[PageImage, tuple[Block, ...]]:
    """Fill the lines of a page with the characters of its text layer, as far as that is sound.

    Args:
        page: the page, upright.
        blocks: its lines, not yet read.
        mode: of options.MODES.
        recognizer: judges the layer.

    Returns:
        The page, with a step that says what the layer gave; its blocks, with further ones of text for characters that stand in no line.
        Lines that the layer does not have are left without glyphs, to be read; in mode "skip" they are left out.
    """
    if mode == "force" or all(glyph.char.isspace() for glyph in page.layer):
        return page, tuple(blocks)
    ink = gray_to_ink(page.gray)
    glyphs, faults = _seen(_placed(page), ink, mode)
    lines = [line for block in blocks for line in block.lines if not line.script]
    rows, loose = _glyphs_to_rows(glyphs, lines)
    others = list(_loose_to_rows(loose))
    if mode != "skip":
        rows, others, more = _sound(rows, others, page, ink, recognizer)
        faults += more
    covered = _covered([glyph.box for row in [*rows, *others] for glyph in row.glyphs], ink)
    filled = {row.line: _row_to_line(row) for row in rows}
    unread = [line for line in lines if line not in filled and mode != "skip" and not _is_covered(line, ink, covered)]
    told = [_filled(block, filled, unread) for block in blocks]
    why = f", as {faults[0]}" if faults else ""
    if not rows and not others:
        step = f"its own text layer is not used{why}"
    else:
        step = "its own text layer is used" + (f" but for {len(unread)} lines{why}" if unread else "")
    return replace(page, steps=(*page.steps, step)), tuple(_insert([block for block in told if block.lines], others))


def _placed(page: PageImage) -> list[LayerGlyph]:
    """The layer where it is on the page as read."""
    if not page.scan:
        return list(page.layer)
    boxes = [glyph.box for glyph in page.layer]
    corners = np.array([[(b.left, b.top), (b.right, b.top), (b.right, b.bottom), (b.left, b.bottom)] for b in boxes], np.float64)
    places = cv2.perspectiveTransform(corners.reshape(-1, 1, 2), np.linalg.inv(np.reshape(page.scan.matrix, (3, 3)))).reshape(-1, 4, 2)
    ends = np.concatenate([places.min(axis=1), places.max(axis=1)], axis=1).tolist()
    return [replace(glyph, box=Box(*end)) for glyph, end in zip(page.layer, ends, strict=True)]


def _seen(glyphs: Sequence[LayerGlyph], ink: np.ndarray, mode: str) -> tuple[list[LayerGlyph], list[str]]:
    """The characters that count, folded: spaces and, unless the layer is to stay as it is, those that lie on ink; and what is wrong."""
    glyphs = [replace(glyph, char="".join(map(_fold, glyph.char))) for glyph in glyphs]
    if mode == "skip":
        return glyphs, []
    sums = cv2.integral(ink)
    spaces = [glyph.char.isspace() for glyph in glyphs]
    on_ink = [space or _ink_in(sums, glyph.box) > 0 for glyph, space in zip(glyphs, spaces, strict=True)]
    hidden = [ok for glyph, ok, space in zip(glyphs, on_ink, spaces, strict=True) if not glyph.visible and not space]
    misplaced = sum(hidden) < INKED * len(hidden)
    keeps_hidden = mode != "redo" and not misplaced
    faults = ["its invisible text does not lie on the visible"] if misplaced else []
    return [glyph for glyph, ok in zip(glyphs, on_ink, strict=True) if ok and (glyph.visible or keeps_hidden)], faults


def _fold(char: str) -> str:
    if "\ufe10" <= char <= "\ufe4f":  # punctuation of vertical text; some stand for half-width marks by name, all are full-width
        plain = "…" if char == "\ufe19" else unicodedata.normalize("NFKC", char)
        return chr(ord(plain) + 0xFEE0) if "!" <= plain <= "~" and len(plain) == 1 else plain
    return unicodedata.normalize("NFKC", char) if any(first <= ord(char) <= last for first, last in _FOLDED) else char


def _ink_in(sums: np.ndarray, box: Box) -> int:
    """Inked pixels in a box, of the integral image of the ink."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    left, right = (min(max(round(x), 0), width) for x in (box.left, box.right))
    top, bottom = (min(max(round(y), 0), height) for y in (box.top, box.bottom))
    return int(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


def _glyphs_to_rows(glyphs: Sequence[LayerGlyph], lines: Sequence[Line]) -> tuple[list[_Row], list[LayerGlyph]]:
    """Put each character into the line that it stands in, or nearest to it; also give those that stand in none, spaces left out."""
    boxes = np.array([(g.box.left, g.box.top, g.box.right, g.box.bottom) for g in glyphs], np.float64).reshape(-1, 4)
    nearest, least = np.full(len(glyphs), -1), np.full(len(glyphs), 0.5 + ABOVE)
    for index, line in enumerate(lines):
        box, places = _turned(line, line.box), boxes[:, [1, 0, 3, 2]] if line.vertical else boxes
        em = max(box.height, 1)
        across, down = (places[:, 0] + places[:, 2]) / 2, (places[:, 1] + places[:, 3]) / 2
        beside = np.maximum(np.maximum(box.left - across, across - box.right), 0) / em
        off = np.abs(down - (box.top + box.bottom) / 2) / em + beside
        near = (off < least) & (beside <= BESIDE) & (places[:, 3] - places[:, 1] < LARGE * em)
        nearest[near], least[near] = index, off[near]
    rows = []
    for index, line in enumerate(lines):
        here = [glyphs[place] for place in np.flatnonzero(nearest == index).tolist()]
        drawn = any(glyph.visible and not glyph.char.isspace() for glyph in here)
        here = [glyph for glyph in here if glyph.visible == drawn]
        if any(not glyph.char.isspace() for glyph in here):
            rows.append(_Row(line, tuple(sorted(here, key=lambda glyph: _middle(line, glyph)))))
    return rows, [glyphs[place] for place in np.flatnonzero(nearest < 0).tolist() if not glyphs[place].char.isspace()]


def _loose_to_rows(glyphs: Sequence[LayerGlyph]) -> Iterator[_Row]:
    """Gather characters that follow one another closely in the file into lines of their own."""
    row: list[LayerGlyph] = []
    for glyph in [*glyphs, None]:
        if row and (glyph is None or not _follows(row[-1], glyph)):
            lefts, tops, rights, bottoms = zip(*((g.box.left, g.box.top, g.box.right, g.box.bottom) for g in row), strict=True)
            box = Box(min(lefts), min(tops), max(rights), max(bottoms))
            yield _Row(Line(box, vertical=row[0].quarters % 2 == 1), tuple(row))
            row = []
        if glyph:
            row.append(glyph)


def _follows(before: LayerGlyph, after: LayerGlyph) -> bool:
    """Whether a character goes on the line of the one before."""
    one, other = before.box, after.box
    if before.quarters != after.quarters or before.visible != after.visible:
        return False
    if before.quarters % 2:
        one, other = Box(one.top, one.left, one.bottom, one.right), Box(other.top, other.left, other.bottom, other.right)
    apart = max(other.left - one.right, one.left - other.right)
    return apart < one.height and abs(one.top + one.bottom - other.top - other.bottom) < one.height


def _sound(
    rows: Sequence[_Row], others: Sequence[_Row], page: PageImage, ink: np.ndarray, recognizer: ChunkReader
) -> tuple[list[_Row], list[_Row], list[str]]:
    """The rows whose text is sound, of those in lines and of the others; and what is wrong with the rest."""
    faults = []
    mapped = [row for row in rows if all(map(_is_mapped, row.glyphs))]
    if len(mapped) < len(rows):
        faults.append("characters in it have no Unicode")
    whole = [row for row in mapped if _is_whole(row, ink)]
    true = {visible for visible in AGREEMENT if _agrees([row for row in whole if row.visible == visible], visible, page, recognizer)}
    if any(row.visible not in true for row in whole):
        faults.insert(0, "it says something else than the page shows")
    # Invisible text where layout sees no line has nothing to be judged by.
    others = [row for row in others if row.visible and row.visible in true and all(map(_is_mapped, row.glyphs))]
    return [row for row in whole if row.visible in true], others, faults


def _is_mapped(glyph: LayerGlyph) -> bool:
    """Whether Unicode has all its characters: none is private, unassigned or a control."""
    return all(char != "\ufffd" and unicodedata.category(char) not in ("Co", "Cn", "Cs", "Cc") for char in glyph.char if not char.isspace())


def _is_whole(row: _Row, ink: np.ndarray) -> bool:
    """Whether the characters of a row cover the ink of its line."""
    box = row.line.box
    crop = ink[max(round(box.top), 0) : round(box.bottom), max(round(box.left), 0) : round(box.right)]
    inked: np.ndarray = crop.max(axis=int(row.line.vertical), initial=0)
    start, pad = _turned(row.line, box).left, BESIDE * _turned(row.line, box).height
    under = np.zeros_like(inked, bool)
    for glyph in row.glyphs:
        if not glyph.char.isspace():
            place = _turned(row.line, glyph.box)
            under[max(round(place.left - start - pad), 0) : max(round(place.right - start + pad), 0)] = True
    return bool(inked[under].sum() >= COVERED * inked.sum())


def _agrees(rows: Sequence[_Row], visible: bool, page: PageImage, recognizer: ChunkReader) -> bool:
    """Whether sure readings of the longest of some rows agree with them; where none is sure nothing speaks against the rows."""
    sample = [_beginning(row) for row in sorted(rows, key=lambda row: -len(row.glyphs))[: SAMPLE_LINES[visible]]]
    chunks = [chunk for number, row in enumerate(sample) for chunk in line_to_chunks(page.gray, row.line, number)]
    pairs = zip(chunks, recognizer.read(chunks, len(chunks) or 1), strict=True)
    same = total = 0
    for number, of_row in groupby(pairs, key=lambda pair: pair[0].line):
        parts, readings = zip(*of_row, strict=True)
        reading = readings_to_line(parts, readings, sample[number].line, recognizer.charset)
        if reading.confidence >= SURE:
            texts = _letters(reading), _letters(_row_to_line(sample[number]))
            same += 2 * sum(match.size for match in SequenceMatcher(None, *texts, autojunk=False).get_matching_blocks())
            total += sum(map(len, texts))
    return same >= AGREEMENT[visible] * total


def _beginning(row: _Row) -> _Row:
    """A row cut off after SAMPLE_WIDTH."""
    box = _turned(row.line, row.line.box)
    glyphs = tuple(glyph for glyph in row.glyphs if _turned(row.line, glyph.box).right < box.left + SAMPLE_WIDTH * box.height) or row.glyphs
    box = replace(box, right=min(box.right, max(box.left, *(_turned(row.line, glyph.box).right for glyph in glyphs))))
    bands = tuple(replace(band, right=min(band.right, box.right)) for band in row.line.bands if band.left < box.right)
    return _Row(replace(row.line, box=_turned(row.line, box), bands=bands), glyphs)


def _letters(line: Line) -> str:
    """What counts when readings are compared: letters and digits, not punctuation, of which there are full and half widths."""
    text = unicodedata.normalize("NFKC", "".join(glyph.char for glyph in line.glyphs))
    return "".join(char for char in text if char.isalnum())


def _row_to_line(row: _Row) -> Line:
    """A row as a line that is read, with spaces where the layer has them or leaves room for them."""
    glyphs: list[Glyph] = []
    before: LayerGlyph | None = None
    for glyph in row.glyphs:
        place = _turned(row.line, glyph.box)
        if glyph.char.isspace():
            glyphs.append(Glyph(" ", place.left, place.right, 1.0))
            continue
        if before:
            last = _turned(row.line, before.box)
            if glyph.char == before.char and abs(place.left - last.left) < SAME * last.width:
                continue
            narrow = not (is_wide(before.char[-1]) or is_wide(glyph.char[0]))
            if narrow and place.left - last.right > SPACE * min(place.height, last.height):
                glyphs.append(Glyph(" ", last.right, place.left, 1.0))
        before = glyph
        width = place.width / len(glyph.char)
        glyphs += [Glyph(char, place.left + index * width, place.left + (index + 1) * width, 1.0) for index, char in enumerate(glyph.char)]
    return replace(row.line, glyphs=without_idle_spaces(glyphs, _turned(row.line, row.line.box).height), layer=True)


def _covered(boxes: Iterable[Box], ink: np.ndarray) -> np.ndarray:
    """The insides of boxes on the page, uint8 (H, W)."""
    covered = np.zeros_like(ink)
    for box in boxes:
        covered[max(round(box.top), 0) : max(round(box.bottom), 0), max(round(box.left), 0) : max(round(box.right), 0)] = 1
    return covered


def _is_covered(line: Line, ink: np.ndarray, covered: np.ndarray) -> bool:
    """Whether the ink of a line is that of characters in other lines."""
    box = line.box
    here = slice(max(round(box.top), 0), round(box.bottom)), slice(max(round(box.left), 0), round(box.right))
    return bool((ink[here] & covered[here]).sum() >= COVERED * ink[here].sum())


def _filled(block: Block, filled: Mapping[Line, Line], unread: Sequence[Line]) -> Block:
    """A block whose lines have the layer's text, or are to be read, its super- and subscripts behind them; no others."""
    lines: list[Line] = []
    for line in block.lines:
        if not line.script:
            host = line
            lines += [filled[line]] if line in filled else [line] if line in unread else []
        elif host in filled:
            glyphs = list(lines[-1].glyphs)
            for index in holding(glyphs, line):
                glyphs[index] = replace(glyphs[index], script=0 if is_wide(glyphs[index].char) else line.script)
            lines[-1] = replace(lines[-1], glyphs=tuple(glyphs))
        elif host in unread:
            lines.append(line)
    return replace(block, lines=tuple(lines))


def _insert(blocks: Sequence[Block], rows: Sequence[_Row]) -> Iterator[Block]:
    """Put rows that stand in no block behind the last block that begins above them and is not beside them."""
    places: dict[int, list[Line]] = {}
    for row in rows:
        line = _row_to_line(row)
        above = [
            place
            for place, box in enumerate(block.box for block in blocks)
            if box.top <= line.box.top and box.left < line.box.right and line.box.left < box.right
        ]
        places.setdefault(max(above, default=-1), []).append(line)
    for place in range(-1, len(blocks)):
        if place >= 0:
            yield blocks[place]
        if place in places:
            yield Block("text", tuple(places[place]))


def _turned(line: Line, box: Box) -> Box:
    """A box with its sides swapped if the line it is of is vertical, so that text runs from left to right."""
    return Box(box.top, box.left, box.bottom, box.right) if line.vertical else box


def _middle(line: Line, glyph: LayerGlyph) -> float:
    box = _turned(line, glyph.box)
    return (box.left + box.right) / 2
