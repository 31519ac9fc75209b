#!/usr/bin/env python3
"""Speed, memory and safety of `docrec batch`:  python benchmarks/batch.py [--documents N] [--kill N] [--ray ADDRESS]

One-page PDFs of varied text are read with -j 1 and with -j 2: pages a second by the clock, processor time a page, and the memory of the
workers in the first, middle and last third of the run. With --kill the run is killed with SIGKILL that often at random moments and gone on
with; its outputs must equal those of a run without.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import prose
import pymupdf

SAMPLING = 0.5  # seconds between two looks at the memory of the workers
ROWS = 24  # lines of a page


def make_documents(folder: Path, count: int, seed: int) -> None:
    """Write so many one-page PDFs, no two of the same text."""
    folder.mkdir()
    moments = random.Random(seed)
    text = prose.TEXT
    for number in range(count):
        start = moments.randrange(len(text) - 40 * ROWS)
        with pymupdf.open() as document:
            page = document.new_page()
            for row in range(ROWS):
                line = text[start + 34 * row :][:34].replace("\n", "")
                page.insert_text((90, 100 + 24 * row), line, fontname="china-s", fontsize=12)
            document.save(folder / f"{number:05}.pdf")
