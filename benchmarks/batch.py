#!/usr/bin/env python3
"""Speed, memory and safety of `docrec batch`:

    python benchmarks/batch.py [--documents N] [--rows N] [--jobs 1 2] [--ray ADDRESS] [--kill N]

One-page PDFs, no two alike, are read with each number of jobs (and then on a Ray cluster): pages a second by the clock, start included;
processor time a page; and the greatest memory of a worker in the first, the middle and the last third of the run. Their own text is not
used (--mode force). With --kill a run is ended by SIGKILL that often, at random moments, and gone on with: its outputs must equal those of
a run that was left alone, and each document must stand in the journal once.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pymupdf

from prose import Prose

SAMPLING = 0.5  # seconds between two looks at the memory of the workers
READING = ["-q", "--mode", "force", "-f", "txt,json"]


def make_documents(folder: Path, count: int, rows: int) -> None:
    """Write one-page PDFs of so many rows, of 34 characters each."""
    folder.mkdir()
    prose = Prose(np.random.default_rng(1))
    for number in range(count):
        text = prose.paragraph(34 * rows - 40, 34 * rows)
        with pymupdf.open() as document:
            page = document.new_page()
            for row in range(rows):
                page.insert_text((90, 100 + 24 * row), text[34 * row : 34 * row + 34], fontname="china-s", fontsize=12)
            document.save(folder / f"{number:05}.pdf")


def start(documents: Path, out: Path, options: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a run."""
    command = [sys.executable, "-m", "docrec", "batch", str(documents), "--out-dir", str(out), *READING, *options]
    return subprocess.Popen(command)


def worker_memory(parent: int) -> float:
    """MB of the largest child of a process, 0 without one."""
    largest = 0.0
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        try:
            status = Path(f"/proc/{child}/status").read_text()
        except OSError:
            continue
        largest = max(largest, *(int(row.split()[1]) / 1024 for row in status.splitlines() if row.startswith("VmRSS")), 0.0)
    return largest


def measure(documents: Path, out: Path, count: int, options: Sequence[str]) -> None:
    """Read all documents once, and print the figures."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = start(documents, out, options)
    memory = []
    while process.poll() is None:
        memory.append(worker_memory(process.pid))
        time.sleep(SAMPLING)
    if process.returncode:
        raise SystemExit(f"docrec batch ended with {process.returncode}")
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    thirds = [max(part, default=0.0) for part in np.array_split(memory, 3)]
    figures = f"{count / seconds:6.2f} pages/s  {processor / count:.2f} s of processor time a page"
    print(f"{' '.join(options):24} {figures}  MB of a worker {' '.join(f'{mb:.0f}' for mb in thirds)}  load {os.getloadavg()[0]:.1f}")


def kill_and_go_on(documents: Path, out: Path, straight: Path, kills: int, options: Sequence[str], longest: float) -> None:
    """Kill a run again and again, let it come to its end, and compare."""
    moments = random.Random(1)
    killed = 0
    while killed < kills:
        process = start(documents, out, options)
        try:
            process.wait(moments.uniform(0.5, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        if process.wait() == 0:
            raise SystemExit(f"the run came to its end after {killed} kills; take more --documents")
    if start(documents, out, options).wait():
        raise SystemExit("the last run failed")
    outputs, expected = files_of(out), files_of(straight)
    rows = [json.loads(row)["document"] for row in (out / ".docrec" / "journal.jsonl").read_text().splitlines()]
    left = [path.name for path in out.rglob("*") if path.name.endswith(".tmp")]
    lost, other = expected.keys() - outputs.keys(), [name for name in expected.keys() & outputs.keys() if expected[name] != outputs[name]]
    print(f"{killed} kills: {len(lost)} outputs lost, {len(other)} not equal, {len(outputs.keys() - expected.keys())} too many,", end=" ")
    print(f"{len(rows) - len(set(rows))} documents done twice, {len(left)} temporary files left; {len(expected)} outputs")


def files_of(folder: Path) -> dict[str, bytes]:
    """Content of the outputs in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=28, help="of 34 characters, on each of them")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--ray", metavar="ADDRESS")
    parser.add_argument("--kill", type=int, default=0, metavar="N")
    parser.add_argument("--longest", type=float, default=12.0, metavar="SECONDS", help="after which a run is killed at the latest")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_documents(folder / "in", arguments.documents, arguments.rows)
        for jobs in arguments.jobs:
            measure(folder / "in", folder / f"out-{jobs}", arguments.documents, ["-j", str(jobs)])
        if arguments.ray:
            measure(folder / "in", folder / "out-ray", arguments.documents, ["--ray", arguments.ray])
        if arguments.kill:
            straight = folder / f"out-{arguments.jobs[-1]}"
            options = ["-j", str(arguments.jobs[-1])]
            kill_and_go_on(folder / "in", folder / "out-killed", straight, arguments.kill, options, arguments.longest)


if __name__ == "__main__":
    main()
