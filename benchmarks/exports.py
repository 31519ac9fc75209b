#!/usr/bin/env python3
"""What exports cost:  python benchmarks/exports.py FOLDER [--model DIR] [--pages N]

Exports the model in every form and prints, beside docrec's own reader, size in MB, lines (pieces of 280 columns) a second with its
ratio to docrec's reader, pieces read as docrec reads them, largest difference of confidence in these, and the line CER of the whole of
docrec with that form in the place of its reader. FOLDER holds pages as `docrec evaluate pages` takes them. The rates are the medians of
rounds in which all forms take their turns, on at most 128 pieces.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import docrec
from docrec.bundle import load_bundle
from docrec.charset import Charset
from docrec.chunk import Chunk, ChunkReader
from docrec.ctc import Reading
from docrec.evaluate import PageFigures, ReadPage, judge_page, page_files, true_lines
from docrec.export import agree, arrays_to_readings, document_to_images, export, read_original
from docrec.exported import open_exported
from docrec.options import QUANTIZATIONS, ExportOptions

FORMS = [ExportOptions("saved-model"), *(ExportOptions("litert", quantize=weights) for weights in QUANTIZATIONS), ExportOptions("onnx")]
ROUNDS = 5
Read = Callable[[np.ndarray], list[Reading]]


class Exported:
    """A ChunkReader with an exported model."""

    def __init__(self, read: Read, charset: Charset) -> None:
        self.read_images = read
        self.charset = charset
        self.limited = False

    def read(self, chunks: Iterable[Chunk], batch_size: int, ranks: int = 0) -> Iterator[Reading]:
        """See `ChunkReader.read`."""
        chunks = iter(chunks)
        while batch := list(itertools.islice(chunks, batch_size)):
            pixels = np.stack([chunk.pixels[..., 0] for chunk in batch])
            yield from self.read_images(np.rint((1 - pixels) * 255).astype(np.uint8))


def line_cer(pages: list[tuple[Path, Path]], recognizer: ChunkReader) -> float:
    """Wrong characters a true character, of pages as pairs of true lines and picture."""
    figures = PageFigures()
    for truth, picture in pages:
        text = "\n".join(page.text for page in docrec.recognize(picture, recognizer))
        figures += judge_page(ReadPage(truth.stem, true_lines(truth), text))[0]
    return figures.line_cer


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--pages", type=int, help="take this many pages, evenly spread")
    arguments = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    bundle = load_bundle(arguments.model)
    pages = page_files(arguments.folder)
    pages = pages[:: max(1, len(pages) // (arguments.pages or len(pages)))]
    images = np.concatenate([document_to_images(picture) for _, picture in pages])
    recognizer = docrec.load(arguments.model, "cpu")
    chunks = [Chunk(1 - image[..., None].astype(np.float32) / 255, 0, 0.0, 1.0, 280) for image in images[:128]]
    runs: dict[str, Callable[[], object]] = {"docrec": lambda: list(recognizer.read(chunks, 64))}
    rows: dict[str, list[str]] = {"docrec": [f"{sum(path.stat().st_size for path in bundle.folder.glob('*.*')) / 1e6:6.1f} MB"]}
    cers = {"docrec": line_cer(pages, recognizer)}
    original = read_original(bundle, images)
    with tempfile.TemporaryDirectory() as folder:
        for options in FORMS:
            name = f"{options.to} {options.quantize}"
            path, _ = export(bundle, Path(folder) / name, options)
            size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")))
            run = open_exported(path)

            def read(images: np.ndarray, run: Any = run) -> list[Reading]:
                batches = (images[start : start + 64] for start in range(0, len(images), 64))
                return [reading for batch in batches for reading in arrays_to_readings(run(batch))]

            agreement = agree(original, read(images))
            alike = f"{agreement.alike} of {agreement.pictures} pieces alike, confidence ± {agreement.difference:.4f}"
            rows[name] = [f"{size / 1e6:6.1f} MB", alike]
            cers[name] = line_cer(pages, Exported(read, bundle.charset))
            runs[name] = lambda read=read: read(images[:128])  # type: ignore[misc]
        rates: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name, repeat in runs.items():
                start = time.perf_counter()
                repeat()
                rates[name].append(len(chunks) / (time.perf_counter() - start))
    first = statistics.median(rates["docrec"])
    print(f"{len(pages)} pages, {len(images)} pieces of lines")
    for name, cells in rows.items():
        rate = statistics.median(rates[name])
        print(f"{name:20} {rate:6.0f} lines/s {rate / first:5.2f}  line CER {cers[name]:.3%}  {'  '.join(cells)}")


if __name__ == "__main__":
    main()
