"""What on a page looks like type and is none: pieces of photographs and drawings, textures, noise."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from docrec.colour import reduce_by
from docrec.ink import Parts, Run, ends_in_leader, mask_to_parts, sizes, weighted_quantile
from docrec.runs import FIGURE, LINE_GAP, LOW, SLIVER, is_drawn, paint

BLOT = 0.4  # em; a patch of ink this large both ways is no letter
BLOT_INK = 0.8  # if this share of it is ink
LARGE, OUTLINE = 1.5, 0.08  # of a larger run, in em, letters cover more than the outlines of bars
TALL, NARROW = 1.3, 0.25  # em, and share of its height; a higher part by itself, no wider, is the edge of a box or of its shadow
FLAT = 0.2  # em; lower and wider is a dash
PIECES = 2  # of a broken rule, at least
DASH = 0.6  # em; a longer piece is a dash, or the Hanzi for one
DOTTED = 4.5  # em; shorter rows of dots are ellipses
LEADER, LEADER_GAP = 0.15, 2.0  # em from a leader to the foot of the letters beside it, and to these, at most
EDGE = 0.07  # of the height of a line; above and below it so much is nearly white
EDGE_INK = 0.4  # of the share of ink in the line is there at most
WORD = 1.5  # em; a narrower run may be a mark
UNLIKE = 0.15  # of their width or height; by so much the parts of a word differ
USUAL, TALLER = 0.65, 0.7  # em; lower is as much of what is found in a texture, but not of type
SCATTERED = 10  # so many marks and no words are no text,
ROWS = 3.0  # unless they stand in rows, as numbers in a table: their count in strips half an em high varies by more than so many means
NOISY, NOISY_WORDS = 400, 0.9  # of more runs than these as much must be words: of noise four fifths are, of text nearly all
MAX_RUNS = 4000  # more of them are noise

# The edges of type are sharp, on a page all alike.
EDGE_ROWS = 5  # rows of a line that are looked at; of a short one more, so that there are so many
EDGE_PIXELS = 500  # pixels
STEEPEST = 10  # the step that tells how sharp they are, from the steepest
STEEP = 25  # grey levels from one pixel to the next at the edges of most type, at least
BLURRED = 0.4  # times as sharp as most of the page is a cloud

# Photographs are grey where paper is white.
PAPER = 230  # grey level
PATCH = 1.75  # em both ways that are not white
UNEVEN = 8  # grey levels by which a photograph varies and a tint does not
TONES = (40, 215)  # grey levels; in type there are few between
TONED = 0.4  # share of a photograph that is
DARK = 150  # grey level; at least a twentieth of a photograph is darker, of a tint in uneven light none
BLUR = 2  # em / 4; into so much around it the edges of a photograph blur
FRAMED = 0.7  # share of its rectangle that is not white; else it is no rectangle
LETTER_PAPER = 0.5  # share of what is around a letter that is white, where it stands on paper on a photograph; beside it are letters
LABEL_PAPER = 0.75  # the same of a word
LETTER_AROUND = 0.12  # em to each side; the blur of a letter reaches a third as far
LABEL_AROUND = 0.25


def is_text(run: Run, ink: np.ndarray, em: float) -> bool:
    """Whether a run holds a letter or is a row of dots or dashes, rather than a speck, a blot, a rule in pieces, or part of a picture."""
    widths, heights = sizes(run.parts)
    if ((heights >= LOW * em) & (widths >= SLIVER * em)).any():
        return not _is_texture(run, ink, em)
    even = widths.std() < 0.25 * widths.mean() or run.width < LINE_GAP * em
    return bool(even and widths.max() < 1.35 * em and run.width > (0.8 if len(widths) < 3 else 0.4) * em)


def without_broken_rules(runs: Sequence[Run], em: float) -> list[Run]:
    """Runs without pieces of rules: dashes that no letter stands level with, and long rows of dots or dashes below and above letters."""
    is_flat = np.array([sizes(run.parts)[1].max() < FLAT * em and run.width > FLAT * em for run in runs], bool)
    is_dotted = np.array([np.median(sizes(run.parts)[0]) < DASH * em and run.width > DOTTED * em for run in runs], bool)
    boxes = [(run.left, run.right, run.top, run.bottom, run.middle) for run in runs]
    lefts, rights, tops, bottoms, middles = np.array(boxes).reshape(-1, 5).T
    kept = ~is_flat
    for index in np.flatnonzero(is_flat):
        reach = LEADER * em if is_dotted[index] else em / 2
        beside = (tops - reach < middles[index]) & (middles[index] < bottoms + reach)
        if is_dotted[index]:
            beside &= np.maximum(lefts - rights[index], lefts[index] - rights) < LEADER_GAP * em
        kept[index] = (beside & ~is_flat).any() or beside.sum() < PIECES and not is_dotted[index]
    return [run for run, is_kept in zip(runs, kept, strict=True) if is_kept]


def _is_texture(run: Run, ink: np.ndarray, em: float) -> bool:
    """Whether a run is all ink, or the outlines of what is, or an edge, or goes on above and below as if it were cut out of a picture."""
    top, bottom, edge = max(0, int(run.top)), math.ceil(run.bottom), math.ceil(EDGE * run.height)
    columns = ink[:, run.left : run.right]
    covered = columns[top:bottom].mean()
    high, low = top, bottom
    if run.width < WORD * em:  # the upper stroke of 而 is its own
        high, low = min(top, int(run.parts[:, 1].min())), max(bottom, int(run.parts[:, 3].max()))
    beyond = np.concatenate([columns[max(0, high - edge) : high], columns[low : low + edge]])
    blot = min(run.width, run.height) >= BLOT * em and covered >= BLOT_INK
    outlined = run.height > LARGE * em and covered < OUTLINE
    edged = len(run.parts) == 1 and run.height > TALL * em and run.width < NARROW * run.height
    return bool(blot or outlined or edged or beyond.size and beyond.mean() > EDGE_INK * covered)


def has_words(runs: Sequence[Run], em: float) -> bool:
    """Whether the runs of a page are of text: few, in rows or columns, or mostly words as high as type, no scattered marks or dots."""
    runs = [run for run in runs if not (run.height < FLAT * em and ends_in_leader(run, em))]
    if len(runs) < SCATTERED:
        return True
    word = np.array([run.width > WORD * em and _unlike(run.parts) > UNLIKE for run in runs])
    widths, heights, middles, lefts = np.array([(run.width, run.height, run.middle, run.left) for run in runs]).T
    ordered = any(_are_aligned(places, em) for places in (middles, lefts))
    words = widths[word].sum() > (NOISY_WORDS if len(runs) > NOISY else 0.5) * widths.sum()
    return bool(ordered or words and weighted_quantile(heights, widths, TALLER) > USUAL * em)


def _are_aligned(places: np.ndarray, em: float) -> bool:
    """Whether runs stand in rows, if these are their places from top to bottom, or in columns, if from left to right."""
    counts = np.bincount(((places - places.min()) / (em / 2)).astype(int))  # if they stand anywhere, its variance is its mean
    return bool(counts.var() > ROWS * counts.mean() + counts.mean() ** 2 / 2)


def _unlike(parts: Parts) -> float:
    """How much parts differ in width or in height, as a share of it."""
    return float(max(extent.std() / extent.mean() for extent in sizes(parts)))


def in_focus(runs: Sequence[Run], gray: np.ndarray) -> list[Run]:
    """The runs whose ink has edges as sharp as the rest of the page has; none if the page has no sharp edges."""
    if not runs:
        return []
    edges, contrasts = np.array([_edge(run, gray) for run in runs]).T
    widths = np.array([run.width for run in runs])
    if weighted_quantile(edges, widths, 0.5) < STEEP:
        return []
    sharp = edges / np.maximum(contrasts, 1)
    usual = weighted_quantile(sharp, widths, 0.5)
    return [run for run, sharpness in zip(runs, sharp, strict=True) if sharpness > BLURRED * usual]


def _edge(run: Run, gray: np.ndarray) -> tuple[float, float]:
    """How steep the steep edges of a run are, and how far its ink is from its paper, in grey levels."""
    rows = np.linspace(max(run.top, 0), min(run.bottom, len(gray)) - 1, max(EDGE_ROWS, EDGE_PIXELS // run.width)).astype(int)
    crop = gray[rows, max(0, run.left - 2) : run.right + 2]
    steps = cv2.absdiff(crop[:, 1:], crop[:, :-1])
    steep = -min(STEEPEST, steps.size)
    return float(np.partition(steps, steep, axis=None)[steep]), float(crop.max()) - float(crop.min())


def gray_to_pictures(gray: np.ndarray, em: float) -> np.ndarray:
    """Mark the photographs of a page.

    Args:
        gray: uint8 (H, W), 255 = paper.
        em: page em in pixels.

    Returns:
        uint8 (H, W) scaled down by em / 4, 1 = photograph.
    """
    step = max(1, int(em / 4))
    small = reduce_by(gray, step)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))  # over two em, where type has some
    dark = cv2.morphologyEx((paper < PAPER).view(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((int(4 * PATCH), int(4 * PATCH)), np.uint8))
    _, labels, extents, _ = cv2.connectedComponentsWithStats(dark)
    for label, (left, top, width, height) in enumerate(extents[1:, :4].tolist(), start=1):
        where = np.s_[top : top + height, left : left + width]
        inside = labels[where] == label
        grounds, levels = paper[where][inside], gray[step // 2 :: step, step // 2 :: step][where][inside]
        toned = ((levels > TONES[0]) & (levels < TONES[1])).mean()
        if grounds.std() < UNEVEN or toned < TONED or np.percentile(grounds, 5) > DARK:
            dark[where][inside] = 0
    return cv2.dilate(dark, np.ones((2 * BLUR + 1, 2 * BLUR + 1), np.uint8))


def pictures_to_frames(pictures: np.ndarray, em: float) -> Parts:
    """Boxes of the photographs, see `gray_to_pictures`, that are rectangles, in pixels."""
    frames = mask_to_parts(pictures)
    filled = [pictures[top:bottom, left:right].mean() >= FRAMED for left, top, right, bottom in frames.tolist()]
    return (frames[filled] + BLUR * np.array([1, 1, -1, -1])) * max(1, int(em / 4))


def outside_pictures(parts: Parts, pictures: np.ndarray, frames: Parts, gray: np.ndarray, em: float) -> tuple[Parts, Parts]:
    """The parts that do not stand in photographs, and those that stand there on white paper, as what is written in white boxes on them."""
    if not pictures.any():
        return parts, parts[:0]
    step = max(1, int(em / 4))
    middles = (parts[:, :2] + parts[:, 2:]) // 2
    rows, columns = np.minimum(middles[:, ::-1] // step, np.array(pictures.shape) - 1).T
    framed = np.zeros(len(parts), bool)
    for frame in frames:
        framed |= ((middles >= frame[:2]) & (middles < frame[2:])).all(axis=1)
    on_paper = _paper_around(parts, gray, LETTER_AROUND * em) > LETTER_PAPER
    return parts[~framed & (on_paper | (pictures[rows, columns] == 0))], parts[framed & on_paper]


def with_paper_around(runs: Sequence[Run], gray: np.ndarray, em: float) -> list[Run]:
    """Those runs of what `outside_pictures` finds on white paper that have paper all around."""
    boxes = np.array([(run.left, run.top, run.right, run.bottom) for run in runs]).reshape(-1, 4)
    is_label = _paper_around(boxes, gray, LABEL_AROUND * em) > LABEL_PAPER
    return [run for run, is_it in zip(runs, is_label, strict=True) if is_it]


def _paper_around(boxes: np.ndarray, gray: np.ndarray, reach: float) -> np.ndarray:
    """Which share of what is around boxes, float (N, 4), is white, within `reach` pixels but for the nearest third: float64 (N,)."""
    white = cv2.integral((gray >= PAPER).view(np.uint8))
    areas, counts = [], []
    for margin in (reach / 3, reach):
        grown = np.round(boxes + margin * np.array([-1, -1, 1, 1])).astype(int)
        left, top, right, bottom = np.clip(grown, 0, gray.shape[::-1] * 2).T
        areas.append((right - left) * (bottom - top))
        counts.append(white[bottom, right] - white[top, right] - white[bottom, left] + white[top, left])
    return (counts[1] - counts[0]) / np.maximum(areas[1] - areas[0], 1)


def parts_to_figures(parts: Parts, pictures: np.ndarray, em: float) -> Parts:
    """Boxes of photographs, and of drawings: of parts too large for type, where they overlap or nearly so."""
    drawn = np.concatenate([parts[is_drawn(parts, em)], mask_to_parts(pictures) * max(1, int(em / 4))])
    if not len(drawn):
        return drawn
    cells = (drawn / (em / 2)).astype(int)
    found = mask_to_parts(paint(cells, np.zeros((cells[:, 3].max() + 2, cells[:, 2].max() + 2), np.uint8)))
    boxes = (found * (em / 2)).astype(int)
    widths, heights = sizes(boxes)
    return boxes[(widths > FIGURE * em) & (heights > FIGURE / 2 * em)]
