"""Vertical Chinese text: where on a page characters stand closer to those below than to those beside them.

What stands closest is joined first: as the gaps that are closed grow, text grows into lines, and each piece of it belongs to the first
line that it is part of, an upright or a level one.
"""

import math

import cv2
import numpy as np

from docrec.document import Box
from docrec.ink import Parts, mask_to_parts, sizes

CELLS = 10  # of the grid on which gaps are closed, in an em
GAPS = (0.2, 0.4, 0.6)  # em; gaps within a line that are closed, one after the other
LINE = (4.0, 3.0)  # least length of a line, in em and in its own widths
COLUMN = (0.7, 2.5)  # em; width of a column
BESIDE = 3  # em; columns of one zone are no farther apart,
BELOW = 3  # and its tiers
EDGE = 0.6  # em; what stands out of a zone's columns above and below
COLUMNS = 2  # a zone has at least so many,
AMONG_LEVEL = 3  # or so many on a page that has more level text
INKED = 0.1  # of a column's box, at least; rules and curves have less, blots
BLACK = 0.6  # more


def find_vertical(ink: np.ndarray, em: float) -> list[Box]:
    """Find the zones of a page in which text is set vertically.

    Args:
        ink: uint8 (H, W), 1 = ink, without rules.
        em: ink height of the page's ordinary Hanzi, in pixels.

    Returns:
        The zones in the order of reading; none for a page of ordinary text.
    """
    cell = em / CELLS
    size = (math.ceil(ink.shape[1] / cell), math.ceil(ink.shape[0] / cell))
    grid = (cv2.resize(ink * 255, size, interpolation=cv2.INTER_AREA) > 40).view(np.uint8)
    left = grid.copy()
    upright, level = [np.empty((0, 4), np.int32)], [np.empty((0, 4), np.int32)]
    for gap in GAPS:
        side = round(gap * CELLS) + 1
        parts = mask_to_parts(cv2.morphologyEx(left, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)))
        widths, heights = sizes(parts)
        long, slim = LINE
        columns = parts[(heights > long * CELLS) & (heights > slim * widths)]
        rows = parts[(widths > long * CELLS) & (widths > slim * heights)]
        upright.append(columns)
        level.append(rows)
        for start, top, end, bottom in np.concatenate([columns, rows]).tolist():
            left[top:bottom, start:end] = 0
    rest = mask_to_parts(left)
    columns, rows = np.concatenate(upright), np.concatenate(level)
    columns = columns[[_is_text(grid[top:bottom, start:end]) for start, top, end, bottom in columns.tolist()]]
    needed = COLUMNS if sizes(columns)[1].sum() > sizes(rows)[0].sum() else AMONG_LEVEL
    zones = [_with_short_columns(zone, rest) for zone, count in _columns_to_zones(columns, grid.shape) if count >= needed]
    return [Box(*(edge * cell for edge in zone)) for zone in sorted(zones, key=lambda zone: (zone[1], -zone[2]))]


def _is_text(column: np.ndarray) -> bool:
    """Whether a piece of the grid may be a column, being neither too narrow or wide nor a curve or a blot."""
    return bool(COLUMN[0] * CELLS < column.shape[1] < COLUMN[1] * CELLS and INKED < column.mean() < BLACK)


def _columns_to_zones(columns: Parts, shape: tuple[int, ...]) -> list[tuple[list[int], int]]:
    """Gather columns that stand side by side or in tiers: left, top, right and bottom of each zone, and its number of columns."""
    painted = np.zeros(shape, np.uint8)
    for left, top, right, bottom in columns.tolist():
        painted[top:bottom, left:right] = 1
    near = np.ones((BELOW * CELLS + 1, BESIDE * CELLS + 1), np.uint8)
    owners = cv2.connectedComponents(cv2.morphologyEx(painted, cv2.MORPH_CLOSE, near))[1][columns[:, 1], columns[:, 0]]
    groups = [columns[owners == owner] for owner in np.unique(owners)]
    return [([*group[:, :2].min(axis=0).tolist(), *group[:, 2:].max(axis=0).tolist()], len(group)) for group in groups]


def _with_short_columns(zone: list[int], parts: Parts) -> list[int]:
    """Extend a zone by what stands beside it between its top and bottom, and by an edge."""
    edge = round(EDGE * CELLS)
    left, top, right, bottom = zone[0], zone[1] - edge, zone[2], zone[3] + edge
    beside = parts[(parts[:, 1] >= top) & (parts[:, 3] <= bottom)]
    reach = BESIDE * CELLS
    for start, end in [*sorted(beside[:, [0, 2]].tolist()), *sorted(beside[:, [0, 2]].tolist(), reverse=True)]:
        if start < right + reach and end > left - reach:
            left, right = min(left, start), max(right, end)
    return [max(left - edge, 0), max(top, 0), right + edge, bottom]
