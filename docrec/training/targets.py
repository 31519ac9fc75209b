"""What the network should say of a rendered line: labels of single frames, and of the whole line for CTC.

A rendered line's characters are known to the pixel. Labelling frames with them spares the network the long search for an
alignment with which CTC begins. Three kinds of frame are told apart:

    CHARACTER  at the middle of a character: this character
    BLANK      in the middle of a gap, or beyond the text: blank
    EITHER     all others: blank, or the character on the left, or the one on the right

Of a line whose spans are not known every frame is UNKNOWN, and only CTC learns from it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from docrec.charset import Charset
from docrec.chunk import FRAMES, WIDTH
from docrec.training.lines import LabelledLine, Span

FRAME = WIDTH // FRAMES  # pixels
WIDE = 20  # pixels; of a character at least this wide the frames beside the middle one are labelled too
PICKED = 24  # frames of a line that are scored in one step, of each kind at most these:
QUOTA = (13, 5, 6)
CHARACTER, BLANK, EITHER, UNKNOWN = range(4)
LONGEST = 40  # characters of a line in the CTC stage; a frame and a half each


@dataclass(frozen=True)
class Batch:
    """Lines and what is wanted of the network, B lines, K candidate classes.

    The softmax runs over the candidates only: all classes of the batch, and some of the others in place of all, which
    `correction` makes up for (Bengio and Senécal 2008, sampling the partition function; here uniformly).

    Attributes:
        images: uint8 (B, 32, 280), 255 = ink.
        frames: int32 (B, P) frames to score.
        kinds: int32 (B, P) CHARACTER, BLANK, EITHER or UNKNOWN.
        left, right: int32 (B, P) candidates on either side; for CHARACTER both are the character itself; -1 for none.
        labels: int32 (B, 40) candidates of the line's characters, padded with 0.
        lengths: int32 (B,) characters in each line.
        candidates: int32 (K,) class of each candidate.
        correction: float32 (K,) to add to the candidates' logits.
    """

    images: np.ndarray
    frames: np.ndarray
    kinds: np.ndarray
    left: np.ndarray
    right: np.ndarray
    labels: np.ndarray
    lengths: np.ndarray
    candidates: np.ndarray
    correction: np.ndarray


def frames_needed(text: str) -> int:
    """Frames that CTC needs at least for a text: one a character, and a blank between two that are alike."""
    return len(text) + sum(a == b for a, b in pairwise(text))


def is_learnable(line: LabelledLine) -> bool:
    """Whether the network has frames enough for the line's characters, and labels to spare."""
    return 0 < len(line.text) <= LONGEST and frames_needed(line.text) < FRAMES - 4


def spans_to_frames(spans: Sequence[Span], labels: Sequence[int]) -> np.ndarray:
    """Label all frames of a line: int32 (70, 3) rows of kind, left, right; -1 where there is no neighbour."""
    result = np.full((FRAMES, 3), -1, np.int32)
    result[:, 0] = BLANK
    if not spans:
        return result
    middles = [min(int((span.left + span.right) / 2 / FRAME), FRAMES - 1) for span in spans]
    for index, (middle, label) in enumerate(zip(middles, labels, strict=True)):
        start = middles[index - 1] if index else max(int(spans[0].left / FRAME), 0)
        before = labels[index - 1] if index else -1
        result[start + (index > 0) : middle] = EITHER, before, label
    end = min(int(spans[-1].right / FRAME) + 1, FRAMES)
    result[middles[-1] : end] = EITHER, labels[-1], -1
    for first, second in pairwise(spans):
        result[min(int((first.right + second.left) / 2 / FRAME), FRAMES - 1)] = BLANK, -1, -1
    for span, middle, label in zip(spans, middles, labels, strict=True):
        around = 1 if span.right - span.left >= WIDE else 0
        result[max(middle - around, 0) : middle + around + 1] = CHARACTER, label, label
    return result


def make_batch(lines: Iterable[LabelledLine], charset: Charset, candidates: int, random: np.random.Generator) -> Batch:
    """Put learnable lines into a Batch with that many candidate classes."""
    lines = list(lines)
    encoded = [charset.encode(line.text) for line in lines]
    present = np.unique(np.concatenate([np.asarray(labels, np.int32) for labels in encoded]))
    candidates = min(max(candidates, len(present)), len(charset))
    others = np.setdiff1d(np.arange(len(charset), dtype=np.int32), present, assume_unique=True)
    sampled = random.choice(others, candidates - len(present), replace=False)
    classes = np.concatenate([present, sampled]).astype(np.int32)
    correction = np.zeros(candidates, np.float32)
    if len(sampled):
        correction[len(present) :] = np.log(len(others) / len(sampled))
    place = np.full(len(charset) + 1, -1, np.int32)
    place[classes] = np.arange(candidates)

    picked = np.zeros((len(lines), PICKED), np.int32)
    scored = np.zeros((len(lines), PICKED, 3), np.int32)
    labels = np.zeros((len(lines), LONGEST), np.int32)
    lengths = np.zeros(len(lines), np.int32)
    for row, (line, classes_of_line) in enumerate(zip(lines, encoded, strict=True)):
        mapped = place[classes_of_line]
        if line.spans:
            table = spans_to_frames(line.spans, mapped.tolist())
            picked[row] = _pick(table[:, 0], random)
            scored[row] = table[picked[row]]
        else:
            scored[row] = UNKNOWN, -1, -1
        labels[row, : len(mapped)] = mapped
        lengths[row] = len(mapped)
    images = np.stack([line.pixels for line in lines])
    return Batch(images, picked, scored[..., 0], scored[..., 1], scored[..., 2], labels, lengths, classes, correction)


def _pick(kinds: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Choose the frames to score: each kind up to its quota, then whatever is left."""
    order = random.permutation(FRAMES).astype(np.int32)
    chosen = [order[kinds[order] == kind] for kind in range(3)]
    first = np.concatenate([frames[:quota] for frames, quota in zip(chosen, QUOTA, strict=True)])
    rest = np.concatenate([frames[quota:] for frames, quota in zip(chosen, QUOTA, strict=True)])
    return np.concatenate([first, rest])[:PICKED]
