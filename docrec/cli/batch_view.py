"""What a terminal shows while many documents are read: how many are done, how fast, what is being read, and which cannot be."""

import time
from collections import Counter
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from docrec.batch import Event, Job, Reading

WIDTH = 48  # of the bar, in columns
SHOWN = 16  # documents being read, at most


class BatchView:
    """The terminal's part of one run, and its figures; use it as a context manager.

    On a terminal it is a live table on standard error, and a line for each document that fails; elsewhere a line for each document.

    Args:
        total: documents to read; None if that is open, as folders are watched.
        quiet: whether only failures are told.
    """

    def __init__(self, total: int | None, quiet: bool) -> None:
        self.counts = Counter[str]()
        self._total = total
        self._quiet = quiet
        self._pages = 0
        self._ends: dict[str, Event] = {}
        self._reading: dict[Job, Event] = {}
        self._started = time.monotonic()
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "BatchView":
        if self._console.is_terminal and not self._quiet:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def show(self, event: Event) -> None:
        """Take note of what happened to a document."""
        if event.kind in ("started", "page"):
            self._pages += event.kind == "page"
            self._reading[event.job] = event
            return
        self._reading.pop(event.job, None)
        if before := self._ends.get(event.job.source):  # a document that was watched and has changed
            self.counts[before.kind] -= 1
        self._ends[event.job.source] = event
        self.counts[event.kind] += 1
        if event.kind == "failed":
            self.say(event.message if event.job.source in event.message else f"{event.job.source}: {event.message}", "red")
        elif event.kind == "done" and not self._live.is_started and not self._quiet:
            of = f" of {self._total:,}" if self._total else ""
            self.say(f"{self.counts.total():,}{of}: {event.job.source}, {_count(event.pages, 'page')}, {event.seconds:.1f} s")

    def say(self, message: str, style: str = "") -> None:
        """Print a line on standard error."""
        self._console.print(Text(f"docrec: {message}", style), soft_wrap=True)

    def summarize(self, out_dir: str) -> None:
        """Say how many documents were read, how fast, and where their outputs are."""
        if not self._quiet:
            self.say(f"{self._tally()}, {_count(self._pages, 'page')}, {self._rate:.2f} pages/s → {out_dir}", "bold")

    def summary(self, reading: Reading) -> dict[str, Any]:
        """What became of the documents, as JSON values."""
        documents = [_event_to_json(event, reading) for event in self._ends.values()]
        counts = {kind: self.counts[kind] for kind in ("done", "failed", "skipped")}
        seconds = round(time.monotonic() - self._started, 3)
        return {**counts, "pages": self._pages, "seconds": seconds, "pages_per_second": round(self._rate, 3), "documents": documents}

    @property
    def _rate(self) -> float:
        return self._pages / max(time.monotonic() - self._started, 1e-3)

    def _tally(self) -> str:
        return ", ".join(f"{self.counts[kind]:,} {kind}" for kind in ("done", "failed", "skipped") if self.counts[kind] or kind == "done")

    def _left(self) -> str:
        """Time left, if documents go on to take as long as they did so far."""
        read = self.counts["done"] + self.counts["failed"]
        if not read or not self._total:
            return ""
        minutes, seconds = divmod(round((self._total - self.counts.total()) * (time.monotonic() - self._started) / read), 60)
        return f"about {minutes // 60}:{minutes % 60:02}:{seconds:02} left"

    def _table(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        if self._total:
            table.add_row(
                "documents", ProgressBar(self._total, self.counts.total(), width=WIDTH), f"{self.counts.total():,}/{self._total:,}"
            )
        table.add_row("so far", Text(self._tally(), "red" if self.counts["failed"] else "green"), self._left())
        table.add_row("speed", f"{self._rate:.2f} pages/s", _count(self._pages, "page"))
        rows = Table.grid(padding=(0, 2))
        for event in list(self._reading.values())[:SHOWN]:
            rows.add_row(
                Text("reading", "dim"), Text(event.job.source, no_wrap=True, overflow="ellipsis"), f"{_count(event.pages, 'page')} read"
            )
        return Group(table, rows)


def _event_to_json(event: Event, reading: Reading) -> dict[str, Any]:
    outputs = [] if event.kind == "failed" else [path for path, _ in reading.outputs(event.job)]
    values = {
        "document": event.job.source,
        "status": event.kind,
        "pages": event.pages,
        "seconds": round(event.seconds, 3),
        "outputs": outputs,
    }
    return {**values, "message": event.message} if event.message else values


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
