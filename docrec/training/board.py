"""The TensorBoard log of a run: loss, learning rate, speed, CER and lines right, and pictures of lines with their reading."""

from pathlib import Path

import numpy as np

from docrec.training.fit import Report, Validation


class Board:
    """Writes event files for TensorBoard; a Watcher of training.

    Args:
        folder: receives the event files; each run of the process adds one.
    """

    def __init__(self, folder: str | Path) -> None:
        import tensorflow

        self._summary = tensorflow.summary
        self._writer = self._summary.create_file_writer(str(folder))

    def report(self, report: Report) -> None:
        """Log loss, learning rate, speed and waiting."""
        with self._writer.as_default(report.step):
            self._summary.scalar("loss/ctc" if report.ctc else "loss/frames", report.loss)
            self._summary.scalar("learning rate", report.learning_rate)
            self._summary.scalar("speed/lines a second", report.rate)
            self._summary.scalar("speed/share of time waiting for lines", report.waiting)

    def validated(self, validation: Validation) -> None:
        """Log CER and lines right, and the samples: pictures, and a table of what they say and what was read."""
        rows = [f"| {number} | `{line.text}` | `{text}` |" for number, (line, text) in enumerate(validation.samples)]
        pictures = np.stack([255 - line.pixels for line, _ in validation.samples])[..., None]
        with self._writer.as_default(validation.step):
            self._summary.scalar("validation/CER", validation.cer)
            self._summary.scalar("validation/lines right", validation.line_accuracy)
            self._summary.image("samples", pictures, max_outputs=len(pictures))
            self._summary.text("samples read", "\n".join(["| | says | read |", "|---|---|---|", *rows]))
        self._writer.flush()
