"""Which characters follow each other in running text: by its neighbours a doubtful one is told from those that look like it.

Hanzi are told by pairs; letters and digits of ASCII, of which there are few, by threes: 1 and l, 0 and O differ in little else. All digits
count as one, so that no number is made of another.
"""

import re
import string
from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO

import numpy as np

from docrec.charset import Charset, in_print
from docrec.ctc import Mark, Reading

LEAST = 2  # times that characters are seen together in the text, or it does not count
DISCOUNT = 0.75  # of each count, left to what was not seen: Ney, Essen and Kneser's absolute discounting, 1994
FIRST, LAST = 0x4E00, 0x9FFF  # the Hanzi told of: those of Unicode's main block
HANZI = LAST - FIRST + 1
DASHES = "-–—−―"
LETTERS = string.ascii_letters + string.digits
OTHER = 0  # code of a character that is not in ASCII
CODES = {char: code for code, char in enumerate(string.digits[:1] + string.ascii_letters + string.punctuation + " ", OTHER + 1)}
CODES |= dict.fromkeys(string.digits, CODES["0"])
KINDS = OTHER + 1 + len(set(CODES.values()))


@dataclass(frozen=True)
class Bigrams:
    """Pairs of Hanzi and how often running text has them; a dash between two is told from 一 by them.

    Attributes:
        pairs: uint32 (P,), sorted: the first Hanzi's place in Unicode's main block times HANZI, plus the second's.
        counts: uint16 (P,), at least LEAST.
    """

    pairs: np.ndarray
    counts: np.ndarray

    WEIGHT = 0.3  # of what neighbours say, as a power of its probability, against what the network sees
    DASH = 1e-4  # probability of a dash between two Hanzi

    def knows(self, before: str, char: str, after: str) -> bool:
        """Whether it is a Hanzi, or a dash between two."""
        return _place(char) >= 0 or char in DASHES and _place(before[-1:]) >= 0 and _place(after[:1]) >= 0

    def saw(self, before: str, char: str, after: str) -> bool:
        """Whether the text has a Hanzi beside one of its neighbours here."""
        left, place, right = _place(before[-1:]), _place(char), _place(after[:1])
        return bool(self._count(left, place) or self._count(place, right))

    def fit(self, before: str, char: str, after: str) -> float:
        """How likely a Hanzi or dash is after what is before, times how likely what is after is behind it."""
        left, place, right = _place(before[-1:]), _place(char), _place(after[:1])
        return self._follows(left, place) * (self._follows(place, right) if right >= 0 else 1.0)

    def _follows(self, first: int, second: int) -> float:
        """Probability of a Hanzi, or if that is none a dash, behind another, or anywhere if that is none."""
        if second < 0:
            return self.DASH
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


@dataclass(frozen=True)
class Trigrams:
    """Three characters in a row and how often running text has them.

    Attributes:
        counts: uint32 (KINDS, KINDS, KINDS), by the CODES of the three; 0 or at least LEAST.
    """

    counts: np.ndarray

    WEIGHT = 0.2  # as that of Bigrams

    def knows(self, before: str, char: str, after: str) -> bool:
        """Whether it is a letter or digit of ASCII."""
        return char in LETTERS

    def saw(self, before: str, char: str, after: str) -> bool:
        """Whether the text has a character between its neighbours here."""
        return bool(self.counts[tuple(_codes(before, char, after)[1:4])])

    def fit(self, before: str, char: str, after: str) -> float:
        """How likely each of the three is that ends with, has in its middle or begins with the character, times each other."""
        codes = _codes(before, char, after)
        return float(np.prod([self._follows[tuple(codes[start : start + 3])] for start in range(3)]))

    @cached_property
    def _follows(self) -> np.ndarray:
        """Probability of each character, third axis, behind any two."""
        alone = self.counts.sum((0, 1)) + 0.5
        return _discounted(self.counts, _discounted(self.counts.sum(0), alone / alone.sum()))


@dataclass(frozen=True)
class Ngrams:
    """What a text says of Hanzi and of letters by those around them."""

    hanzi: Bigrams
    letters: Trigrams

    def save(self, file: BinaryIO) -> None:
        """Write as an .npz file, pairs as their differences."""
        steps = np.diff(self.hanzi.pairs, prepend=np.uint32(0))
        np.savez_compressed(file, steps=steps, counts=self.hanzi.counts, threes=self.letters.counts)

    def choose(self, reading: Reading, charset: Charset) -> Reading:
        """A chunk's reading in which of a mark's candidates, its `ranking`, the one that fits its neighbours best is taken.

        Only a Hanzi is taken for a Hanzi, or for a dash between two, and a letter or digit for one, and another than the network's only if
        running text has it beside one of its neighbours here, or between both; it counts as no surer. A mark's ranking stays as it is,
        whatever is taken. A character counts as sure as that it, or one that looks the same in print, is there.
        """
        text = [charset.characters[mark.label] for mark in reading.marks]
        marks = [_as_printed(mark, charset) if mark.ranking else mark for mark in reading.marks]
        for index, mark in enumerate(marks):
            if len(mark.ranking) < 2:
                continue
            before, after = "".join(text[max(index - 2, 0) : index]), "".join(text[index + 1 : index + 3])
            for known in (self.hanzi, self.letters):
                if known.knows(before, text[index], after):
                    marks[index] = _likeliest(mark, charset, known, before, after)
            text[index] = charset.characters[marks[index].label]
        return Reading(tuple(marks))


def _as_printed(mark: Mark, charset: Charset) -> Mark:
    """A mark with the confidence that it is its character or one that differs from that in width, or not at all in print."""
    char = in_print(charset.characters[mark.label])
    sure = sum(share for label, share in mark.ranking if in_print(charset.characters[label]) == char)
    return replace(mark, confidence=max(mark.confidence, sure))


def _likeliest(mark: Mark, charset: Charset, known: Bigrams | Trigrams, before: str, after: str) -> Mark:
    named = ((label, share, charset.characters[label]) for label, share in mark.ranking)
    candidates = [(label, share, char) for label, share, char in named if known.knows(before, char, after)]
    fitting = {
        label: share * known.fit(before, char, after) ** known.WEIGHT
        for label, share, char in candidates
        if label == mark.label or known.saw(before, char, after)
    }
    best = max(fitting, key=lambda label: fitting[label], default=mark.label)
    if best == mark.label or mark.label not in fitting:
        return mark
    sure = sum(share for _, share, _ in candidates) * fitting[best] / sum(fitting.values())
    return replace(mark, label=best, confidence=min(sure, mark.confidence))


def count_ngrams(prose: str, latin: str = "") -> Ngrams:
    """Count what stands together in Chinese text, and in it and other text; what is seen fewer than LEAST times is left out."""
    return Ngrams(_count_pairs(prose), _count_threes(f"{prose}\n{latin}"))


def _count_pairs(text: str) -> Bigrams:
    places = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64) - FIRST
    hanzi = (places >= 0) & (places < HANZI)
    both = hanzi[:-1] & hanzi[1:]
    pairs, counts = np.unique(places[:-1][both] * HANZI + places[1:][both], return_counts=True)
    kept = counts >= LEAST
    return Bigrams(pairs[kept].astype(np.uint32), counts[kept].clip(max=np.iinfo(np.uint16).max).astype(np.uint16))


def _count_threes(text: str) -> Trigrams:
    table = np.full(128, OTHER, np.int64)
    table[[ord(char) for char in CODES]] = list(CODES.values())
    points = np.frombuffer(re.sub(r"\s+", " ", text).encode("utf-32-le"), np.uint32)
    codes = np.where(points < len(table), table[points % len(table)], OTHER)
    threes = (codes[:-2] * KINDS + codes[1:-1]) * KINDS + codes[2:]
    counts = np.bincount(threes, minlength=KINDS**3)
    return Trigrams(np.where(counts < LEAST, 0, counts).astype(np.uint32).reshape(KINDS, KINDS, KINDS))


NONE = Ngrams(Bigrams(np.zeros(0, np.uint32), np.zeros(0, np.uint16)), Trigrams(np.zeros((KINDS,) * 3, np.uint32)))
"""Of no text: nothing is chosen."""


def load_ngrams(file: BinaryIO) -> Ngrams:
    """Read what `Ngrams.save` wrote; raises what numpy does if it is damaged."""
    with np.load(file) as stored:
        return Ngrams(Bigrams(np.cumsum(stored["steps"], dtype=np.uint32), stored["counts"]), Trigrams(stored["threes"]))


def _place(char: str) -> int:
    """A Hanzi's place in Unicode's main block; -1 for any other character, or none."""
    place = ord(char) - FIRST if char else -1
    return place if 0 <= place < HANZI else -1


def _codes(before: str, char: str, after: str) -> list[int]:
    """CODES of the two before, the character and the two after; beyond the text stand spaces."""
    return [CODES.get(each, OTHER) for each in (*before[-2:].rjust(2), char, *after[:2].ljust(2))]


def _discounted(counts: np.ndarray, fewer: np.ndarray) -> np.ndarray:
    """Probability along the last axis by counts, and what they leave by that of fewer characters: interpolated absolute discounting."""
    seen = counts.sum(-1, keepdims=True)
    left = DISCOUNT * np.count_nonzero(counts, -1, keepdims=True) * fewer
    return np.where(seen, (np.maximum(counts - DISCOUNT, 0) + left) / np.maximum(seen, 1), fewer)
