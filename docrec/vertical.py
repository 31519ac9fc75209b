"""Vertical Chinese text: where on a page characters stand closer to those below than to those beside them.

What stands closest is joined first: as the gaps that are closed grow, text grows into lines, and each piece of it belongs to the first
line that it is part of, an upright or a level one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from docrec.band import Band, even_band, nearest
from docrec.document import Block, Box
from docrec.ink import Parts, Run, mask_to_parts, sizes
from docrec.runs import paint

CELLS = 10  # of the grid on which gaps are closed, in an em
GAPS = (0.2, 0.4, 0.6)  # em; gaps within a line that are closed, one after the other
LINE = (4.0, 3.0)  # least length of a line, in em and in its own widths
COLUMN = (0.7, 2.5)  # em; width of a column
BESIDE = 3  # em; columns of one zone are no farther apart,
BELOW = 3  # and its tiers,
TIER_GAP = 1.3  # which are at least so far apart
EDGE = 0.6  # em; what stands out of a zone's columns above and below
COLUMNS = 2  # a zone has at least so many,
AMONG_LEVEL = 3  # or so many on a page that has more level text
EDGE_OF_PAGE = 0.12  # of its height; what stands there above or below all zones is a header or a footer
INKED = 0.1  # of a column's box, at least; rules and curves have less, blots
BLACK = 0.75  # more


def find_vertical(ink: np.ndarray, em: float, layout: str) -> list[Box]:
    """Find the zones of a page in which text is set vertically.

    Args:
        ink: uint8 (H, W), 1 = ink, without rules.
        em: ink height of the page's ordinary Hanzi, in pixels.
        layout: what is known of the page, one of options.LAYOUTS.

    Returns:
        The zones in the order of reading, in whole pixels; none for a page of level text.
    """
    if layout not in ("auto", "vertical"):
        return []
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
    needed = 1 if layout == "vertical" else COLUMNS if sizes(columns)[1].sum() > sizes(rows)[0].sum() else AMONG_LEVEL
    zones = [zone for zone, count in _columns_to_zones(columns, rest, grid.shape) if count >= needed]
    if layout == "vertical" and not zones:
        zones = [[0, 0, *grid.shape[::-1]]]
    zones = [tier for zone in zones for tier in _tiers(zone, grid)]
    height, width = ink.shape
    limits = (width, height, width, height)
    return [
        Box(*(min(round(edge * cell), limit) for edge, limit in zip(zone, limits, strict=True)))
        for zone in sorted(zones, key=lambda zone: (zone[1], -zone[2]))
    ]


def zone_to_turned(gray: np.ndarray, zone: Box) -> np.ndarray:
    """A zone of a page, turned a quarter to the left: its columns become rows, the first the uppermost."""
    return np.ascontiguousarray(np.rot90(gray[int(zone.top) : int(zone.bottom), int(zone.left) : int(zone.right)]))


def without_zones(gray: np.ndarray, zones: Sequence[Box]) -> np.ndarray:
    """A page with its zones painted white."""
    rest = gray.copy()
    for zone in zones:
        rest[int(zone.top) : int(zone.bottom), int(zone.left) : int(zone.right)] = 255
    return rest


def columns_to_boxes(columns: Sequence[Run]) -> list[Box]:
    """Give each column of a turned zone its em band, in its middle: as wide as its characters, but no narrower than is usual."""
    bands = [Band(column.top, column.bottom) for column in columns]
    usual = float(np.median([band.height for band in bands]))
    boxes = []
    for column, band in zip(columns, bands, strict=True):
        even = even_band(band, nearest(band, bands))
        low = (max(even.height, usual) - even.height) / 2
        boxes.append(Box(column.left, max(0.0, even.top - low), column.right, even.bottom + low))
    return boxes


def insert_zones(blocks: Sequence[Block], zones: Sequence[tuple[Box, Sequence[Block]]], height: int) -> list[Block]:
    """The blocks of a page of which some is set vertically.

    Args:
        blocks: of the level text, in order.
        zones: the zones, in order, and the blocks found in each as it was turned.
        height: of the page, in pixels.
    """
    top, bottom = min(zone.top for zone, _ in zones), max(zone.bottom for zone, _ in zones)
    result = list(blocks)
    for place, block in enumerate(blocks):
        if block.box.bottom <= top and block.box.bottom < EDGE_OF_PAGE * height:
            result[place] = replace(block, kind="header")
        elif block.box.top >= bottom and block.box.top > (1 - EDGE_OF_PAGE) * height:
            result[place] = replace(block, kind="footer")
    for zone, turned in reversed(zones):
        place = next((place for place, block in enumerate(result) if block.box.top > zone.top), len(result))
        result[place:place] = [_turned_back(block, zone) for block in turned]
    return result


def _turned_back(block: Block, zone: Box) -> Block:
    """A block found in a turned zone, where it is on the page; a column at the zone's side is neither header nor footer."""
    lines = [
        replace(
            line,
            box=Box(max(0.0, zone.right - line.box.bottom), zone.top + line.box.left, zone.right - line.box.top, zone.top + line.box.right),
            vertical=True,
        )
        for line in block.lines
    ]
    return Block("text" if block.kind in ("header", "footer", "note") else block.kind, tuple(lines))


def _is_text(column: np.ndarray) -> bool:
    """Whether a piece of the grid may be a column, being neither too narrow or wide nor a curve or a blot."""
    return bool(COLUMN[0] * CELLS < column.shape[1] < COLUMN[1] * CELLS and INKED < column.mean() < BLACK)


def _columns_to_zones(columns: Parts, rest: Parts, shape: tuple[int, ...]) -> list[tuple[list[int], int]]:
    """Gather columns that stand side by side or in tiers: left, top, right and bottom of each zone, and its number of columns."""
    zones = columns.tolist()
    owners = np.arange(len(columns))
    near = np.ones((BELOW * CELLS, BESIDE * CELLS), np.uint8)
    count = 0
    while len(zones) != count:  # what has grown together may come near to others
        count = len(zones)
        labels = cv2.connectedComponents(cv2.dilate(paint(np.array(zones), np.zeros(shape, np.uint8)), near))[1]
        owners = np.unique(labels[columns[:, 1], columns[:, 0]], return_inverse=True)[1]
        zones = [_zone(columns[owners == owner], rest) for owner in range(owners.max(initial=-1) + 1)]
    return list(zip(zones, np.bincount(owners).tolist(), strict=True))


def _zone(columns: Parts, rest: Parts) -> list[int]:
    """The zone of some columns, and of what stands beside them between their top and bottom."""
    edge = round(EDGE * CELLS)
    (left, top), (right, bottom) = columns[:, :2].min(axis=0).tolist(), columns[:, 2:].max(axis=0).tolist()
    beside = rest[(rest[:, 1] >= top - edge) & (rest[:, 3] <= bottom + edge)][:, [0, 2]].tolist()
    reach = BESIDE * CELLS
    for start, end in [*sorted(beside), *sorted(beside, reverse=True)]:
        if start < right + reach and end > left - reach:
            left, right = min(left, start), max(right, end)
    return [max(left - edge, 0), max(top - edge, 0), right + edge, bottom + edge]


def _tiers(zone: list[int], grid: np.ndarray) -> Iterator[list[int]]:
    """Cut a zone where it is white from side to side."""
    left, top, right, bottom = zone
    inked = np.flatnonzero(grid[top:bottom, left:right].any(axis=1)) + top
    for start in np.split(inked, np.flatnonzero(np.diff(inked) > TIER_GAP * CELLS) + 1):
        yield [left, int(start[0]), right, int(start[-1]) + 1] if len(start) else zone
