#!/usr/bin/env python3
"""Accuracy on page images with known text:  python benchmarks/accuracy.py FOLDER [--model DIR]

FOLDER holds NAME.png or .jpg beside NAME.json, an object whose "lines" are objects with a "text", in reading order. Prints, for
each document (NAME without its page number) and for all pages:

line CER   each true line is looked up where it fits best anywhere in what was read (edlib's infix alignment); edits / characters
page CER   edit distance of the whole page in its true order / characters

Compared are the visible characters after Unicode's NFKC, with quotes, dashes and bullets that look alike made equal.
Needs edlib and rapidfuzz from PyPI.
"""

import argparse
import json
import re
import time
import unicodedata
from collections import defaultdict
from pathlib import Path

import edlib
from rapidfuzz.distance import Levenshtein

import docrec

ALIKE = str.maketrans(dict(zip("“”‘’`—–−―•‧∙・●。⋯〈〉∼", "\"\"'''----·····.…<>~", strict=True)))


def comparable(text: str) -> str:
    """What is compared: no white space and controls, look-alikes made equal, leaders and rules cut to three."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(char for char in text if not char.isspace() and unicodedata.category(char)[0] != "C")
    return re.sub(r"([.·_-])\1{2,}", r"\1\1\1", text.translate(ALIKE).replace("…", "..."))


def line_edits(line: str, page: str) -> int:
    """Edits between a line and the part of the page that fits it best."""
    symbols = {char: chr(33 + index) for index, char in enumerate(dict.fromkeys(line))}  # edlib takes 256 symbols
    query, target = ("".join(symbols.get(char, " ") for char in text) for text in (line, page))
    return int(edlib.align(query, target, mode="HW")["editDistance"]) if page else len(line)


def main() -> None:
    """Read every page of the folder and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model")
    arguments = parser.parse_args()
    recognizer = docrec.load(arguments.model)
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    seconds = 0.0
    for truth in sorted(arguments.folder.glob("*.json")):
        picture = next(path for path in truth.parent.glob(f"{truth.stem}.*") if path != truth)
        start = time.perf_counter()
        read = comparable("".join(page.text for page in docrec.recognize(picture, recognizer)))
        seconds += time.perf_counter() - start
        lines = [comparable(line["text"]) for line in json.loads(truth.read_text(encoding="utf-8"))["lines"]]
        whole = "".join(lines)
        figures = [1, sum(line_edits(line, read) for line in lines if line), Levenshtein.distance(whole, read), len(whole)]
        for name in (re.sub(r"-\d+$", "", truth.stem), "all"):
            rows[name] = [a + b for a, b in zip(rows[name], figures, strict=True)]
    for name, (pages, line, page, length) in sorted(rows.items(), key=lambda row: row[0] == "all"):
        print(f"{name:30} {pages:4} pages  line CER {line / length:7.2%}  page CER {page / length:7.2%}")
    print(f"{seconds / rows['all'][0]:.2f} s a page")


if __name__ == "__main__":
    main()
