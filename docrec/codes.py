"""Printed codes among the ink of a page, which are no text: the bars of barcodes, and QR codes."""

from itertools import product

import numpy as np

from docrec.ink import Parts, sizes, within_any

# Bars.
HIGH = 1.2  # em at least
ALIKE = 0.2  # em by which their ends differ, about
BARS = 12  # at least

# The three squares within squares in the corners of a QR code (ISO/IEC 18004), sizes as shares of the outer one.
SQUARE = 0.2  # by which width and height differ at most
INNER = (0.34, 0.52)  # size of the inner square, 3/7
CENTRED = 0.1  # by which its middle is off at most
APART = 1.8  # from the middle of one to that of the next, at least: 14/7
IN_LINE = 0.15  # by which two are off their row or column at most
MOST = 100  # more such squares are a pattern


def find_codes(parts: Parts, em: float) -> Parts:
    """Boxes of what is to be wiped out: bars one by one, QR codes whole."""
    return np.concatenate([_bars(parts, em), _qr_codes(parts)])


def _bars(parts: Parts, em: float) -> Parts:
    """Many slender parts, all as high and level."""
    widths, heights = sizes(parts)
    bars = parts[(heights > HIGH * em) & (widths < heights / 2)]
    ends = np.round(bars[:, [1, 3]] / (ALIKE * em)).astype(int)
    _, codes, counts = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    return bars[counts[codes.ravel()] >= BARS]


def _qr_codes(parts: Parts) -> Parts:
    """The squares whose corners but one are squares within squares, all of one size."""
    corners = _squares_in_squares(parts)
    if len(corners) > MOST:
        return parts[:0]
    size = (corners[:, 2:] - corners[:, :2]).max(axis=1)
    middles = (corners[:, :2] + corners[:, 2:]) / 2
    codes = []
    for corner, width, middle in zip(corners, size, middles, strict=True):
        x, y = ((middles - middle) / width).T
        same = abs(size / width - 1) < SQUARE
        level = np.flatnonzero(same & (abs(y) < IN_LINE) & (abs(x) > APART))
        upright = np.flatnonzero(same & (abs(x) < IN_LINE) & (abs(y) > APART))
        for one, other in product(level, upright):
            if abs(abs(x[one]) - abs(y[other])) < IN_LINE * 2:
                three = np.stack([corner, corners[one], corners[other]])
                code = np.r_[three[:, :2].min(axis=0), three[:, 2:].max(axis=0)]
                if within_any(corners, code[None]).sum() == 3:  # more are the characters 回 of some lines
                    codes.append(code)
    return np.array(codes, np.int32).reshape(-1, 4)


def _squares_in_squares(parts: Parts) -> Parts:
    """Square parts in whose middle another stands of the size that those in the corners of a QR code have."""
    widths, heights = sizes(parts)
    squares = parts[abs(widths - heights) <= SQUARE * np.maximum(widths, heights)]
    squares = squares[np.argsort(-sizes(squares)[0], kind="stable")]
    middles = squares[:, :2] + squares[:, 2:]
    found = set()
    cell = 8  # half pixels; the middles of two that belong together are in one cell, of either grid
    for shift in (0, cell // 2):
        _, cells = np.unique((middles + shift) // cell, axis=0, return_inverse=True)
        order = np.argsort(cells.ravel(), kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(cells.ravel()[order])) + 1):
            if len(group) > 1:
                found |= {
                    int(outer)
                    for index, outer in enumerate(group)
                    if any(_is_inner(squares[inner], squares[outer]) for inner in group[index + 1 :])
                }
    return squares[sorted(found)]


def _is_inner(inner: np.ndarray, outer: np.ndarray) -> bool:
    width = outer[2] - outer[0]
    off = abs(inner[:2] + inner[2:] - outer[:2] - outer[2:]).max() / 2
    return bool(INNER[0] * width < inner[2] - inner[0] < INNER[1] * width and off <= max(1, CENTRED * width))
