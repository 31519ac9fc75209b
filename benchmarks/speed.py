#!/usr/bin/env python3
"""Speed and memory:  python benchmarks/speed.py PAGE... [--peer 'tesseract {} - -l chi_sim']

warm    all PAGE images read in one process
peer    the same images, a process each, by the command given, in which {} stands for the image
cold    `docrec image` of the first PAGE in a fresh process, median of five; with its peak memory
long    peak memory of reading a PDF of 500 pages, and of one of 5, made from the first PAGE as scans
"""

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path


def run(command: Sequence[str]) -> tuple[float, float]:
    """Run a command to its end: wall-clock seconds, and peak memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{shlex.join(command)} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def warm(pages: Sequence[str]) -> float:
    """Seconds a page in this process, the model already loaded."""
    import docrec

    recognizer = docrec.load()
    list(docrec.recognize(pages[0], recognizer))
    start = time.perf_counter()
    for page in pages:
        list(docrec.recognize(page, recognizer))
    return (time.perf_counter() - start) / len(pages)


def long_pdf(picture: str, pages: int, folder: str) -> str:
    """A PDF that shows the picture on every page."""
    import pymupdf

    path = str(Path(folder) / f"{pages}.pdf")
    with pymupdf.open() as document:
        xref = 0
        for _ in range(pages):
            page = document.new_page()
            xref = page.insert_image(page.rect, xref=xref) if xref else page.insert_image(page.rect, filename=picture)
        document.save(path)
    return path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", metavar="PAGE")
    parser.add_argument("--peer", metavar="COMMAND")
    parser.add_argument("--long", action="store_true", help="measure long documents too (minutes)")
    arguments = parser.parse_args()
    docrec = [sys.executable, "-m", "docrec"]

    per_page = warm(arguments.pages)
    print(f"warm   {per_page:6.2f} s a page over {len(arguments.pages)} pages")
    if arguments.peer:
        peer = statistics.mean(run(shlex.split(arguments.peer.replace("{}", shlex.quote(page))))[0] for page in arguments.pages)
        print(f"peer   {peer:6.2f} s a page, {peer / per_page:.1f} times docrec's")
    seconds, memory = zip(*(run([*docrec, "image", arguments.pages[0]]) for _ in range(5)), strict=True)
    print(f"cold   {statistics.median(seconds):6.2f} s, {max(memory):.0f} MB")
    if arguments.long:
        with tempfile.TemporaryDirectory() as folder:
            short, long = (run([*docrec, "pdf", long_pdf(arguments.pages[0], count, folder)])[1] for count in (5, 500))
        print(f"long   {short:.0f} MB for 5 pages, {long:.0f} MB for 500, {long - short:+.0f} MB")


if __name__ == "__main__":
    main()
