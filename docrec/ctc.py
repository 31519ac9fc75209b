"""CTC decoding: the network's output to Readings, in numpy.

Graves et al., "Connectionist Temporal Classification", 2006, section 3.2 (best path decoding).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, slots=True)
class Mark:
    """A character in a chunk: class index, network frames from `start` up to but not including `end`, confidence 0 to 1.

    `ranking` holds, if asked for, the likeliest class indices at its surest frame and how sure each is, likeliest first.
    """

    label: int
    start: int
    end: int
    confidence: float
    ranking: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one Chunk says, its marks from left to right."""

    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Classifier:
    """The network's last layer: which character a frame shows, if it is not blank.

    Attributes:
        kernel: float32 (F, K).
        bias: float32 (K,).
        labels: int (K,) class index of each column; not all classes need be there.
    """

    kernel: np.ndarray
    bias: np.ndarray
    labels: np.ndarray

    def best(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Most likely class of each frame and its probability given that it is not blank: features (N, F) to two (N,)."""
        labels = np.empty(len(features), np.int64)
        probabilities = np.empty(len(features), np.float32)
        for start in range(0, len(features), 512):  # bounds the scores to 512 × K
            scores = features[start : start + 512] @ self.kernel
            scores += self.bias
            top = scores.argmax(axis=1)
            highest = scores[np.arange(len(top)), top]
            scores -= highest[:, None]
            np.exp(scores, out=scores)
            labels[start : start + 512] = self.labels[top]
            probabilities[start : start + 512] = 1 / scores.sum(axis=1)
        return labels, probabilities

    def ranking(self, features: np.ndarray, count: int) -> Iterator[tuple[int, float]]:
        """The `count` likeliest classes of one frame, features (F,), and their probabilities given that it is not blank."""
        scores = features @ self.kernel + self.bias
        probabilities = np.exp(scores - scores.max())
        probabilities /= probabilities.sum()
        for column in np.argsort(-probabilities, kind="stable")[:count]:
            yield int(self.labels[column]), float(probabilities[column])


def decode(features: np.ndarray, blank: np.ndarray, classifier: Classifier, ranks: int = 0) -> list[Reading]:
    """Read a batch along its best path.

    A character beats the blank only where blank is less likely than not, so the classifier, nine tenths of the work if run
    everywhere, runs on those frames alone; the result is the same.

    Args:
        features: float32 (N, T, F).
        blank: float32 (N, T), logits of "no character here".
        classifier: the last layer.
        ranks: likeliest classes to give for each mark.
    """
    not_blank = 1 / (1 + np.exp(blank))
    lines, frames = np.nonzero(not_blank > 0.5)
    labels, probabilities = classifier.best(features[lines, frames])
    confidences = probabilities * not_blank[lines, frames]
    shown = confidences > 1 - not_blank[lines, frames]
    path = np.full(blank.shape, -1, np.int64)
    certainty = np.zeros(blank.shape, np.float32)
    path[lines[shown], frames[shown]] = labels[shown]
    certainty[lines[shown], frames[shown]] = confidences[shown]
    readings = [collapse(*line) for line in zip(path, certainty, strict=True)]
    if not ranks:
        return readings

    def ranked(mark: Mark, line: int) -> Mark:
        frame = mark.start + certainty[line, mark.start : mark.end].argmax()
        sure = float(not_blank[line, frame])
        ranking = classifier.ranking(features[line, frame], ranks)
        return replace(mark, ranking=tuple((label, probability * sure) for label, probability in ranking))

    return [Reading(tuple(ranked(mark, line) for mark in reading.marks)) for line, reading in enumerate(readings)]


def collapse(path: np.ndarray, certainty: np.ndarray) -> Reading:
    """Merge repeats and drop blanks: path int (T,), -1 = blank, and the probability of each step (T,)."""
    starts = np.flatnonzero(np.concatenate([[True], path[1:] != path[:-1]]))
    ends = np.append(starts[1:], len(path))
    return Reading(
        tuple(
            Mark(int(path[start]), int(start), int(end), float(certainty[start:end].max()))
            for start, end in zip(starts, ends, strict=True)
            if path[start] >= 0
        )
    )
