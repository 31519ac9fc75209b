"""Labelled lines: pictures of any size as data sets hold them, and images of the network's size as training takes them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Span:
    """Where a character has its ink: `left`, `right` in columns of the line's image; a space spans its gap."""

    char: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class LineImage:
    """A picture of one text line as a data set holds it.

    Attributes:
        name: where it comes from, for messages: a path, or a record file and the number of the record.
        text: what it says.
        gray: uint8 (H, W), 255 = paper.
        spans: its characters from left to right, in columns of `gray`; none where their places are not known.
        png: `gray` as it was read, if that was a grey PNG: to write it again takes longer than all the rest of copying a data set.
    """

    name: str
    text: str
    gray: np.ndarray
    spans: tuple[Span, ...] = ()
    png: bytes = b""


class Dataset(Protocol):
    """Labelled pictures by number; cheap to open and to hand to another process."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LineImage:
        """Load one picture.

        Raises:
            SampleError: it cannot be used; the message names it and says why.
        """
        ...


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A line to learn from.

    Attributes:
        pixels: uint8 (32, 280), 255 = ink.
        text: what it says.
        spans: its characters from left to right; none where their places are not known, as in pictures labelled by hand.
    """

    pixels: np.ndarray
    text: str
    spans: tuple[Span, ...] = ()


class LineSource(Protocol):
    """Where training gets its lines: by group, so that a run that is resumed, or has other workers, sees the same ones."""

    def lines(self, group: int, count: int) -> list[LabelledLine]:
        """The lines of one group, from 0; the same arguments give the same lines."""
        ...
