"""Text lines of a page, in reading order: connected components and morphology, no learned model.

A page becomes lines by a chain of values, each a function of the one before:

    gray ─▶ ink ─▶ em ─▶ rules, parts ─▶ runs ─▶ columns ─▶ lines ─▶ boxes
"""

import math

import cv2

from docrec.band import lines_to_boxes
from docrec.blocks import column_to_lines, runs_to_columns
from docrec.document import Block, Box, Line
from docrec.ink import gray_to_ink, ink_to_rules, ink_without_rules, mask_to_parts, parts_to_em
from docrec.options import LAYOUTS
from docrec.runs import is_text, parts_to_runs
from docrec.source import PageImage

MAX_PIXELS = 9_000_000  # a larger page is searched at a fraction of its resolution


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
    lines = tuple(Line(box) for box in find_lines(page))
    return (Block("text", lines),) if lines else ()


def find_lines(page: PageImage) -> tuple[Box, ...]:
    """The boxes of a page's lines, see `find_blocks`."""
    height, width = page.gray.shape
    reduction = max(1.0, math.sqrt(height * width / MAX_PIXELS))
    gray = page.gray
    if reduction > 1:
        gray = cv2.resize(gray, (math.ceil(width / reduction), math.ceil(height / reduction)), interpolation=cv2.INTER_AREA)
    ink = gray_to_ink(gray)
    em = parts_to_em(mask_to_parts(ink))
    if not em:
        return ()
    levels, uprights = ink_to_rules(ink, em)
    text = ink_without_rules(ink, levels, uprights)
    runs = [run for run in parts_to_runs(mask_to_parts(text), uprights, em) if is_text(run, text, em)]
    columns = runs_to_columns(runs, levels, em)
    lines = [line for column in columns for line in column_to_lines(column, uprights, em)]
    boxes = lines_to_boxes(lines, text, em)
    return tuple(Box(box.left * reduction, box.top * reduction, box.right * reduction, box.bottom * reduction) for box in boxes)
