"""The text of a page in blocks of lines, in reading order: connected components and morphology, no learned model.

A page becomes blocks by a chain of values, each a function of the one before:

    gray ─▶ ink ─▶ em ─▶ rules, parts ─▶ runs ─▶ drafts ─▶ lines, boxes ─▶ blocks
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np

from docrec.band import line_to_sizes, lines_to_boxes, same_size, to_ink_extent, with_pale_stop
from docrec.blocks import Draft, Sheet, runs_to_drafts, runs_to_lines, within
from docrec.cards import find_cards, find_frames, find_panels, find_spans, find_strips, find_tints, without_corners
from docrec.codes import find_codes
from docrec.document import Block, Box, Line
from docrec.ink import (
    FAINT_INK,
    FAINT_RULE,
    INK_CONTRAST,
    Run,
    faint_rules,
    gray_to_ink,
    gray_to_inks,
    ink_to_rules,
    ink_without_rules,
    mask_to_parts,
    parts_to_em,
    sizes,
    with_faint,
    with_whole_marks,
)
from docrec.kinds import column_to_blocks, insert_notes, line_to_look, paragraphs, usual, with_captions
from docrec.margin import parts_to_margins
from docrec.options import LAYOUTS
from docrec.pictures import (
    MAX_RUNS,
    gray_to_pictures,
    has_words,
    in_focus,
    is_text,
    outside_pictures,
    parts_to_figures,
    pictures_to_frames,
    with_paper_around,
    without_broken_rules,
)
from docrec.runs import SPECK, parts_to_runs
from docrec.scripts import find_scripts
from docrec.source import PageImage
from docrec.tables import dashed_rules, low_frames, rules_to_grids, short_rules, without_ticks
from docrec.vertical import columns_to_boxes, find_vertical, insert_zones, without_zones, zone_to_turned

MIN_EM = 7  # px; smaller type cannot be read, and noise looks like it
MAX_PARTS = 40_000  # more of them are noise
SCATTER = 3  # times as many runs as a page of text has at most are noise, whatever they look like
ENOUGH_DPI = 200  # pixels per inch; a finer page is searched at a fraction of its resolution,
ENOUGH_PIXELS = 4_000_000  # if it has more than these, else its resolution is not to be believed;
MAX_PIXELS = 9_000_000  # and so is any page that has more than these
ASKEW = 2.0  # degrees; a page that was turned by more seems to begin and end
AROUND = 3.0  # em before and after its text
AROUND_DRAWING = (-2.5, 0.0, 2.5, 1.3)  # em from the lines of a chart to where its labels are, to the left, above, to the right, below


def find_blocks(page: PageImage, layout: str = LAYOUTS[0]) -> tuple[Block, ...]:
    """Find the text of an upright dark-on-light page.

    Args:
        page: the page, cleaned.
        layout: what is known of the page, one of LAYOUTS.

    Returns:
        Blocks in reading order, their lines not yet read. In a line's box, left and right are the extents of its ink; top and bottom
        are its em band, the vertical ink extent that full Hanzi of the line's type size have or would have. Of a vertical line these are
        top and bottom, and left and right. Empty for a page without text.
    """
    height, width = page.gray.shape
    if layout == "line":
        return _whole_page(page.gray)
    enough, most = (math.sqrt(height * width / pixels) for pixels in (ENOUGH_PIXELS, MAX_PIXELS))
    reduction = max(1.0, min(page.dpi / ENOUGH_DPI, enough), most)
    gray = page.gray
    if reduction > 1:
        filtering = cv2.INTER_AREA if reduction > 2 else cv2.INTER_LINEAR  # which is as good so far, and many times as fast
        gray = cv2.resize(gray, (math.ceil(width / reduction), math.ceil(height / reduction)), interpolation=filtering)
    return tuple(_scaled(block, reduction) for block in _find_blocks(gray, layout, _is_askew(page)))


def find_lines(page: PageImage) -> tuple[Box, ...]:
    """The boxes of a page's lines, super- and subscripts left out; see `find_blocks`."""
    return tuple(line.box for block in find_blocks(page) for line in block.lines if not line.script)


def _is_askew(page: PageImage) -> bool:
    """Whether a page was turned by more than a little to be straight: its canvas has white corners above and below it."""
    if not page.scan:
        return False
    a, _, _, d, *_ = page.scan.matrix
    return abs(math.remainder(math.degrees(math.atan2(d, a)), 90)) > ASKEW


def _find_blocks(gray: np.ndarray, layout: str, askew: bool = False, turned: bool = False) -> list[Block]:
    """The blocks of a page, which lay askew or not, or of a zone of vertical text so turned that its columns are rows."""
    ink, pale, palest = gray_to_inks(gray, INK_CONTRAST, FAINT_INK, FAINT_RULE)
    parts = mask_to_parts(ink)
    em = parts_to_em(parts)
    if em < MIN_EM:
        return []
    whole = with_whole_marks(ink, pale, em)
    if whole is not ink:
        ink, parts = whole, mask_to_parts(whole)
    frames = find_frames(ink, parts, em)
    codes = find_codes(parts, em) if len(parts) <= MAX_PARTS else parts[:0]
    if len(codes):
        ink = ink_without_rules(ink, codes, codes[:0])
    levels, uprights = (with_faint(rules, faint) for rules, faint in zip(ink_to_rules(ink, em), faint_rules(palest, em), strict=True))
    text = ink_without_rules(ink, levels, uprights)
    if not turned and (zones := find_vertical(text, em, layout)):
        inside = [(zone, _find_blocks(zone_to_turned(gray, zone), "vertical", turned=True)) for zone in zones]
        return insert_zones(_find_blocks(without_zones(gray, zones), "auto", askew), inside, len(gray))
    if len(levels) or len(uprights) or len(codes):
        parts = mask_to_parts(text)
    if (np.maximum(*sizes(parts)) > SPECK * em).sum() > MAX_PARTS:
        return []
    *dashed, parts = dashed_rules(parts, gray.shape, em)
    levels, uprights = np.concatenate([levels, dashed[0]]), np.concatenate([uprights, dashed[1]])
    lying, standing = short_rules(parts, levels, uprights, em)
    edges, parts = low_frames(parts, levels, text, em)
    levels, uprights = np.concatenate([levels, lying]), np.concatenate([uprights, standing, edges])
    parts = without_corners(parts, frames, em)
    pictures = gray_to_pictures(gray, em)
    grids, drawings = rules_to_grids(levels, uprights, em)
    figures = np.concatenate([parts_to_figures(parts, pictures, em), drawings + np.array(AROUND_DRAWING) * em]).astype(int)
    photographs = pictures_to_frames(pictures, em)
    parts, labels = outside_pictures(parts, pictures, photographs, gray, em)
    parts = without_ticks(parts, uprights, em)
    boxed = layout in ("auto", "columns")
    panels, tints = find_panels(find_tints(gray, em) if boxed else parts[:0], gray.shape, em)
    margins, walls = parts_to_margins(parts, uprights, em) if layout == "auto" and not panels else (parts[:0], parts[:0])
    walls = np.concatenate([walls, *(pair[1:, [0, 1, 0, 3]] for pair in panels)])
    cards = []
    if boxed:
        boxes = np.concatenate([frames, find_spans(levels, uprights, em)])
        cards = find_cards(tints, boxes, grids, em) + panels + find_strips(parts, levels, uprights, em)
    sheet = Sheet(levels, np.concatenate([uprights, walls]), grids, figures, cards, em, (0, len(gray)), layout)
    runs = parts_to_runs(parts, sheet.uprights, em)
    if len(labels):
        runs += with_paper_around(parts_to_runs(labels, uprights, em), gray, em)
    if len(runs) > SCATTER * MAX_RUNS:
        return []
    runs = without_broken_rules([run for run in runs if is_text(run, text, em)], em)
    if len(runs) > MAX_RUNS or not has_words(runs := in_focus(runs, gray), em):
        return []
    if askew and runs:
        sheet = replace(sheet, ends=(min(run.top for run in runs) - AROUND * em, max(run.bottom for run in runs) + AROUND * em))
    drafts = []
    for margin in margins.tolist():
        drafts.append(Draft("note", runs_to_lines([run for run in runs if within(run, margin)], sheet)))
        runs = [run for run in runs if not within(run, margin)]
    return _drafts_to_blocks(runs_to_drafts(runs, sheet) + [draft for draft in drafts if draft.lines], text, pale, sheet)


def _drafts_to_blocks(drafts: Sequence[Draft], ink: np.ndarray, pale: np.ndarray, sheet: Sheet) -> list[Block]:
    """Measure the lines of all blocks, and part what stands in a column by what it is."""
    runs = [run for draft in drafts for run in draft.lines]
    if not runs:
        return []
    is_vertical = sheet.layout == "vertical"
    of_lines = iter(map(_line, [[box] for box in columns_to_boxes(runs)] if is_vertical else _bands(runs, ink, pale, sheet.em)))
    lines = [[replace(next(of_lines), cell=draft.cells.get(run)) for run in draft.lines] for draft in drafts]
    pairs = zip(chain(*lines), runs, strict=True)
    scripts = {} if is_vertical else {line.box: find_scripts(run.glyphs, line) for line, run in pairs}
    looks = [[line_to_look(run, ink) for run in draft.lines] for draft in drafts]
    page = usual(list(chain(*lines)), list(chain(*looks)))
    blocks: list[Block] = []
    notes: list[Block] = []
    for draft, of_draft, how in zip(drafts, lines, looks, strict=True):
        if draft.kind == "note":
            notes += [Block("note", note) for note in paragraphs(of_draft)]
        elif draft.kind == "text":
            blocks += column_to_blocks(of_draft, how, page, sheet.levels, draft.foot)
        else:
            blocks.append(Block(draft.kind, tuple(of_draft)))
    shown = [Box(*figure) for figure in sheet.figures.tolist()] + [grid.box for grid in sheet.grids]
    return [_with_scripts(block, scripts) for block in insert_notes(list(with_captions(blocks, shown, page)), notes)]


def _bands(runs: Sequence[Run], ink: np.ndarray, pale: np.ndarray, em: float) -> list[list[Box]]:
    """The box of each line, or those of its pieces if its type is of several sizes."""
    pieces = [line_to_sizes(run, ink) for run in runs]
    boxes = iter(lines_to_boxes(list(chain(*pieces)), ink, em))
    lines = [[next(boxes) for _ in of_line] for of_line in pieces]
    return [[*before, with_pale_stop(last, pale)] for *before, last in lines]


def _line(boxes: Sequence[Box]) -> Line:
    """A line of these pieces, whose height is that of the widest; in pieces of one size after all, it is whole."""
    widest = max(boxes, key=lambda box: box.width)
    box = Box(boxes[0].left, widest.top, max(box.right for box in boxes), widest.bottom)
    if all(same_size(piece.height, widest.height) for piece in boxes):
        return Line(box)
    ends = [*(piece.left for piece in boxes[1:]), box.right]  # which an underline may pass
    return Line(box, bands=tuple(replace(piece, right=min(piece.right, end)) for piece, end in zip(boxes, ends, strict=True)))


def _with_scripts(block: Block, scripts: Mapping[Box, Sequence[Line]]) -> Block:
    """A block with the scripts of each line behind it."""
    return replace(block, lines=tuple(chain.from_iterable((line, *scripts.get(line.box, ())) for line in block.lines)))


def _whole_page(gray: np.ndarray) -> tuple[Block, ...]:
    """The page as one line, as high as its ink."""
    inked = np.flatnonzero(gray_to_ink(gray).any(axis=0))
    if not inked.size:
        return ()
    return (Block("text", (Line(to_ink_extent(gray, Box(int(inked[0]), 0, int(inked[-1]) + 1, len(gray)))),)),)


def _scaled(block: Block, scale: float) -> Block:
    """A block with the boxes of its lines so many times as large."""

    def scaled(box: Box) -> Box:
        return Box(box.left * scale, box.top * scale, box.right * scale, box.bottom * scale)

    lines = (replace(line, box=scaled(line.box), bands=tuple(map(scaled, line.bands))) for line in block.lines)
    return replace(block, lines=tuple(lines))
