"""Notes in the margin: small type beside a column of text, set by itself although the gap between may be narrow."""

import numpy as np

from docrec.ink import Parts, sizes
from docrec.runs import link_parts, paint

STRIP = 0.4  # em; what is white at least between a note and the text
MIN_STARTS = 4  # lines of text that begin at its edge
WIDEST = 16.0  # em
NARROWEST = 1.5  # em; narrower are numbers and bullets
SMALLER = 0.9  # times the height of the text beside, at most
SMALL = 0.74  # times that height, at most: much smaller
LESS = 0.5  # times the ink of the text beside, at most
LEVEL = 0.3  # em by which level lines differ in where they stand
EXACT = 0.08  # em; the same for type that is much smaller, of which a line may stand beside each line of the text
ALL_LEVEL = 0.7  # share of the lines of labels that are level with the text; some of a note are by chance
HANZI = 0.2  # share of square parts in Hanzi; these are as high as those of the text beside
SMALLER_HANZI = 0.86  # times the height of the text beside they are, at most, if their lines may be level
SPARSE = 0.5  # times as many lines as the text beside has, at most, if they may be level: labels would stand at every line
LISTED = 0.5  # share of lines level with the text, from which on they are no list beside it;
ITEMS, EVENLY = 8, 0.6  # which has so many lines, and between so many of them the same distance,
SAME = 0.1  # give or take
GOES_ON = 1.5  # em from a heading to the text under it
RULE_NEAR, RULED = 1.5, 0.8  # em from the wall, and share of the height of notes, of a rule that makes a column of them
MAX_PARTS = 20_000  # more of them are noise


def parts_to_margins(parts: Parts, uprights: Parts, em: float) -> tuple[Parts, Parts]:
    """Where notes stand: boxes of them, to the left and to the right of text, and the walls between, upright rules one pixel wide.

    What upright rules part from the text is a column of its own.
    """
    widths, heights = sizes(parts)
    letters = parts[(heights > 0.3 * em) & (heights < 1.5 * em) & (widths < 5 * em)]
    notes, walls = [parts[:0]], [parts[:0]]
    if MIN_STARTS < len(letters) < MAX_PARTS:
        for width in (0, parts[:, 2].max()):
            for box, wall in _left_notes(_mirrored(letters, width), _mirrored(parts, width), em):
                notes.append(_mirrored(box, width))
                walls.append(_mirrored(wall, width))
    boxes, between = np.concatenate(notes), np.concatenate(walls)
    noted = [not _is_ruled_off(*pair, uprights, em) for pair in zip(boxes, between, strict=True)]
    return boxes[noted], between[noted]


def _mirrored(parts: Parts, width: int) -> Parts:
    """Parts seen in a mirror, in a page so many pixels wide; as they are in one that has no width."""
    return np.stack([width - parts[:, 2], parts[:, 1], width - parts[:, 0], parts[:, 3]], axis=1) if width else parts


def _left_notes(letters: Parts, parts: Parts, em: float) -> list[tuple[Parts, Parts]]:
    """Boxes of notes to the left of a column, each with the wall to its right."""
    found = []
    free = np.ones(len(letters), bool)
    for edge in _edges(letters, em):
        low, high = edge - STRIP * em, edge - 0.05 * em
        cuts = np.sort(np.r_[((parts[:, 1] + parts[:, 3]) / 2)[(parts[:, 0] < high) & (parts[:, 2] > low)], -np.inf, np.inf])
        middles = (letters[:, 1] + letters[:, 3]) / 2
        places = np.searchsorted(cuts, middles)
        crossing = np.sort(np.r_[middles[(letters[:, 0] < high) & (letters[:, 2] > low)], -np.inf, np.inf])
        after_it = np.searchsorted(crossing, middles)
        crossed = np.minimum(middles - crossing[after_it - 1], crossing[after_it] - middles) < em / 2
        before, after = free & (letters[:, 2] <= low), letters[:, 0] >= high
        for place in np.unique(places[before & ~crossed]):
            inside = before & (places == place)
            notes = letters[inside]
            if not NARROWEST * em < notes[:, 2].max() - notes[:, 0].min() < WIDEST * em:
                continue
            text = letters[after & (places == place)]
            goes_on = _goes_on(letters[inside & ~crossed], letters[crossed], em)
            if _starts(text, edge, em) >= MIN_STARTS and not goes_on and _is_note(notes, text, em):
                box = [*notes[:, :2].min(axis=0), *notes[:, 2:].max(axis=0)]
                wall = (box[2] + text[:, 0].min()) // 2
                free &= ~inside
                found.append((np.array([box]), np.array([[wall, box[1] - em, wall + 1, box[3] + em]], int)))
    return found


def _is_ruled_off(box: np.ndarray, wall: np.ndarray, uprights: Parts, em: float) -> bool:
    """Whether an upright rule stands where the wall beside a box of notes does, along most of it."""
    near = uprights[(abs(uprights[:, 0] - wall[0]) < RULE_NEAR * em) & ((uprights[:, 2] <= box[0]) | (uprights[:, 0] >= box[2]))]
    along = np.minimum(near[:, 3], box[3]) - np.maximum(near[:, 1], box[1])
    return bool((along > RULED * (box[3] - box[1])).any())


def _is_list(feet: np.ndarray) -> bool:
    """Whether lines at these heights are items one below another, as those of a menu."""
    steps = np.diff(np.sort(feet))
    usual = np.median(steps) if len(steps) else 0.0
    return bool(len(feet) >= ITEMS and (abs(steps - usual) < SAME * usual).mean() >= EVENLY)


def _goes_on(notes: Parts, across: Parts, em: float) -> bool:
    """Whether text across the strip begins right below or above letters before it, where these begin, so that they are its heading."""
    apart = np.maximum(across[:, 1] - notes[:, 3].max(), notes[:, 1].min() - across[:, 3])
    return bool(((abs(across[:, 0] - notes[:, 0].min()) < em / 2) & (apart > 0) & (apart < GOES_ON * em)).any())


def _starts(text: Parts, edge: float, em: float) -> int:
    """How many lines begin at an edge."""
    return _count(text[abs(text[:, 0] - edge) < em / 2, 3], em)


def _count(feet: np.ndarray, em: float) -> int:
    """How many lines stand at these heights on the page."""
    return int((np.diff(np.sort(feet), prepend=-np.inf) > em / 2).sum())


def _edges(letters: Parts, em: float) -> list[float]:
    """Where most lines begin, in pixels, the three commonest places."""
    cells = ((letters - [letters[:, 0].min(), 0, letters[:, 0].min(), 0]) * 10 / em).astype(int)
    inked = paint(cells, np.zeros((cells[:, 3].max() + 2, cells[:, 2].max() + 2), np.uint8))
    rows = (cells[:, 1, None] + cells[:, 3, None]) // 2 + (-2, 0, 2)
    steps = cells[:, 0, None] - range(1, int(STRIP * 10))
    before = (inked[np.maximum(rows[:, :, None], 0), np.maximum(steps[:, None], 0)] * (steps[:, None] >= 0)).any(axis=(1, 2))
    starts = np.sort(letters[~before, 0])
    counts = np.searchsorted(starts, starts + em / 2) - np.arange(len(starts))
    edges: list[float] = []
    for index in np.argsort(-counts, kind="stable"):
        if len(edges) == 3 or counts[index] < MIN_STARTS:
            break
        if all(abs(starts[index] - edge) > em for edge in edges):
            edges.append(float(starts[index]))
    return edges


def _is_note(notes: Parts, text: Parts, em: float) -> bool:
    """Whether letters are a note beside a text: fewer, smaller, and not level with its lines."""
    size, tallest = (np.quantile(sizes(notes)[1], share) / np.quantile(sizes(text)[1], share) for share in (0.85, 0.95))
    ink, ink_beside = (np.prod(sizes(some), axis=0).sum() for some in (notes, text))
    if size > SMALLER or ink > LESS * ink_beside:
        return False
    rows, lines = (link_parts(some, notes[:0], em, core=0.5) for some in (notes, text))
    if np.median([row.width for row in rows]) < NARROWEST * em:
        return False
    feet, feet_beside = np.array([row.bottom for row in rows]), np.array([line.bottom for line in lines])
    off = abs(feet[:, None] - feet_beside).min(axis=1)
    level = off < (EXACT if max(size, tallest) < SMALL else LEVEL) * em
    if level.mean() < LISTED and _is_list(feet):
        return False
    square = sizes(notes)[0] > 0.75 * np.quantile(sizes(notes)[1], 0.85)
    hanzi = square.mean() > HANZI and size < SMALLER_HANZI and _count(feet, em) < SPARSE * _count(feet_beside, em)
    return bool(hanzi or np.average(level, weights=[row.width for row in rows]) < ALL_LEVEL)
