"""The subcommands that make data for training: `synth`, `records` and `dict`."""

import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docrec.charset import Charset, charset_to_json, load_charset
from docrec.cli.dictionary import Dictionary, alphabet, bundled_alphabet
from docrec.cli.read import log_to_stderr
from docrec.errors import MissingDependencyError, OptionError, SampleError, TrainingDataError
from docrec.options import CORES, PARTS

if TYPE_CHECKING:
    from docrec.training.fonts import FontSet

LINES_PER_SHARD = 50_000  # about 100 MB, unless --shards says otherwise
SHOWN = 24  # characters of a list that may be long

log = logging.getLogger("docrec")

OUT = click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Folder to write to; made if need be.")
SHARDS = click.option(
    "--shards", type=click.IntRange(1, 99_999), help=f"Number of TFRecord files.  [default: one for each {LINES_PER_SHARD:,} lines]"
)
JOBS = click.option("-j", "--jobs", type=click.IntRange(1), default=CORES, show_default="all cores", help="Processes that work.")
CHAR_DICT = click.option("-c", "--char-dict", metavar="JSON", help="Alphabet: code points and characters.")
ORD_MAP = click.option("-o", "--ord-map", metavar="JSON", help="Alphabet: classes and code points.")


@click.command()
@click.argument("source")
@OUT
@SHARDS
@click.option("--part", type=click.Choice(PARTS), help="Which part of a data set that has several.")
@click.option("--verify", is_flag=True, help="Write nothing; check that every line can be read, and name each that cannot.")
@JOBS
@CHAR_DICT
@ORD_MAP
@click.pass_obj
def records(
    outer: Dictionary,
    source: str,
    out: Path | None,
    shards: int | None,
    part: str | None,
    verify: bool,
    jobs: int,
    char_dict: str | None,
    ord_map: str | None,
) -> None:
    """Turn a data set of labelled line pictures into TFRecord files, or check one.

    SOURCE is a list of path<TAB>text, or a folder with such a labels.tsv; a folder with NAME.gt.txt beside NAME.png; a folder in the
    Synth90k layout; or TFRecord files: one, a folder of them or a pattern for them.

    Lines that cannot be used are named, counted and left out. With -c and -o these are also the lines with other characters; TFRecords
    of CRNN_Tensorflow need the dictionaries they were made with.
    """
    begin("google_crc32c", "google.protobuf")
    if (out is None) != verify:
        raise OptionError("docrec records takes either --out, the folder to write to, or --verify")
    from docrec.training.datasets import open_dataset
    from docrec.training.parallel import convert, is_sound
    from docrec.training.records import encode_line, write_shards

    charset = alphabet(outer, Dictionary(char_dict, ord_map))
    dataset = open_dataset(source, charset, part)
    total, faults = len(dataset), Counter[str]()
    name = part or "lines"
    if out:
        _refuse_data_set(out, f"{name}-*")
    work = convert(dataset, charset, jobs, encode_line if out else is_sound)
    with bar("writing" if out else "checking", total) as show, closing(work) as results:
        usable = _usable(results, faults, show)
        if out:
            paths = write_shards(out, name, usable, total, shards or -(-total // LINES_PER_SHARD))
        else:
            for _ in usable:
                pass
    skipped = f"{faults.total():,} cannot be used: {_counts(faults)}" if faults else ""
    if out:
        click.echo(f"{total - faults.total():,} lines written to {_files(paths)}" + f"; {skipped}" * bool(faults), err=True)
    elif faults:
        raise TrainingDataError(f"of {total:,} lines {skipped}")
    else:
        click.echo(f"all {total:,} lines are sound", err=True)


@click.command()
@click.option(
    "--text",
    multiple=True,
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="File or folder of text; may be given again.",
)
@click.option(
    "--fonts",
    multiple=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of fonts; may be given again.  [default: the system's]",
)
@OUT
@click.option("--count", type=click.IntRange(1), help="Number of lines.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["images", "records"]),
    default="images",
    show_default=True,
    help="PNG files with a labels.tsv, or TFRecord files that hold the places of the characters too.",
)
@SHARDS
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of all random numbers; other lines with another.")
@click.option("--clean", is_flag=True, help="As printed by a computer, without the traces of scanning.")
@click.option("--coverage", is_flag=True, help="Render nothing; show which characters of the alphabet each font lacks.")
@JOBS
@CHAR_DICT
@ORD_MAP
@click.pass_obj
def synth(
    outer: Dictionary,
    text: tuple[Path, ...],
    fonts: tuple[Path, ...],
    out: Path | None,
    count: int | None,
    form: str,
    shards: int | None,
    seed: int,
    clean: bool,
    coverage: bool,
    jobs: int,
    char_dict: str | None,
    ord_map: str | None,
) -> None:
    """Render labelled line images, 32 × 280, from text and fonts, as documents show them.

    The same text, fonts and seed give the same lines. Characters that are not in the alphabet are left out of the text; -c and -o
    name another alphabet than the bundled model's.
    """
    begin("freetype", "fontTools", "google_crc32c", "google.protobuf")
    if not coverage and not (text and out and count):
        raise OptionError("docrec synth needs --text, --out and --count, or --coverage")
    if shards and form != "records":
        raise OptionError("--shards is a number of TFRecord files; it needs --as records")
    from docrec.training.datasets import labelled_png, write_pictures
    from docrec.training.fonts import load_fonts, system_font_folders
    from docrec.training.parallel import render
    from docrec.training.records import encode_line, write_shards

    charset = alphabet(outer, Dictionary(char_dict, ord_map)) or bundled_alphabet()
    folders = fonts or tuple(system_font_folders())
    loaded = load_fonts(folders, charset)
    if coverage:
        _show_coverage(loaded, charset)
    for path, reason in loaded.refused.items() if fonts and not coverage else ():
        log.warning("the font %s is left out: %s", path, reason.removeprefix(f"the font {path} "))
    click.echo(_coverage(loaded, charset), err=True)
    if coverage or not out or not count:
        return
    _refuse_data_set(out, "*.tfrecord" if form == "images" else "synth-*")
    encode: Callable[..., Any] = labelled_png if form == "images" else encode_line
    with bar("rendering", count) as show, closing(render(text, folders, charset, seed, clean, jobs, encode)) as lines:
        rendered = _usable(islice(lines, count), Counter(), show)
        if form == "images":
            write_pictures(out, rendered)
            where = str(out / "labels.tsv")
        else:
            where = _files(write_shards(out, "synth", rendered, count, shards or -(-count // LINES_PER_SHARD)))
    click.echo(f"{count:,} lines written to {where}", err=True)


@click.command("dict")
@click.argument("text", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("-c", "--char-dict", metavar="JSON", help="File for the dictionary of code points and characters.")
@click.option("-o", "--ord-map", metavar="JSON", help="File for the dictionary of classes and code points.")
@click.option("--characters", metavar="LIST", help="More characters: themselves, or a file of them.")
@click.option("--min-count", type=click.IntRange(1), default=1, show_default=True, help="Leave out what the texts have fewer times.")
@click.option("--base", nargs=2, metavar="CHAR_DICT ORD_MAP", help="Dictionaries to extend: their characters keep their classes.")
@click.pass_obj
def build_dict(
    outer: Dictionary,
    text: tuple[Path, ...],
    char_dict: str | None,
    ord_map: str | None,
    characters: str | None,
    min_count: int,
    base: tuple[str, str] | None,
) -> None:
    """Make the two dictionaries of an alphabet from texts and lists of characters.

    Classes follow the order of code points, those of new characters after those of the base. White space of every kind counts as a
    space; control characters are left out.
    """
    begin("freetype")
    char_dict, ord_map = char_dict or outer.char_dict, ord_map or outer.ord_map
    if not char_dict or not ord_map or char_dict == ord_map:
        raise OptionError("docrec dict writes two files: name the char dict with -c and the ord map with -o")
    for path in (char_dict, ord_map):
        if os.path.exists(path):
            raise OptionError(f"a dictionary is not overwritten, since models may depend on it, and {path} is there; name another file")
    if not text and not characters:
        raise OptionError("docrec dict takes characters from texts and from --characters, and got neither")
    from docrec.training.text import find_texts, read_text
    from docrec.writers.replace import replacing, writing_to

    counts: Counter[str] = Counter()
    for file in find_texts(text):
        for char, number in Counter(read_text(file)).items():
            counts[" " if char.isspace() else char] += number
    controls = {char for char in counts if _is_control(char)}
    kept = load_charset(*base).characters if base else ()
    listed = {*kept, *_listed(characters or "")}
    rare = {char for char, number in counts.items() if number < min_count} - controls - listed
    new = sorted((counts.keys() - controls - rare | listed) - set(kept))
    charset = Charset((*kept, *new))
    with replacing(char_dict) as first, replacing(ord_map) as second:
        for path, stream, content in zip((char_dict, ord_map), (first, second), charset_to_json(charset), strict=True):
            with writing_to(path):
                stream.write(content)
    origin = f" ({len(kept):,} of the base, {len(new):,} new)" if base else ""
    click.echo(f"{len(charset):,} characters{origin} written to {char_dict} and {ord_map}", err=True)
    if rare:
        click.echo(f"{len(rare):,} left out that the texts have fewer than {min_count} times: {_sample(rare)}", err=True)
    if controls:
        points = " ".join(f"U+{ord(char):04X}" for char in sorted(controls))
        click.echo(f"{len(controls):,} control and unassigned characters left out: {points}", err=True)


def _listed(characters: str) -> str:
    """The characters of --characters, without the ends of lines if it names a file."""
    if os.path.isfile(characters):
        from docrec.training.text import read_text

        characters = read_text(Path(characters)).translate({ord("\n"): None, ord("\r"): None, 0xFEFF: None})
    if controls := sorted(set(filter(_is_control, characters))):
        raise OptionError(f"--characters takes characters that can be printed, got {' '.join(f'U+{ord(char):04X}' for char in controls)}")
    return characters


def _is_control(char: str) -> bool:
    return unicodedata.category(char).startswith("C")


def begin(*packages: str) -> None:
    """Show warnings, and refuse to begin without the packages."""
    log_to_stderr()
    require(*packages)


def require(*packages: str) -> None:
    """Refuse to go on without packages that docrec[train] brings."""
    if missing := [name for name in packages if not _is_installed(name)]:
        raise MissingDependencyError(f"this needs the packages {', '.join(missing)}, which are not installed; install docrec[train]")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # what it is part of
        return False


def _refuse_data_set(folder: Path, pattern: str) -> None:
    if there := [*folder.glob("labels.tsv"), *folder.glob(pattern)]:
        raise OptionError(f"--out must be a folder that holds no such data yet, and there is {there[0]}; name another folder, or remove it")


@contextmanager
def bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error if that is a terminal; the function shows how many lines are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)


def _usable(results: Iterable[Any], faults: Counter[str], show: Callable[[int], None]) -> Iterator[Any]:
    """The results, None in place of each SampleError, which is named and counted."""
    for number, result in enumerate(results, start=1):
        if isinstance(result, SampleError):
            log.warning("%s", result)
            faults[result.fault] += 1
            result = None
        yield result
        if number % 64 == 0:  # a bar that moves with every line takes a tenth of the time
            show(number)


def _counts(faults: Counter[str]) -> str:
    return ", ".join(f"{number:,} × {fault}" for fault, number in faults.most_common())


def _files(paths: list[Path]) -> str:
    return str(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def _sample(characters: Collection[str]) -> str:
    """The first of many characters."""
    return "".join(sorted(characters)[:SHOWN]) + " …" * (len(characters) > SHOWN)


def _coverage(fonts: "FontSet", charset: Charset) -> str:
    missing = fonts.missing(charset)
    kinds = f"{len(fonts.hanzi)} Chinese and {len(fonts.latin)} Latin fonts, {len(fonts.refused)} left out"
    lacking = f"; no font has these {len(missing):,}: {_sample(missing)}" if missing else ""
    return f"{kinds}; they show {len(charset) - len(missing):,} of the alphabet's {len(charset):,} characters{lacking}"


def _show_coverage(fonts: "FontSet", charset: Charset) -> None:
    """A table of how much of the alphabet each font shows, on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table("font", "use")
    table.add_column("lacks", justify="right")
    table.add_column("the first of these, or why it is left out")
    for use, group in (("Chinese", fonts.hanzi), ("Latin", fonts.latin)):
        for font in group:
            lacking = [char for char in charset.characters if char != " " and not font.has(char)]
            table.add_row(font.path.name, use, f"{len(lacking):,}", _sample(lacking))
    for path, reason in fonts.refused.items():
        table.add_row(path.name, "none", "", reason)
    Console(highlight=False).print(table)
