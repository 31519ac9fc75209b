#!/usr/bin/env python3
"""Searchable PDFs read back: whether three readers find every character that docrec read, and where.

    python benchmarks/roundtrip.py PATH... [--keep DIR]

PATH is a PDF, a picture of a page, or a folder of them. Each is read and written as a searchable PDF, of which PyMuPDF, poppler's pdftotext
and pypdf give the text. A row a document, characters without spaces:

    found   share of the characters read that each reader gives, and = if it gives just these in this order
    spaces  between Hanzi of a line that docrec put none between, in the text of each reader
    hits    share of pieces of lines that a search finds, and the least overlap (intersection over union) with their place
    bytes   a page by which the text made the file larger, without the font, which is there once
"""

import argparse
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import nan
from pathlib import Path

import pymupdf
import pypdf

import docrec
from docrec.document import Page
from docrec.options import ReadOptions, WriteOptions
from docrec.recognizer import Recognizer
from docrec.source import page_turn
from docrec.writers import write
from docrec.writers.words import glyphs_to_box, to_given

SUFFIXES = (".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
PIECE = 4
"""Characters of a line that are searched for."""
HANZI_SPACES = re.compile(r"(?<=[\u4e00-\u9fff])[ \u3000]+(?=[\u4e00-\u9fff])")


@dataclass(frozen=True, slots=True)
class Row:
    """What was found of one document; see the module's docstring. `readers` gives share found, whether in order, and spaces."""

    name: str
    pages: int
    characters: int
    readers: dict[str, tuple[float, bool, int]]
    hits: float
    overlap: float
    growth: float
    fault: str


def texts(path: Path) -> dict[str, list[str]]:
    """The text of each page by reader, in the order of the content."""
    with pymupdf.open(path) as document:
        by_mupdf = [page.get_text() for page in document]
    by_poppler = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, check=True).stdout.decode().split("\f")
    by_pypdf = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    return {"PyMuPDF": by_mupdf, "pdftotext": by_poppler[: len(by_mupdf)], "pypdf": by_pypdf}


def bare(text: str) -> str:
    """A text without white space."""
    return "".join(text.split())


def compare(pages: Sequence[Page], given: Sequence[str]) -> tuple[float, bool, int]:
    """Share of the characters read that are in the text given back, whether that is just these in order, and spaces between Hanzi."""
    total = found = spaces = 0
    same = True
    for page in pages:
        read = bare("".join(line.text for line in page.lines))
        back = given[page.index]
        total += len(read)
        found += sum((Counter(read) & Counter(bare(back))).values())
        same &= read == bare(back)
        ends = set(accumulate(len(bare(line.text)) for line in page.lines))
        spaces += sum(len(bare(back[: match.start()])) not in ends for match in HANZI_SPACES.finditer(back))
        spaces -= sum(len(HANZI_SPACES.findall(line.text)) for line in page.lines)
    return found / max(total, 1), same, spaces


def overlaps(path: Path, pages: Sequence[Page]) -> list[float]:
    """For a piece of each line that is nowhere else, the best overlap of what a search finds with its place; 0 if it is not found."""
    results = []
    with pymupdf.open(path) as document:
        for page in pages:
            leaf = document[page.index]
            found = leaf.get_textpage()
            zoom = (page.scan or page).width / leaf.rect.width
            for line in page.lines:
                start = (len(line.glyphs) - PIECE) // 2
                glyphs = line.glyphs[start : start + PIECE]
                if start < 0 or any(glyph.char.isspace() for glyph in glyphs):
                    continue
                place = pymupdf.Rect(to_given(page, glyphs_to_box(line, glyphs))) / zoom
                piece = line.text[start : start + PIECE]
                if "".join(other.text for other in page.lines).count(piece) > 1:
                    continue
                hits = [hit * page_turn(leaf) for hit in leaf.search_for(piece, textpage=found)]
                results.append(max((_overlap(hit, place) for hit in hits), default=0.0))
    return results


def _overlap(a: pymupdf.Rect, b: pymupdf.Rect) -> float:
    both = (a & b).get_area() if a.intersects(b) else 0.0
    return both / (a.get_area() + b.get_area() - both)


def growth(before: int, result: Path, pages: int) -> float:
    """Bytes a page by which a file of `before` bytes grew, without those of the font's streams."""
    with pymupdf.open(result) as document:

        def refer(xref: int, key: str) -> int:
            return int(document.xref_get_key(xref, key)[1].strip("[]").split()[0])

        fonts = {font[0] for page in document for font in page.get_fonts() if font[3] == "DocrecGlyphless"}
        cids = {refer(font, "DescendantFonts") for font in fonts}
        shared = {refer(font, "ToUnicode") for font in fonts} | {refer(cid, "CIDToGIDMap") for cid in cids}
        font = sum(len(document.xref_stream_raw(xref)) for xref in shared)
    return (result.stat().st_size - before - font) / pages


def measure(source: Path, result: Path, recognizer: Recognizer) -> Row:
    """Read a document, write it and look at what was written."""
    pages = list(docrec.recognize(source, recognizer, ReadOptions(mode="force")))
    about = WriteOptions(document=str(source))
    write([replace(page, blocks=()) for page in pages], result, "pdf", about)
    before = result.stat().st_size
    write(pages, result, "pdf", about)
    checked = subprocess.run(["qpdf", "--check", result], capture_output=True)
    readers = {name: compare(pages, given) for name, given in texts(result).items()}
    hits = overlaps(result, pages)
    found = [hit for hit in hits if hit]
    return Row(
        source.name,
        len(pages),
        sum(len(bare(line.text)) for page in pages for line in page.lines),
        readers,
        len(found) / len(hits) if hits else nan,
        min(found, default=1.0),
        growth(before, result, len(pages)),
        checked.stderr.decode().strip() if checked.returncode else "",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    parser.add_argument("--keep", metavar="DIR", type=Path, help="keep what is written")
    asked = parser.parse_args(arguments)
    named = [[*sorted(path.iterdir())] if path.is_dir() else [path] for path in asked.paths]
    sources = [path for paths in named for path in paths if path.suffix.lower() in SUFFIXES]
    recognizer = docrec.load()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{'document':34} pages  chars      PyMuPDF    pdftotext        pypdf    hits  least   bytes")
        for source in sources:
            row = measure(source, folder / f"{source.stem}.searchable.pdf", recognizer)
            rows.append(row)
            cells = " ".join(f"{share:8.2%}{'=' if same else ' '}{spaces:3}" for share, same, spaces in row.readers.values())
            place = f"{row.hits:7.2%} {row.overlap:6.2f} {row.growth:7.0f}"
            print(f"{row.name[:34]:34} {row.pages:5} {row.characters:6} {cells} {place} {row.fault}", flush=True)
    total = sum(row.characters for row in rows)
    for name in rows[0].readers if rows else ():
        share = sum(row.readers[name][0] * row.characters for row in rows) / total
        same = sum(row.readers[name][1] for row in rows)
        print(f"{name}: {share:.4%} of {total} characters, {same} of {len(rows)} documents in order")


if __name__ == "__main__":
    main()
