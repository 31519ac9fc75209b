"""What a terminal shows while documents are read: a progress bar, the pages as they come, and a summary."""

import io
import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Literal

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from docrec.document import Block, Line, Page

LOW_CONFIDENCE = 0.8
"""Characters less sure than this are marked."""

MARK = "underline black on yellow"

Detail = Literal["lines", "pages", "none"]


class View:
    """The terminal's part of one run; use it as a context manager, which shows and removes the progress bar.

    Args:
        detail: "lines" shows every line on standard output, "pages" a row for each page on standard error, "none" neither.
        total: pages to be read, None if not known.
    """

    def __init__(self, detail: Detail, total: int | None) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows ? for a Hanzi, rather than nothing
        self.detail = detail
        self.stdout = Console(highlight=False)
        self.stderr = Console(stderr=True, highlight=False)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=self.stderr, transient=True, disable=not self.stderr.is_terminal)
        self.task = self.progress.add_task("loading the model", total=total)
        self.started = time.perf_counter()
        self.pages = self.lines = self.chars = 0
        self.confidence = 0.0

    def __enter__(self) -> "View":
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()

    def watch(self, name: str, pages: Iterable[Page]) -> Iterator[Page]:
        """Show the pages of the document `name` as they pass."""
        self.progress.update(self.task, description=Text(name).markup)
        for page in pages:
            self.pages += 1
            self.lines += len(page.lines)
            self.chars += sum(len(line.glyphs) for line in page.lines)
            self.confidence += sum(glyph.confidence for line in page.lines for glyph in line.glyphs)
            self._show(name, page)
            self.progress.advance(self.task)
            yield page

    def summarize(self, target: str | None) -> None:
        """Say on standard error how much was read, and how well; nothing if the text went down a pipe."""
        if self.detail == "none" or not self.stderr.is_terminal:
            return
        counts = [_count(self.pages, "page"), _count(self.lines, "line"), _count(self.chars, "character")]
        sure = [f"mean confidence {self.confidence / self.chars:.1%}"] if self.chars else []
        seconds = f"{time.perf_counter() - self.started:.1f} s"
        self.stderr.print(Text(", ".join([*counts, *sure, seconds]) + (f" → {target}" if target else ""), "bold"))

    def _show(self, name: str, page: Page) -> None:
        if self.detail == "pages":
            self.stderr.print(page_row(page), no_wrap=True, overflow="ellipsis", crop=True)
        elif self.detail == "lines":
            self.progress.stop()  # the bar is on the same screen, but on the other stream
            self.stdout.print(Text(f"{name}, page {page.index + 1}", "bold"))
            self.stdout.print(page_table(page))
            self.stdout.print()
            self.progress.start()


def page_table(page: Page) -> RenderableType:
    """A page as a table of line number, text with its doubtful characters marked, and confidence."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    rows = ((line, row) for block in page.blocks for line, row in _rows(block))
    for number, (line, row) in enumerate(rows, start=1):
        indent = Text(row.removesuffix(line.text))
        sure = Text(f"{line.confidence:.1%}", "yellow" if line.confidence < LOW_CONFIDENCE else "dim")
        table.add_row(str(number), indent + marked(line), sure)
    return table if page.lines else Text("(no text)", "dim")


def _rows(block: Block) -> Iterator[tuple[Line, str]]:
    """Each line of a block with the text of its row; a table's lines, which may share one, with their own."""
    rows = (line.text for line in block.lines) if block.kind == "table" else block.text.split("\n")
    return zip(block.lines, rows, strict=True)


def page_row(page: Page) -> Text:
    """A page in one row: its number, how many lines and characters, how sure, and how it begins."""
    glyphs = [glyph for line in page.lines for glyph in line.glyphs]
    sure = f"{sum(glyph.confidence for glyph in glyphs) / len(glyphs):6.1%}" if glyphs else "     –"
    row = Text(f"page {page.index + 1:<4} {len(page.lines):3} lines {len(glyphs):5} characters {sure}  ", "dim")
    return row.append_text(marked(page.lines[0]) if page.lines else Text("(no text)"))


def marked(line: Line) -> Text:
    """A line's text with the characters of low confidence marked."""
    text = Text()
    for glyph in line.glyphs:
        text.append(glyph.char, MARK if glyph.confidence < LOW_CONFIDENCE else "")
    return text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
