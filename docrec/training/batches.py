"""Batches of lines, made in other processes and handed over in order: batch n is the same whoever makes it, and when."""

import itertools
import logging
import math
import multiprocessing
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from logging.handlers import QueueHandler
from queue import Empty, Full
from typing import Any

import numpy as np

from docrec.charset import Charset
from docrec.errors import DocrecError, SampleError, TrainingDataError
from docrec.options import TrainOptions
from docrec.training.datasets import RecordedLines, open_dataset, to_network_size
from docrec.training.fonts import load_fonts
from docrec.training.lines import Dataset, LabelledLine, LineImage, LineSource
from docrec.training.synth import Renderer
from docrec.training.targets import Batch, is_learnable, make_batch
from docrec.training.text import TextSource

log = logging.getLogger(__name__)

QUEUED_BATCHES = 12  # in all
SPARE = 1.1  # lines drawn for each that is wanted, as some have more characters than the network has frames for
HELD_OUT = 20  # of so many recorded lines one is kept from training, where no others are given to judge by


class Batches:
    """The batches of a run from number `first` on, without end, as a context manager.

    Args:
        options: see TrainOptions; `workers` processes make the batches.
        charset: alphabet.
        first: number of the first batch.
        known: alphabet of the model that training begins with, if it does with one.

    Attributes:
        validation: lines to judge by, of which training sees none; there once the context is entered.
    """

    def __init__(self, options: TrainOptions, charset: Charset, first: int, known: Charset | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        count = options.workers
        self._queues = [context.Queue(max(2, QUEUED_BATCHES // count)) for _ in range(count)]
        self._processes = [
            context.Process(target=_work, args=(options, charset, known, first + worker, worker == 0, queue), daemon=True)
            for worker, queue in enumerate(self._queues)
        ]
        self._turns = itertools.cycle(range(count))
        self.validation: list[LabelledLine] = []

    def __enter__(self) -> "Batches":
        for process in self._processes:
            process.start()
        try:
            self.validation = self._take(0)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield self._take(next(self._turns))

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
            process.join()

    def _take(self, worker: int) -> Any:
        """What the worker made next; what it logged on the way is logged here, what it raised is raised."""
        while True:
            try:
                item = self._queues[worker].get(timeout=5)
            except Empty:
                if self._processes[worker].is_alive():
                    continue
                raise TrainingDataError(f"a process that makes batches has ended (status {self._processes[worker].exitcode})") from None
            if isinstance(item, logging.LogRecord):
                logging.getLogger(item.name).handle(item)
            elif isinstance(item, Exception):
                raise item
            else:
                return item


class _Joined:
    """Several data sets as one."""

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        self._datasets = datasets
        self._ends = list(itertools.accumulate(map(len, datasets)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> LineImage:
        which = bisect_right(self._ends, index)
        return self._datasets[which][index - (self._ends[which - 1] if which else 0)]


class _Chosen:
    """Those samples of a data set that have these numbers."""

    def __init__(self, dataset: Dataset, numbers: np.ndarray) -> None:
        self._dataset = dataset
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> LineImage:
        return self._dataset[int(self._numbers[index])]


class _Sources:
    """Where the lines of a run come from: rendered, recorded, or both, and the lines to judge by."""

    def __init__(self, options: TrainOptions, charset: Charset, known: Charset | None) -> None:
        self._options = options
        self._charset = charset
        self._rendered: LineSource | None = None
        self._recorded: LineSource | None = None
        self._held_out: Dataset | None = None
        if options.text:
            text, fonts = TextSource(options.text, charset, known), load_fonts(options.fonts, charset)
            self._rendered = Renderer(text, fonts, options.seed)
            self._unseen = Renderer(text, fonts, options.seed + 1)
        if options.data:
            dataset: Dataset = _Joined([open_dataset(path, charset) for path in options.data])
            if not options.validation and not options.text:
                numbers = np.arange(len(dataset))
                self._held_out = _Chosen(dataset, numbers[::HELD_OUT])
                dataset = _Chosen(dataset, numbers[numbers % HELD_OUT != 0])
            self._recorded = RecordedLines(dataset, charset, options.seed)
        if options.validation:
            self._held_out = open_dataset(options.validation, charset, "val")

    def batch(self, number: int) -> Batch:
        """Batch `number` of the run."""
        size = self._options.batch_size
        recorded = 0 if not self._recorded else size if not self._rendered else round(self._options.data_share * size)
        lines = []
        for source, count in ((self._recorded, recorded), (self._rendered, size - recorded)):
            if source and count:
                lines += self._learnable(source, number, count)
        random = np.random.default_rng([self._options.seed, number, 1])
        return make_batch(lines, self._charset, self._options.candidates, random)

    def validation(self) -> list[LabelledLine]:
        """The lines to judge by, the same in every run."""
        count = self._options.validation_lines
        if self._held_out is None:
            return self._unseen.lines(0, count)
        lines = []
        for index in np.linspace(0, len(self._held_out) - 1, min(count, len(self._held_out))).astype(int):
            try:
                lines.append(to_network_size(self._held_out[int(index)], self._charset))
            except SampleError as error:
                log.warning("not judged by: %s", error)
        if not lines:
            raise TrainingDataError("none of the lines to judge by can be used; give others with --validation")
        return lines

    def _learnable(self, source: LineSource, number: int, count: int) -> list[LabelledLine]:
        lines = [line for line in source.lines(number, math.ceil(SPARE * count)) if is_learnable(line)]
        if not lines:
            raise TrainingDataError(f"no line of batch {number} can be learned: they are empty, or too long for the network")
        return list(itertools.islice(itertools.cycle(lines), count))


def _work(options: TrainOptions, charset: Charset, known: Charset | None, first: int, validates: bool, queue: Any) -> None:
    """Body of a process: every batch whose turn it is, preceded by the lines to judge by if it is to make them."""
    import cv2

    cv2.setNumThreads(1)
    logger = logging.getLogger("docrec")
    logger.addHandler(QueueHandler(queue))
    logger.propagate = False
    try:
        sources = _Sources(options, charset, known)
        if validates:
            _put(queue, sources.validation())
        for number in itertools.count(first, options.workers):
            _put(queue, sources.batch(number))
    except KeyboardInterrupt:
        pass
    except DocrecError as error:  # raised again by whoever reads the queue
        _put(queue, error)
    except Exception as error:
        _put(queue, RuntimeError(f"making batches failed: {type(error).__name__}: {error}"))


def _put(queue: Any, item: Any) -> None:
    """Put an item into the queue when there is room; end this process if the trainer is gone."""
    trainer = multiprocessing.parent_process()
    while trainer is None or trainer.is_alive():
        try:
            return queue.put(item, timeout=5)
        except Full:
            continue
    raise SystemExit
