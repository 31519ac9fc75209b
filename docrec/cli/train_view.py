"""What a terminal shows while a model is trained: how far it is, loss and speed, the last validation, and lines as they are read."""

import logging
from collections import deque
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.logging import RichHandler
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from docrec.options import TrainOptions
from docrec.training.fit import Progress, Report, Validation

BLOCKS = "▁▂▃▄▅▆▇█"
KEPT = 48  # losses in the curve
SHOWN = 5  # lines with their reading


class TrainView:
    """The terminal's part of one run of training, a Watcher; use it as a context manager.

    On a terminal it is a live table on standard error, elsewhere the log, a row now and then; nothing at all if `quiet`.
    """

    def __init__(self, options: TrainOptions, quiet: bool) -> None:
        self._options = options
        self._console = Console(stderr=True, highlight=False, quiet=quiet)
        self._losses: deque[float] = deque(maxlen=KEPT)
        self._report: Report | None = None
        self._validation: Validation | None = None
        self._live = Live(get_renderable=self._show, console=self._console, refresh_per_second=2, transient=True)
        self._log = logging.getLogger("docrec")
        self._handler = RichHandler(console=self._console, show_path=False, show_level=False, markup=False, highlighter=None)

    def __enter__(self) -> "TrainView":
        self._log.addHandler(self._handler)
        self._log.setLevel(logging.INFO)
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()
        self._log.removeHandler(self._handler)

    def report(self, report: Report) -> None:
        """Take note of some more steps."""
        self._report = report
        self._losses.append(report.loss)

    def validated(self, validation: Validation) -> None:
        """Take note of a validation."""
        self._validation = validation

    def summarize(self, folder: Path, progress: Progress) -> None:
        """Say where the model is and how it was last judged."""
        judged = f", CER {progress.validations[-1][1]:.2%}" if progress.validations else ""
        self._console.print(Text(f"{progress.step:,} steps, {progress.seconds / 60:.1f} min{judged} → {folder}", "bold"))

    def _show(self) -> RenderableType:
        report = self._report
        if not report:
            return Text("preparing text, fonts and network …", "dim")
        left = report.seconds / report.done - report.seconds if report.done else 0.0
        table = Table.grid(padding=(0, 2))
        table.add_row("done", ProgressBar(1, report.done, width=KEPT), f"{report.done:.1%}, about {left / 60:.0f} min left")
        part = "CTC" if report.ctc else "frames"
        table.add_row("loss", Text(curve(self._losses), "cyan"), f"{report.loss:.4f} ({part}), rate {report.learning_rate:.1e}")
        table.add_row("speed", f"{report.rate:.0f} lines/s, step {report.step:,}", f"waiting for lines {report.waiting:.1%} of the time")
        if not self._validation:
            return table
        judged = self._validation
        table.add_row("judged", f"CER {judged.cer:.2%}, {judged.line_accuracy:.1%} of lines right", f"step {judged.step:,}")
        lines = Table.grid(padding=(0, 2))
        for line, text in judged.samples[:SHOWN]:
            right = line.text == text
            lines.add_row(Text("✓" if right else "✗", "green" if right else "red"), Text(line.text, "dim"), Text(text))
        return Group(table, lines)


def curve(values: deque[float]) -> str:
    """The values as a row of blocks of their height, on a scale from the least to the greatest."""
    low, high = min(values), max(values)
    return "".join(BLOCKS[round((value - low) / (high - low or 1) * (len(BLOCKS) - 1))] for value in values)
