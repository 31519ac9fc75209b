"""How fast training data is made: lines rendered in one process, and TFRecords written and checked on all cores.

    python benchmarks/records.py --text PATH... [--fonts DIR...] [--lines N]

    render  lines in a second of one processor, by the process's own time, and by the clock
    write   lines in a second from PNG files with a labels.tsv to TFRecord files, the start of the processes included
    check   lines in a second of reading these back, every picture and text decoded

The load of the machine when each begins stands beside it: what other programs take is lost to the clock's figures.
"""

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from docrec.charset import load_charset
from docrec.resources import char_dict_folder
from docrec.training.datasets import labelled_png, open_dataset, write_pictures
from docrec.training.fonts import load_fonts, system_font_folders
from docrec.training.lines import LineImage
from docrec.training.parallel import convert, is_sound
from docrec.training.records import encode_line, write_shards
from docrec.training.synth import Renderer
from docrec.training.text import TextSource

RENDERED = 2000
"""Lines rendered; copies of them make up the data set."""


def rendered(text: Sequence[str], fonts: Sequence[Path]) -> list[LineImage]:
    """Render lines, and print how fast."""
    charset = load_charset(char_dict_folder() / "char_dict_cn.json", char_dict_folder() / "ord_map_cn.json")
    renderer = Renderer(TextSource(text, charset), load_fonts(fonts, charset))
    renderer.lines(0, 200)
    load, clock, processor = os.getloadavg()[0], time.perf_counter(), time.process_time()
    lines = renderer.lines(1, RENDERED)
    seconds, own = time.perf_counter() - clock, time.process_time() - processor
    print(f"render {RENDERED / own:7.0f} lines/s of a processor, {RENDERED / seconds:.0f} by the clock, at a load of {load:.1f}")
    return [LineImage(str(number), line.text, 255 - line.pixels, line.spans) for number, line in enumerate(lines) if line.text]


def timed(name: str, count: int, work: Callable[[], object]) -> None:
    """Do the work, and print how fast."""
    load, clock = os.getloadavg()[0], time.perf_counter()
    work()
    print(f"{name:6s} {count / (time.perf_counter() - clock):7.0f} lines/s on {os.cpu_count()} processors, at a load of {load:.1f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", nargs="+", required=True, metavar="PATH")
    parser.add_argument("--fonts", nargs="+", metavar="DIR", type=Path, default=system_font_folders())
    parser.add_argument("--lines", type=int, default=20_000, metavar="N")
    arguments = parser.parse_args()
    count, jobs = arguments.lines, os.cpu_count() or 1

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = itertools.cycle(map(labelled_png, rendered(arguments.text, arguments.fonts)))
        write_pictures(folder / "pictures", itertools.islice(lines, count))
        encoded = convert(open_dataset(folder / "pictures"), None, jobs, encode_line)
        timed("write", count, lambda: write_shards(folder / "records", "lines", encoded, count, 2))
        timed("check", count, lambda: list(convert(open_dataset(folder / "records"), None, jobs, is_sound)))


if __name__ == "__main__":
    main()
