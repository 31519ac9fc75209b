"""What layout found, drawn over its page: blocks, lines, where lines are cut into chunks, and the order of reading."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from docrec.chunk import line_to_chunks
from docrec.document import Block, Box, Line

Color = tuple[int, int, int]  # red, green, blue

PALE = 0.5  # of the page's own contrast, that what is drawn stands out
TINT = 0.25  # opacity of what fills an area
KIND_COLORS: dict[str, Color] = {
    "text": (31, 119, 180),
    "title": (214, 39, 40),
    "header": (140, 86, 75),
    "footer": (140, 86, 75),
    "footnote": (150, 150, 0),
    "note": (100, 100, 100),
    "caption": (0, 160, 130),
    "table": (148, 103, 189),
    "formula": (0, 170, 220),
    "figure": (227, 119, 194),
}
SCRIPT: Color = (255, 0, 255)
CUT: Color = (255, 127, 14)
ORDER: Color = (0, 140, 0)
LABEL = 0.6  # height of a label's digits, in those of the page's ordinary lines


def draw_layout(gray: np.ndarray, blocks: Sequence[Block]) -> np.ndarray:
    """Draw the blocks of a page over it.

    A block has a frame and a label, its kind and number, in the colour of its kind; a line a thin box, its em band, and its number in the
    order of reading; a super- or subscript a box in magenta. Where two chunks of a line overlap is filled in orange. A green arrow leads
    from the end of each line to the beginning of the next. In a table, row and column of a line's cell stand behind its number.

    Args:
        gray: uint8 (H, W), the page as layout saw it.
        blocks: what layout found.

    Returns:
        uint8 (H, W, 3), red, green and blue.
    """
    picture = cv2.cvtColor((255 - PALE * (255.0 - gray)).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    lines = [line for block in blocks for line in block.lines]
    if not lines:
        return picture
    em = float(np.median([line.box.width if line.vertical else line.box.height for line in lines]))
    thin = max(1, round(em / 16))
    for number, line in enumerate(lines):
        for overlap in () if line.script else _overlaps(gray, line, number):
            _fill(picture, overlap, CUT)
    for first, second in pairwise(line for line in lines if not line.script):
        start, end = _ends(first)[1], _ends(second)[0]
        length = max(1.0, float(np.hypot(end[0] - start[0], end[1] - start[1])))
        cv2.arrowedLine(picture, start, end, ORDER, thin, cv2.LINE_AA, tipLength=em / 2 / length)
    number = 0
    for place, block in enumerate(blocks, start=1):
        color = KIND_COLORS[block.kind]
        for line in block.lines:
            number += 1
            _frame(picture, line.box, SCRIPT if line.script else color, thin)
            cell = f" {line.cell[0]},{line.cell[1]}" if line.cell else ""
            _write(picture, f"{number}{cell}", line.box.left - em / 2, line.box.top, 0.7 * em, ORDER)
        margin = em / 4
        box = block.box
        around = Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)
        _frame(picture, around, color, 2 * thin)
        _write(picture, f"{block.kind} {place}", around.left, around.top, em, color)
    return picture


def _overlaps(gray: np.ndarray, line: Line, number: int) -> list[Box]:
    """Where the chunks of a line overlap."""
    box = line.box
    spans = [(after.left, max(before.right, after.left)) for before, after in pairwise(line_to_chunks(gray, line, number))]
    return [Box(box.left, low, box.right, high) if line.vertical else Box(low, box.top, high, box.bottom) for low, high in spans]


def _ends(line: Line) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where a line begins and ends, as (x, y)."""
    box = line.box
    across, down = round((box.left + box.right) / 2), round((box.top + box.bottom) / 2)
    if line.vertical:
        return (across, round(box.top)), (across, round(box.bottom))
    return (round(box.left), down), (round(box.right), down)


def _frame(picture: np.ndarray, box: Box, color: Color, thickness: int) -> None:
    cv2.rectangle(picture, (round(box.left), round(box.top)), (round(box.right), round(box.bottom)), color, thickness)


def _fill(picture: np.ndarray, box: Box, color: Color) -> None:
    area = picture[max(0, round(box.top)) : max(0, round(box.bottom)), max(0, round(box.left)) : max(0, round(box.right))]
    area[:] = ((1 - TINT) * area + TINT * np.array(color)).round()


def _write(picture: np.ndarray, text: str, left: float, bottom: float, size: float, color: Color) -> None:
    """Write a label whose digits are `size` × LABEL pixels high above a place, within the picture."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    scale = cv2.getFontScaleFromHeight(font, max(7, round(LABEL * size)))
    (width, height), _ = cv2.getTextSize(text, font, scale, 1)
    place = (max(0, min(round(left), picture.shape[1] - width)), max(height, round(bottom)))
    cv2.putText(picture, text, place, font, scale, (255, 255, 255), max(3, round(size / 8)), cv2.LINE_AA)
    cv2.putText(picture, text, place, font, scale, color, max(1, round(size / 16)), cv2.LINE_AA)
