"""Notes in the margin: small type beside a column of text, set by itself although the gap between may be narrow."""

import numpy as np

from docrec.ink import Parts, sizes
from docrec.runs import link_parts

STRIP = 0.4  # em; what is white at least between a note and the text
MIN_STARTS = 4  # lines of text that begin at its edge
WIDEST = 16.0  # em
NARROWEST = 1.5  # em; narrower are numbers and bullets
SMALLER = 0.9  # times the height of the text beside, at most, of type whose lines do not stand level with it
SMALL = 0.68  # times that height, at most, of type whose lines do
LESS = 0.5  # times the ink of the text beside, at most
LEVEL = 0.25  # em by which level lines differ in where they stand
MAX_PARTS = 20_000  # more of them are noise


def parts_to_margins(parts: Parts, em: float) -> tuple[Parts, Parts]:
    """Where notes stand: boxes of them, to the left and to the right of text, and the walls between, upright rules one pixel wide."""
    widths, heights = sizes(parts)
    letters = parts[(heights > 0.3 * em) & (heights < 1.5 * em) & (widths < 5 * em)]
    notes, walls = [parts[:0]], [parts[:0]]
    if MIN_STARTS < len(letters) < MAX_PARTS:
        for width in (0, parts[:, 2].max()):
            for box, wall in _left_notes(_mirrored(letters, width), _mirrored(parts, width), em):
                notes.append(_mirrored(box, width))
                walls.append(_mirrored(wall, width))
    return np.concatenate(notes), np.concatenate(walls)


def _mirrored(parts: Parts, width: int) -> Parts:
    """Parts seen in a mirror, in a page so many pixels wide; as they are in one that has no width."""
    return np.stack([width - parts[:, 2], parts[:, 1], width - parts[:, 0], parts[:, 3]], axis=1) if width else parts


def _left_notes(letters: Parts, parts: Parts, em: float) -> list[tuple[Parts, Parts]]:
    """Boxes of notes to the left of a column, each with the wall to its right."""
    found = []
    for edge in _edges(letters, em):
        low, high = edge - STRIP * em, edge - 0.05 * em
        cuts = np.sort(np.r_[((parts[:, 1] + parts[:, 3]) / 2)[(parts[:, 0] < high) & (parts[:, 2] > low)], -np.inf, np.inf])
        middles = (letters[:, 1] + letters[:, 3]) / 2
        places = np.searchsorted(cuts, middles)
        before, after = letters[:, 2] <= low, letters[:, 0] >= high
        for place in np.unique(places[before]):
            notes, text = letters[before & (places == place)], letters[after & (places == place)]
            if _starts(text, edge, em) >= MIN_STARTS and _is_note(notes, text, em):
                box = [*notes[:, :2].min(axis=0), *notes[:, 2:].max(axis=0)]
                wall = (box[2] + text[:, 0].min()) // 2
                found.append((np.array([box]), np.array([[wall, box[1] - em, wall + 1, box[3] + em]], int)))
    return found


def _starts(text: Parts, edge: float, em: float) -> int:
    """How many lines begin at an edge."""
    feet = np.sort(text[abs(text[:, 0] - edge) < em / 2, 3])
    return 1 + int((np.diff(feet) > em / 2).sum()) if len(feet) else 0


def _edges(letters: Parts, em: float) -> list[float]:
    """Where most lines begin, in pixels, the three commonest places."""
    cell = em / 10
    cells = np.floor((letters - [letters[:, 0].min(), 0, letters[:, 0].min(), 0]) / cell).astype(int)
    inked = np.zeros((cells[:, 3].max() + 2, cells[:, 2].max() + 2), np.int32)
    for left, top, right, bottom in cells.tolist():
        inked[top : bottom + 1, left : right + 1] = 1
    rows = (cells[:, 1] + cells[:, 3]) // 2
    reach = int(STRIP * 10)
    before = np.zeros(len(cells), int)
    for row in (-2, 0, 2):
        for step in range(1, reach):
            before += inked[np.maximum(rows + row, 0), np.maximum(cells[:, 0] - step, 0)] * (cells[:, 0] >= step)
    starts = np.sort(letters[before == 0, 0])
    counts = np.searchsorted(starts, starts + em / 2) - np.arange(len(starts))
    edges: list[float] = []
    for index in np.argsort(-counts, kind="stable"):
        if len(edges) == 3 or counts[index] < MIN_STARTS:
            break
        if all(abs(starts[index] - edge) > em for edge in edges):
            edges.append(float(starts[index]))
    return edges


def _is_note(notes: Parts, text: Parts, em: float) -> bool:
    """Whether letters are a note beside a text: fewer, smaller, not level with its lines or much smaller."""
    width = notes[:, 2].max() - notes[:, 0].min()
    size = np.quantile(sizes(notes)[1], 0.85) / np.quantile(sizes(text)[1], 0.85)
    ink, ink_beside = (np.prod(sizes(some), axis=0).sum() for some in (notes, text))
    if not NARROWEST * em < width < WIDEST * em or size > SMALLER or ink > LESS * ink_beside:
        return False
    rows, lines = (link_parts(some, notes[:0], em, core=0.5) for some in (notes, text))
    if max(row.width for row in rows) < NARROWEST * em:
        return False
    feet, feet_beside = np.array([row.bottom for row in rows]), np.array([line.bottom for line in lines])
    level = abs(feet[:, None] - feet_beside).min(axis=1) < LEVEL * em
    return bool(size < SMALL or level.mean() < 0.6)
