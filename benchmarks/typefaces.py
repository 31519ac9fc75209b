#!/usr/bin/env python3
"""Every character in every typeface:  python benchmarks/typefaces.py FOLDER... [--held-out FOLDER]... [--lines N] [--scanned]

For each Chinese typeface below the folders, lines of characters drawn evenly from all of the alphabet that it has are rendered as for
training, and read. A row a typeface shows the share of characters that are right where width and look-alikes do not count, as in
`docrec evaluate lines`: among random characters no neighbour tells an O from a zero. Then all typefaces together, those kept out of
training together, and how far confidences can be trusted.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from docrec.charset import Charset
from docrec.chunk import INK_HEIGHT, WIDTH, Chunk, ChunkReader, readings_to_line
from docrec.document import Box, Line
from docrec.evaluate import Pair, ReadLine, align, class_shares, comparable, invented, judge_lines, ratio
from docrec.recognizer import load
from docrec.training.fonts import Font, FontSet, is_hanzi, load_fonts
from docrec.training.synth import Renderer

LENGTH = 40  # characters drawn for a line, more than fit


@dataclass(frozen=True, slots=True)
class EvenText:
    """Characters of an alphabet, each as likely as any other; a source of text like `training.text.TextSource`."""

    charset: Charset

    def draw(self, random: np.random.Generator, has: Callable[[str], bool]) -> str:
        """Draw the characters of a line, of Hanzi those that the typeface has; the renderer leaves out others that none has."""
        picks = [self.charset.characters[index] for index in random.integers(len(self.charset), size=2 * LENGTH)]
        return "".join(char for char in picks if char != " " and (has(char) or not is_hanzi(char)))[:LENGTH]


def read_typeface(font: Font, latin: tuple[Font, ...], recognizer: ChunkReader, count: int, clean: bool, seed: int) -> list[ReadLine]:
    """Render and read lines of random characters."""
    renderer = Renderer(EvenText(recognizer.charset), FontSet((font,), latin), seed)  # type: ignore[arg-type]
    lines = [line for line in renderer.lines(0, count, clean) if line.text]
    chunks = [Chunk((line.pixels / np.float32(255))[:, :, None], index, 0.0, 1.0, WIDTH) for index, line in enumerate(lines)]
    page = Line(Box(0, 0, WIDTH, INK_HEIGHT))
    read = [
        readings_to_line([chunk], [reading], page, recognizer.charset)
        for chunk, reading in zip(chunks, recognizer.read(chunks, 64), strict=True)
    ]
    return [
        ReadLine(font.path.name, line.text, was.text, index, tuple(glyph.confidence for glyph in was.glyphs))
        for index, (line, was) in enumerate(zip(lines, read, strict=True))
    ]


def shares(lines: Sequence[ReadLine]) -> tuple[str, ...]:
    """How many characters, and which share of all, of the Hanzi and of the others are right; invented ones among a hundred."""
    pairs: Counter[Pair] = Counter(pair for line in lines for pair in align(comparable(line.text), comparable(line.read)))
    hanzi = {pair: count for pair, count in pairs.items() if pair[0] and is_hanzi(pair[0])}
    groups = [class_shares(some) for some in (pairs, hanzi, pairs - Counter(hanzi))]
    rights, totals = ([sum(getattr(share, name) for share in group) for group in groups] for name in ("right", "total"))
    return f"{totals[0]:,}", *(f"{share:.2%}" for share in (*map(ratio, rights, totals), ratio(invented(pairs), totals[0])))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="typefaces that training saw, Latin ones among them")
    parser.add_argument("--held-out", action="append", default=[], type=Path, metavar="FOLDER", help="typefaces kept out of training")
    parser.add_argument("--lines", type=int, default=200, metavar="N", help="for each typeface")
    parser.add_argument("--scanned", action="store_true", help="half of the lines with traces of scanning, as in training")
    parser.add_argument("--model", metavar="DIR")
    parser.add_argument("--seed", type=int, default=1_000_003)
    arguments = parser.parse_args()
    recognizer = load(arguments.model, device="cpu")
    seen = load_fonts(arguments.folders, recognizer.charset)
    unseen = load_fonts(arguments.held_out, recognizer.charset).hanzi if arguments.held_out else ()
    table = Table(title="random characters, right")
    table.add_column("typeface")
    for column in ("characters", "all", "Hanzi", "others", "invented"):
        table.add_column(column, justify="right")
    everything: list[ReadLine] = []
    for name, fonts in (("all of training", seen.hanzi), ("all kept out", unseen)):
        lines: list[ReadLine] = []
        for font in fonts:
            lines += (read := read_typeface(font, seen.latin, recognizer, arguments.lines, not arguments.scanned, arguments.seed))
            table.add_row(font.path.name, *shares(read))
        if lines:
            table.add_row(name, *shares(lines), style="bold", end_section=True)
        everything += lines
    console = Console()
    console.print(table)
    for part in judge_lines(everything, 1.0, recognizer.charset).calibration:
        console.print(f"confidence {part.confidence:.3f}: {ratio(part.right, part.total):.1%} of {part.total:,} right")


if __name__ == "__main__":
    main()
