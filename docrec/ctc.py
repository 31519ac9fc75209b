"""CTC decoding: the network's output to Readings, in numpy.

Graves et al., "Connectionist Temporal Classification", 2006, section 3.2 (best path decoding, prefix search decoding).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

UNSURE = 0.95  # confidence below which a mark comes with its ALTERNATIVES
ALTERNATIVES = 6  # likeliest classes


@dataclass(frozen=True, slots=True)
class Mark:
    """A character in a chunk: class index, network frames from `start` up to but not including `end`, confidence 0 to 1.

    `ranking` holds, if asked for or if the mark is UNSURE, the likeliest class indices at its surest frame and how sure each is,
    likeliest first.
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

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Probability of each class at each frame given that it is not blank: features (N, F) to (N, K)."""
        scores = features @ self.kernel + self.bias
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def rankings(self, features: np.ndarray, count: int) -> Iterator[tuple[tuple[int, float], ...]]:
        """The `count` likeliest classes of each frame, features (N, F), and their probabilities given that it is not blank."""
        for start in range(0, len(features), 128):  # bounds the probabilities to 128 × K
            for frame in self.probabilities(features[start : start + 128]):
                columns = np.argpartition(-frame, min(count, len(frame)) - 1)[:count]
                best = columns[np.lexsort((columns, -frame[columns]))]
                yield tuple(zip(self.labels[best].tolist(), frame[best].tolist(), strict=True))


def decode(features: np.ndarray, blank: np.ndarray, classifier: Classifier, decoding: str = "best-path", ranks: int = 0) -> list[Reading]:
    """Read a batch.

    Args:
        features: float32 (N, T, F).
        blank: float32 (N, T), logits of "no character here".
        classifier: the last layer.
        decoding: one of DECODINGS.
        ranks: likeliest classes to give for each mark, at least; if 0, of an UNSURE one ALTERNATIVES.
    """
    path, certainty = DECODINGS[decoding](features, blank, classifier)
    readings = [collapse(*line) for line in zip(path, certainty, strict=True)]
    asked = [
        (line, place, mark.start + int(certainty[line, mark.start : mark.end].argmax()))
        for line, reading in enumerate(readings)
        for place, mark in enumerate(reading.marks)
        if ranks or mark.confidence < UNSURE
    ]
    if not asked:
        return readings
    lines, places, frames = zip(*asked, strict=True)
    rankings = classifier.rankings(features[lines, frames], max(ranks, ALTERNATIVES))
    sure = np.exp(-np.logaddexp(0, blank[lines, frames])).tolist()
    marks = [list(reading.marks) for reading in readings]
    for line, place, ranking, share in zip(lines, places, rankings, sure, strict=True):
        marks[line][place] = replace(marks[line][place], ranking=tuple((label, share * likely) for label, likely in ranking))
    return [Reading(tuple(line)) for line in marks]


def best_paths(features: np.ndarray, blank: np.ndarray, classifier: Classifier) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest label of each frame and its probability, (N, T) each; -1 and 0 stand for the blank.

    A character beats the blank only where blank is less likely than not, so the classifier, nine tenths of the work if run
    everywhere, runs on those frames alone; the result is the same.
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
    return path, certainty


def prefix_paths(features: np.ndarray, blank: np.ndarray, classifier: Classifier) -> tuple[np.ndarray, np.ndarray]:
    """The path that prefix search takes if it keeps one prefix only, and the probability of its labels; both as of `best_paths`.

    It reads what TensorFlow's `ctc_beam_search_decoder` does with a beam of width 1 and repeats not merged.
    """
    path = np.full(blank.shape, -1, np.int64)
    certainty = np.zeros(blank.shape, np.float32)
    blanks, not_blanks = (np.exp(-np.logaddexp(0, logits)) for logits in (-blank, blank))
    for line in range(len(blank)):
        characters = classifier.probabilities(features[line]) * not_blanks[line, :, None]
        best = characters.argmax(axis=1)
        others = characters.copy()
        others[np.arange(len(best)), best] = 0
        second = others.argmax(axis=1)
        last = -1  # column of the prefix's last character
        on_blank, on_last = 1.0, 0.0  # the share of the prefix's paths that end so
        for t, (scores, gap) in enumerate(zip(characters, blanks[line].tolist(), strict=True)):
            again = float(scores[last]) if last >= 0 else 0.0
            longer, column = max((float(scores[k]) * (on_blank if k == last else 1), k) for k in (best[t], second[t]))
            to_blank, to_last = gap, on_last * again
            if longer > to_blank + to_last:
                if column == last:
                    path[line, t - 1] = -1  # what parts the two
                to_blank, to_last, last = 0.0, longer, column
                path[line, t] = classifier.labels[column]
            elif again > gap:
                path[line, t] = path[line, t - 1]
            certainty[line, t] = scores[last] if path[line, t] >= 0 else 0
            on_blank, on_last = to_blank / (to_blank + to_last), to_last / (to_blank + to_last)
    return path, certainty


DECODINGS = {"best-path": best_paths, "prefix-1": prefix_paths}
"""Ways to decode, by the name that a model's configuration gives."""


def collapse(path: np.ndarray, certainty: np.ndarray) -> Reading:
    """Merge repeats and drop blanks: path int (T,), -1 = blank, and the probability of each step (T,).

    Frames are independent given the image, so a mark is as sure as that not all of its frames are wrong.
    """
    starts = np.flatnonzero(np.concatenate([[True], path[1:] != path[:-1]]))
    ends = np.append(starts[1:], len(path))
    return Reading(
        tuple(
            Mark(int(path[start]), int(start), int(end), 1 - float(np.prod(1 - certainty[start:end])))
            for start, end in zip(starts, ends, strict=True)
            if path[start] >= 0
        )
    )
