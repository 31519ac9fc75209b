"""The subcommands `evaluate lines` and `evaluate pages`: measure a model where the text is known, and show what it misreads."""

import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

import docrec
from docrec.cli.data import bar, begin
from docrec.cli.dictionary import Dictionary, alphabet
from docrec.errors import SampleError, TrainingDataError
from docrec.options import DEVICES, PARTS, ReadOptions

if TYPE_CHECKING:
    import numpy as np

    from docrec.evaluate import Pair, ReadLine
    from docrec.recognizer import Recognizer
    from docrec.report import Table
    from docrec.training.lines import Dataset

SHOWN = 10  # worst lines on the terminal
REPORTED = 50  # worst lines in a report
STREAM = "-"
PACKAGES = ("edlib", "rapidfuzz")

log = logging.getLogger("docrec")
Read = TypeVar("Read")


@dataclass(frozen=True)
class Findings:
    """What is told of a run: its tables, how often each pair of true and read occurs, the worst lines, and where their pictures are."""

    tables: "list[Table]"
    pairs: "Mapping[Pair, int]"
    worst: "list[ReadLine]"
    dataset: "Dataset | None" = None

    def picture(self, line: "ReadLine") -> "np.ndarray | None":
        """The picture of one of the worst lines, uint8 (H, W), if there is one."""
        return self.dataset[line.index].gray if self.dataset is not None and line.index is not None else None


class _LinesUnlessNamed(click.Group):
    """A group that takes what names none of its subcommands as arguments of `lines`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line after the group's name."""
        named = not args or args[0] in (*self.commands, "-h", "--help")
        return super().parse_args(ctx, args if named else ["lines", *args])


@click.group(cls=_LinesUnlessNamed)
def evaluate() -> None:
    """Measure how well a model reads: labelled lines, or whole pages.

    `docrec evaluate PATH` is `docrec evaluate lines PATH`.
    """


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that both subcommands have."""
    options = (
        click.option("--model", metavar="DIR", help="Model folder, or crnn-zh-hant for traditional characters.  [default: crnn-zh]"),
        click.option("--device", type=click.Choice(DEVICES), default=DEVICES[0], show_default=True, help="Where the network runs."),
        click.option("-c", "--char-dict", metavar="JSON", help="Characters that may appear: code points and characters."),
        click.option("-o", "--ord-map", metavar="JSON", help="Characters that may appear: classes and code points."),
        click.option("--limit", type=click.IntRange(1), metavar="N", help="Read the first N only."),
        click.option(
            "--batch-size", type=int, default=ReadOptions.batch_size, show_default=True, help="Pieces of lines recognised at once."
        ),
        click.option("--json", "json_file", metavar="FILE", help="Write all figures as JSON; - prints them instead of the tables."),
        click.option("--report", metavar="FILE", help="Write a web page of figures, tables and the worst lines."),
        click.option("--matrix", metavar="FILE", help="Write the confusion matrix as a PNG picture."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@evaluate.command()
@click.argument("path")
@click.option("--part", type=click.Choice(PARTS), help="Which part of a data set that has several.")
@_options
@click.pass_obj
def lines(
    outer: Dictionary,
    path: str,
    part: str | None,
    model: str | None,
    device: str,
    char_dict: str | None,
    ord_map: str | None,
    limit: int | None,
    batch_size: int,
    json_file: str | None,
    report: str | None,
    matrix: str | None,
) -> None:
    """Measure a model on labelled pictures of lines.

    PATH is a data set in any form that `docrec records` takes. -c and -o say what the classes in TFRecords of CRNN_Tensorflow stand for,
    and limit the reading to these characters.
    """
    begin(*PACKAGES, "google_crc32c", "google.protobuf")
    options = ReadOptions(batch_size=batch_size)
    from docrec.evaluate import judge_lines, lines_to_json, read_lines, worst
    from docrec.report import line_tables
    from docrec.training.datasets import open_dataset

    charset = alphabet(outer, Dictionary(char_dict, ord_map))
    dataset = open_dataset(path, charset, part)
    recognizer = docrec.load(model, device=device, charset=charset)
    started = time.perf_counter()
    results = read_lines(dataset, recognizer, options.batch_size, limit)
    read, skipped = _collect("reading lines", min(len(dataset), limit or len(dataset)), results)
    figures = judge_lines(read, time.perf_counter() - started, charset or recognizer.charset)

    findings = Findings(line_tables(figures, skipped), figures.pairs, worst(read, REPORTED), dataset)
    _tell(findings, {"data": path, **lines_to_json(figures, read, skipped)}, recognizer, json_file, report, matrix)


@evaluate.command()
@click.argument("folder", metavar="DIR")
@_options
@click.pass_obj
def pages(
    outer: Dictionary,
    folder: str,
    model: str | None,
    device: str,
    char_dict: str | None,
    ord_map: str | None,
    limit: int | None,
    batch_size: int,
    json_file: str | None,
    report: str | None,
    matrix: str | None,
) -> None:
    """Measure a model on whole pages.

    DIR holds NAME.png, or another picture or a PDF, beside NAME.json, an object whose "lines" are objects with a "text", in reading order.
    Pages are summed up by document, which is NAME without its page number ("-12"). White space, full- and half-width forms, and characters
    that look alike in print do not count, but for the raw CER.
    """
    begin(*PACKAGES)
    options = ReadOptions(batch_size=batch_size)
    from docrec.evaluate import PageFigures, ReadLine, align, judge_page, page_files, pages_to_json, read_pages, worst
    from docrec.report import page_tables

    total = len(page_files(folder)[:limit])
    recognizer = docrec.load(model, device=device, charset=alphabet(outer, Dictionary(char_dict, ord_map)))
    started = time.perf_counter()
    read, skipped = _collect("reading pages", total, read_pages(folder, recognizer, options.batch_size, limit))
    seconds = time.perf_counter() - started
    documents: defaultdict[str, PageFigures] = defaultdict(PageFigures)
    lines: list[ReadLine] = []
    for page in read:
        figures, fitted = judge_page(page)
        documents[page.document] += figures
        lines += fitted
    pairs = Counter(pair for line in lines for pair in align(line.text, line.read))
    findings = Findings(page_tables(documents, pairs, skipped, seconds), pairs, worst(lines, REPORTED))
    values = {"data": folder, "seconds": seconds, **pages_to_json(documents, pairs, lines, skipped)}
    _tell(findings, values, recognizer, json_file, report, matrix)


def _collect(label: str, total: int, results: "Iterable[Read | SampleError]") -> tuple[list[Read], list[SampleError]]:
    """What was read and what was skipped, which is named as it comes."""
    read: list[Read] = []
    skipped: list[SampleError] = []
    with bar(label, total) as show:
        for number, result in enumerate(results, start=1):
            if isinstance(result, SampleError):
                log.warning("%s; it is skipped", result)
                skipped.append(result)
            else:
                read.append(result)
            show(number)
    if not read:
        raise TrainingDataError(f"judging needs something that can be read, and none of {total:,} can; the warnings say why")
    return read, skipped


def _tell(
    findings: Findings, values: dict[str, Any], recognizer: "Recognizer", json_file: str | None, report: str | None, matrix: str | None
) -> None:
    """Print the tables, or the JSON, and write the files asked for."""
    from docrec.report import draw_matrix, html_report
    from docrec.writers.replace import replacing

    values = {"model": str(recognizer.bundle.folder), **values}
    encoded = json.dumps(values, ensure_ascii=False, indent=1) + "\n"
    if json_file == STREAM:
        click.echo(encoded, nl=False)
    else:
        _show(findings)
    if json_file and json_file != STREAM:
        with replacing(json_file) as file:
            file.write(encoded.encode())
    picture = draw_matrix(findings.pairs) if report or matrix else b""
    if matrix:
        with replacing(matrix) as file:
            file.write(picture)
    if report:
        lines = ((line, findings.picture(line)) for line in findings.worst)
        with replacing(report) as file:
            file.write(html_report(f"{recognizer.bundle.folder.name} on {values['data']}", findings.tables, picture, lines).encode())


def _show(findings: Findings) -> None:
    """Print the tables and the worst lines."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from docrec.evaluate import align
    from docrec.report import name

    console = Console(highlight=False)
    for table in findings.tables:
        shown = Table(title=table.title, box=None, title_justify="left", title_style="bold", show_header=any(table.columns))
        for number, column in enumerate(table.columns):
            shown.add_column(column, justify="right" if number else "left")
        for row in table.rows:
            shown.add_row(*map(Text, row))
        console.print(shown)
        console.print(Text(table.note, "dim"), soft_wrap=True)
    console.print(Text("Worst lines" * bool(findings.worst), "bold"))
    for line in findings.worst[:SHOWN]:
        pairs = align(line.text, line.read)
        console.print(Text(f"{line.name}: {line.edits} edits", "dim"), soft_wrap=True)
        for side, word in enumerate(("true", "read")):
            marks = ((name(pair[side]), "bold red") if pair[0] != pair[1] else pair[side] for pair in pairs)
            console.print(Text.assemble((f"  {word} ", "dim"), *marks), soft_wrap=True)
