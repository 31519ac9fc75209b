"""Which Hanzi follow each other in running text: by its neighbours a doubtful character is told from those that look like it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO

import numpy as np

from docrec.charset import Charset
from docrec.ctc import Mark, Reading

FIRST, LAST = 0x4E00, 0x9FFF  # the Hanzi told of: those of Unicode's main block
HANZI = LAST - FIRST + 1
LEAST = 2  # times that a pair is seen in the text, or it is not kept
WEIGHT = 0.3  # of what neighbours say, as a power of its probability, against what the network sees
DISCOUNT = 0.75  # of each pair's count, left to pairs that were not seen


@dataclass(frozen=True)
class Bigrams:
    """Pairs of Hanzi and how often running text has them.

    Attributes:
        pairs: uint32 (P,), sorted: the first Hanzi's place in Unicode's main block times HANZI, plus the second's.
        counts: uint16 (P,), at least LEAST.
    """

    pairs: np.ndarray
    counts: np.ndarray

    def save(self, file: BinaryIO) -> None:
        """Write as an .npz file, pairs as their differences."""
        np.savez_compressed(file, steps=np.diff(self.pairs, prepend=np.uint32(0)), counts=self.counts)

    def choose(self, reading: Reading, charset: Charset) -> Reading:
        """A chunk's reading in which of the candidates for a Hanzi, its mark's `ranking`, the one that fits its neighbours best is taken.

        Another than the network's is taken only if running text has it beside one of its neighbours here, and counts as no surer. A mark's
        ranking stays as it is, whatever is taken.
        """
        places = [_place(charset.characters[mark.label]) for mark in reading.marks]
        marks = list(reading.marks)
        for index, mark in enumerate(marks):
            if places[index] >= 0 and len(mark.ranking) > 1:
                before, after = places[index - 1] if index else -1, places[index + 1] if index + 1 < len(places) else -1
                marks[index] = self._likeliest(mark, charset, before, after)
                places[index] = _place(charset.characters[marks[index].label])
        return Reading(tuple(marks))

    def _likeliest(self, mark: Mark, charset: Charset, before: int, after: int) -> Mark:
        ranked = ((label, share, _place(charset.characters[label])) for label, share in mark.ranking)
        candidates = [(label, share, place) for label, share, place in ranked if place >= 0]
        fitting = {
            label: share * self._fit(place, before, after) ** WEIGHT
            for label, share, place in candidates
            if label == mark.label or self._count(before, place) or self._count(place, after)
        }
        best = max(fitting, key=lambda label: fitting[label], default=mark.label)
        if best == mark.label or mark.label not in fitting:
            return mark
        sure = sum(share for _, share, _ in candidates) * fitting[best] / sum(fitting.values())
        return replace(mark, label=best, confidence=min(sure, mark.confidence))

    def _fit(self, place: int, before: int, after: int) -> float:
        """How likely a Hanzi is after the one before, times how likely that after is behind it; places, -1 for what is no Hanzi."""
        return self._follows(before, place) * (self._follows(place, after) if after >= 0 else 1.0)

    def _follows(self, first: int, second: int) -> float:
        """Probability of a Hanzi behind another, or anywhere if that is none: Ney, Essen and Kneser's absolute discounting, 1994."""
        seen, followers = (self._totals[0][first], self._totals[1][first]) if first >= 0 else (0, 0)
        anywhere = self._anywhere[second]
        return float((max(self._count(first, second) - DISCOUNT, 0) + DISCOUNT * followers * anywhere) / seen if seen else anywhere)

    def _count(self, first: int, second: int) -> int:
        """How often a pair was seen."""
        if first < 0 or second < 0:
            return 0
        pair = np.uint32(first * HANZI + second)
        index = int(np.searchsorted(self.pairs, pair))
        return int(self.counts[index]) if index < len(self.pairs) and self.pairs[index] == pair else 0

    @cached_property
    def _totals(self) -> tuple[np.ndarray, np.ndarray]:
        """How often each Hanzi stands before another, and before how many others."""
        first = self.pairs // HANZI
        return np.bincount(first, self.counts, HANZI), np.bincount(first, minlength=HANZI)

    @cached_property
    def _anywhere(self) -> np.ndarray:
        """How likely each Hanzi is."""
        counts = np.bincount(self.pairs % HANZI, self.counts, HANZI) + 0.5
        return counts / counts.sum()


NONE = Bigrams(np.zeros(0, np.uint32), np.zeros(0, np.uint16))
"""Of no text: nothing is chosen."""


def count_bigrams(text: str) -> Bigrams:
    """Count the pairs of neighbouring Hanzi of a text; those that are seen fewer than LEAST times are left out."""
    places = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64) - FIRST
    hanzi = (places >= 0) & (places < HANZI)
    both = hanzi[:-1] & hanzi[1:]
    pairs, counts = np.unique(places[:-1][both] * HANZI + places[1:][both], return_counts=True)
    kept = counts >= LEAST
    return Bigrams(pairs[kept].astype(np.uint32), counts[kept].clip(max=np.iinfo(np.uint16).max).astype(np.uint16))


def load_bigrams(file: BinaryIO) -> Bigrams:
    """Read what `Bigrams.save` wrote; raises what numpy does if it is damaged."""
    with np.load(file) as stored:
        return Bigrams(np.cumsum(stored["steps"], dtype=np.uint32), stored["counts"])


def _place(char: str) -> int:
    """A Hanzi's place in Unicode's main block; -1 for any other character."""
    place = ord(char) - FIRST
    return place if 0 <= place < HANZI else -1
