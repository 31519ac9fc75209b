#!/usr/bin/env python3
"""docrec beside other readers:  python benchmarks/peers.py FOLDER... [--only NAME] [--pages N] [--model DIR]

Each FOLDER holds pages as `docrec evaluate pages` takes them. The systems read page by page in turns, each in a process of its own,
so that all meet the machine in the same state; a table for each folder shows, for each system, the accuracy as `docrec evaluate pages`
measures it, the median of the seconds a page, without loading, their ratio to docrec's, and peak memory.

Peers install by name and are for comparison alone: `pip install rapidocr-onnxruntime` (PP-OCR's mobile models on ONNX Runtime) and
`apt-get install tesseract-ocr tesseract-ocr-chi-sim` (Tesseract, run as `-l chi_sim+eng` on one core for each page, OMP_THREAD_LIMIT=1,
with which it is fastest). What is not installed is left out, and said so.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from docrec.evaluate import PageFigures, ReadPage, judge_page, page_files, true_lines

Read = Callable[[str], str]


def load_docrec(model: str | None) -> Read:
    """docrec, as `docrec image` reads."""
    import docrec

    recognizer = docrec.load(model)
    return lambda path: "\n".join(page.text for page in docrec.recognize(path, recognizer))


def load_rapidocr(model: str | None) -> Read:
    """RapidOCR with the models it brings, its boxes in the order that it gives them."""
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR()
    return lambda path: "\n".join(text for _, text, _ in engine(path)[0] or ())


def load_tesseract(model: str | None) -> Read:
    """Tesseract, a process a page, as it is used."""
    command = ["tesseract", "-", "-", "-l", "chi_sim+eng"]
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}

    def read(path: str) -> str:
        with open(path, "rb") as picture:
            done = subprocess.run(command, stdin=picture, capture_output=True, env=environment, check=True)
        return done.stdout.decode()

    return read


SYSTEMS: dict[str, tuple[Callable[[str | None], Read], Callable[[], Any]]] = {
    "docrec": (load_docrec, lambda: True),
    "RapidOCR": (load_rapidocr, lambda: find_spec("rapidocr_onnxruntime")),
    "Tesseract": (load_tesseract, lambda: shutil.which("tesseract")),
}
"""For each system how it is loaded, and whether it is installed."""


class Reader:
    """A system in a process of its own, which reads one page at a time."""

    def __init__(self, system: str, model: str | None) -> None:
        command = [sys.executable, __file__, "--serve", system, *(["--model", model] if model else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.megabytes = 0.0

    def read(self, path: Path) -> tuple[str, float]:
        """Text of a page, and seconds."""
        assert self._process.stdin
        assert self._process.stdout
        print(path, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{' '.join(self._process.args)} ended while it read {path}")  # type: ignore[arg-type]
        text, seconds, self.megabytes = json.loads(answer)
        return text, seconds

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def serve(system: str, model: str | None) -> None:
    """Read the pages named on standard input; answer each with a line of JSON: text, seconds, peak memory in MB."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some print while they load
    read = SYSTEMS[system][0](model)
    for path in sys.stdin:
        start = time.perf_counter()
        text = read(path.rstrip("\n"))
        seconds = time.perf_counter() - start
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(json.dumps([text, seconds, peak / 1024]), file=answers, flush=True)


def compare(folder: Path, readers: dict[str, Reader], limit: int | None) -> Table:
    """Read the pages of a folder by every system and tabulate the figures."""
    figures = dict.fromkeys(readers, PageFigures())
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for truth, picture in page_files(folder)[:limit]:
        for name, reader in readers.items():
            text, taken = reader.read(picture.resolve())
            figures[name] += judge_page(ReadPage(truth.stem, true_lines(truth), text))[0]
            seconds[name].append(taken)
    total = next(iter(figures.values()))
    table = Table(title=f"{folder}: {total.pages} pages, {total.characters} characters")
    table.add_column("system")
    for column in ("line CER", "line edits", "page CER", "invented", "raw CER", "s/page", "ratio", "peak MB"):
        table.add_column(column, justify="right")
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    first = next(iter(medians.values()))
    for name, figure in figures.items():
        shares = (figure.line_cer, figure.page_cer, figure.invented_share, figure.raw_cer)
        line, *others = (f"{share:.2%}" for share in shares)
        speed = (f"{medians[name]:.2f}", f"{medians[name] / first:.1f}", f"{readers[name].megabytes:.0f}")
        table.add_row(name, line, str(figure.line_edits), *others, *speed)
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--only", action="append", choices=SYSTEMS, metavar="NAME", help=f"of {', '.join(SYSTEMS)}; may be given again")
    parser.add_argument("--pages", type=int, metavar="N", help="the first N pages of each folder")
    parser.add_argument("--model", metavar="DIR", help="docrec's model")
    parser.add_argument("--serve", choices=SYSTEMS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.model)
        return
    console = Console(width=110)
    wanted = arguments.only or list(SYSTEMS)
    for name in [name for name in wanted if not SYSTEMS[name][1]()]:
        console.print(f"{name} is not installed, and left out")
        wanted.remove(name)
    readers = {name: Reader(name, arguments.model) for name in wanted}
    for folder in arguments.folders:
        console.print(compare(folder, readers, arguments.pages))
    for reader in readers.values():
        reader.close()


if __name__ == "__main__":
    main()
