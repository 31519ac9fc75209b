"""A column of vertical text set as a row: its characters, one below the other, side by side, so that the recogniser can read them.

What vertical setting turns or moves is put back: brackets and dashes are turned, as are Latin words, and stops go to the lower left.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

INK = 0.35  # of full ink; less is the blur about a stroke

# Of a cell, in pitches, the distance from one character to the next.
PITCH = (0.95, 1.8)  # em; where distances between characters lie
USUAL_PITCH = 1.08  # em; a column too short to tell
CELL = (0.4, 1.5)  # shortest and longest cell
SPREAD = 0.12  # by which cells ordinarily differ from the pitch
SLACK = 0.75  # by which a cell with a stop may go beyond the ink of its column
HALF = 0.55  # punctuation may be set in half a cell
HALF_INK = 0.13  # of a square em, no more of which punctuation covers
HALF_COST = 1.0
CUT_COST = 30.0  # for a cut through ink all over the column
FULL = 0.7  # em; what is as high or wide stands in the middle of its cell

# Forms of punctuation, sizes in em.
FLAT = (0.45, 0.55)  # a turned bracket is at least as wide, and at most as high,
THIN = 0.22  # unlike the Hanzi for one it is higher than this, or
OFF_MIDDLE = 0.13  # and its middle is at least so far from that of its cell
NARROW = 0.32  # a turned dash, or ellipsis, is no wider
LONG = 0.8  # and at least as high
MARK = 0.5  # a comma or stop is no larger, a colon or question mark higher, and all stand
TIP = 0.15  # by which what is above or below may come into its cell
STOP_RIGHT = 0.1  # so far to the right of the middle, at least;
STOP_LEFT = 0.1  # in level text so far from the beginning of the cell,
STOP_BOTTOM = 0.02  # commas and stops so far above the bottom of the Hanzi

# Words turned on their side, in em.
WORD_LETTERS = 3  # that stand on the line; shorter words are set upright
LEVEL = 0.7  # share of the letters that do
LETTER = (0.2, 0.8)  # usual length of a letter, and mean length with the gap after it: strokes of Hanzi are thinner, Hanzi longer
RISE = (0.4, 0.84)  # of the highest letter above the line
DESCENDER = 0.3
ON_LINE = 0.05  # by which letters may miss their line: parts of Hanzi do by more
WORD_GAP = 0.4
BASELINE = 0.13  # above the bottom of the Hanzi


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands at rows `start` to `end` of a column: one character, or a word on its side."""

    start: int
    end: int
    is_word: bool = False


def column_to_row(ink: np.ndarray, em: float) -> np.ndarray:
    """Set a column as a row.

    Args:
        ink: float32 (H, W), 1 = ink: the column, its Hanzi in the middle.
        em: size of its Hanzi's ink, in pixels.

    Returns:
        float32 (W, H): what stood at row y of the column is about column y.
    """
    cells = column_to_cells(ink, em)
    row = np.zeros(ink.T.shape, np.float32)
    rest = ink.copy()
    for cell in cells:
        if cell.is_word:
            _place(row, _word(ink, cell, em), cell)
            rest[cell.start : cell.end] = 0
    for cell in cells:
        if not cell.is_word:
            _place(row, _character(rest, cell, em), cell)
    return row


def column_to_cells(ink: np.ndarray, em: float) -> list[Cell]:
    """Cut a column between its characters; for `ink` and `em` see `column_to_row`."""
    pieces = _pieces(ink.max(axis=1))
    words = _words(ink, pieces, em)
    edges = [0, *(edge for word in words for edge in (word.start, word.end)), len(ink)]
    pitch = _pitch(pieces, em)
    between = [cell for start, end in zip(edges[::2], edges[1::2], strict=True) for cell in _cells(ink, start, end, pitch, em)]
    return sorted([*words, *between], key=lambda cell: cell.start)


def _pieces(ink: np.ndarray) -> list[tuple[int, int]]:
    """Where ink follows on ink, as (start, end)."""
    changes = np.flatnonzero(np.diff(np.r_[False, ink > INK, False].astype(np.int8)))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))


def _pitch(pieces: list[tuple[int, int]], em: float) -> float:
    """The usual distance from one character to the next, in pixels, judged from those that stand apart and whole."""
    middles = [(start + end) / 2 for start, end in pieces if 0.8 * em < end - start < 1.1 * em]
    low, high = PITCH
    distances = [after - before for before, after in pairwise(middles) if low * em < after - before < high * em]
    return float(np.median(distances)) if len(distances) > 2 else USUAL_PITCH * em


def _cells(ink: np.ndarray, start: int, end: int, pitch: float, em: float) -> list[Cell]:
    """Cut rows `start` to `end` into characters, evenly and through little ink, by dynamic programming.

    The first cell may begin above, and the last end below, as far as a stop leaves its cell empty.
    """
    amount = ink[start:end].sum(axis=1) / em
    inked = np.flatnonzero(amount > INK / em)
    if not inked.size:
        return []
    slack = round(SLACK * pitch)
    amount = np.pad(amount, slack)
    first_ink, last_ink = inked[0] + slack, inked[-1] + 1 + slack
    padded = np.pad(amount, 1, constant_values=np.inf)
    lowest = (amount <= padded[:-2]) & (amount <= padded[2:])
    lowest[[first_ink, last_ink]] = True
    places = np.flatnonzero(lowest)
    filled = np.r_[0, np.cumsum(amount)][places] / em
    costs = np.where(places <= first_ink, 0.0, np.inf)
    origins = np.zeros(len(places), int)
    low, high = CELL
    begins = np.searchsorted(places, places - high * pitch).tolist()
    stops = np.searchsorted(places, places - low * pitch, side="right").tolist()
    for place in np.flatnonzero(places > first_ink).tolist():
        before = slice(begins[place], stops[place])
        if before.start == before.stop:
            continue
        lengths = (places[place] - places[before]) / pitch
        evenness = ((lengths - 1) / SPREAD) ** 2
        halves = np.where(filled[place] - filled[before] < HALF_INK, HALF_COST + ((lengths - HALF) / SPREAD) ** 2, np.inf)
        sums = costs[before] + np.minimum(evenness, halves)
        best = int(np.argmin(sums))
        costs[place], origins[place] = sums[best] + CUT_COST * amount[places[place]], before.start + best
    ends = np.flatnonzero(places >= last_ink)
    place = int(ends[np.argmin(costs[ends])])
    cells = []
    while places[place] > first_ink and np.isfinite(costs[place]):
        cells.append(Cell(start - slack + int(places[origins[place]]), start - slack + int(places[place])))
        place = int(origins[place])
    return cells[::-1] or [Cell(start, end)]


def _words(ink: np.ndarray, pieces: list[tuple[int, int]], em: float) -> list[Cell]:
    """Words that lie on their side: letters, smaller than Hanzi, on a common line to their left."""
    boxes = [(start, end, *_extent(ink[start:end].max(axis=0))) for start, end in pieces]
    words = []
    index = done = 0
    while index < len(boxes):
        if span := _word_at(boxes, index, done, em):
            words.append(Cell(boxes[span[0]][0], boxes[span[1]][1], is_word=True))
            index = done = span[1] + 1
        else:
            index += 1
    return words


def _word_at(boxes: list[tuple[int, int, int, int]], index: int, done: int, em: float) -> tuple[int, int] | None:
    """The first and last letter of the word whose first letter to stand on its line is `index`; it may begin before, from `done` on.

    Args:
        boxes: of the pieces of a column: top, bottom, left, right.
    """
    start, end, line, height = boxes[index]
    if end - start > LETTER[1] * em:
        return None

    def fits(other: int) -> bool:
        start, end, left, right = boxes[other]
        is_short = end - start < LETTER[1] * em or right - left < FULL * em
        is_capital = max(abs(left - line), abs(right - height)) <= ON_LINE * em
        return left - line > -DESCENDER * em and max(right - line, right - left) < RISE[1] * em and (is_short or is_capital)

    def stands(other: int) -> bool:
        return abs(boxes[other][2] - line) <= ON_LINE * em

    first = last = index
    while first > done and fits(first - 1) and boxes[first - 1][2] < line and boxes[first][0] - boxes[first - 1][1] < WORD_GAP / 2 * em:
        first -= 1  # a letter that descends
    for other in range(index + 1, len(boxes)):
        if not fits(other) or boxes[other][0] - boxes[other - 1][1] > WORD_GAP * em or not (stands(other) or stands(other - 1)):
            break
        last = other if boxes[other][2] <= line + ON_LINE * em else last
    letters = boxes[first : last + 1]
    standing = sum(stands(other) for other in range(first, last + 1))
    is_word = (
        standing >= max(WORD_LETTERS, LEVEL * len(letters))
        and np.median([end - start for start, end, _, _ in letters]) >= LETTER[0] * em
        and letters[-1][1] - letters[0][0] <= LETTER[1] * em * len(letters)
        and max(right for _, _, _, right in letters) - line >= RISE[0] * em
    )
    return (first, last) if is_word else None


def _extent(ink: np.ndarray) -> tuple[int, int]:
    """Where ink begins and ends; (0, 0) if there is none."""
    places = np.flatnonzero(ink > INK)
    return (int(places[0]), int(places[-1]) + 1) if places.size else (0, 0)


def _word(ink: np.ndarray, cell: Cell, em: float) -> np.ndarray:
    """A word turned upright, on the baseline of horizontal text: float32 (W, length)."""
    word = np.rot90(ink[cell.start : cell.end])
    tops = [_extent(column)[1] for column in word.T]
    baseline = float(np.median([top for top in tops if top]))
    return _shifted(word, round((len(word) + em) / 2 - BASELINE * em - baseline), 0)


def _character(ink: np.ndarray, cell: Cell, em: float) -> np.ndarray:
    """A character as it stands in horizontal text: float32 (W, W), in the middle of its cell."""
    side = ink.shape[1]
    middle = (cell.start + cell.end) // 2
    square = np.zeros((side, side), np.float32)
    begin, end = max(cell.start, middle - side // 2, 0), min(cell.end, middle - side // 2 + side, len(ink))
    square[begin - middle + side // 2 : end - middle + side // 2] = ink[begin:end]
    first, last = begin - middle + side // 2, end - middle + side // 2
    mark = _without_remains(square, first, last, em)
    top, bottom, left, right = *_extent(mark.max(axis=1)), *_extent(mark.max(axis=0))
    width, height = (right - left) / em, (bottom - top) / em
    across, down = ((left + right) / 2 - side / 2) / em, ((top + bottom) / 2 - side / 2) / em
    is_bracket = width >= FLAT[0] and height <= FLAT[1] and (abs(down) > OFF_MIDDLE or height > THIN)
    is_dash = width <= NARROW and height >= LONG and abs(across) < OFF_MIDDLE and len(_pieces(mark.max(axis=1))) != 2  # as "!" has
    if is_bracket or is_dash:
        return np.rot90(mark)
    if 0 < width <= MARK and across > STOP_RIGHT and not _is_double(mark):
        wall = (side - (cell.end - cell.start)) / 2 + STOP_LEFT * em
        floor = (side + em) / 2 - STOP_BOTTOM * em if height <= MARK else bottom
        return _shifted(mark, round(floor - bottom), round(wall - left))
    if max(width, height) >= FULL:
        top, bottom = _extent(square.max(axis=1))
        return _shifted(square, round((side - top - bottom) / 2), 0)
    return square


def _without_remains(square: np.ndarray, begin: int, end: int, em: float) -> np.ndarray:
    """A cell's picture, its ink in rows `begin` to `end`, less the tips of its neighbours that come into it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((square > INK / 2).view(np.uint8))
    tops, heights = stats[:, cv2.CC_STAT_TOP], stats[:, cv2.CC_STAT_HEIGHT]
    tips = (heights <= TIP * em) & ((tops == begin) | (tops + heights == end)) & (np.arange(count) > 0)
    return np.where(tips[labels], 0, square)


def _is_double(picture: np.ndarray) -> bool:
    """Whether two things stand side by side, as the strokes of a quotation mark."""
    return len(_pieces(picture.max(axis=0))) > 1


def _shifted(picture: np.ndarray, down: int, right: int) -> np.ndarray:
    """A picture moved; nothing comes in from outside."""
    moved = np.zeros_like(picture)
    height, width = picture.shape
    moved[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = picture[
        max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
    ]
    return moved


def _place(row: np.ndarray, picture: np.ndarray, cell: Cell) -> None:
    """Draw a picture into a row, about the middle of a cell."""
    left = (cell.start + cell.end) // 2 - picture.shape[1] // 2
    begin, end = max(left, 0), min(left + picture.shape[1], row.shape[1])
    if begin < end:
        row[:, begin:end] = np.maximum(row[:, begin:end], picture[:, begin - left : end - left])
