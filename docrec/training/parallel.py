"""What all cores do together: convert or check a data set, and render lines; in order, whatever the number of processes."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import cv2

from docrec.charset import Charset
from docrec.errors import SampleError, WorkerError
from docrec.training.lines import Dataset, LineImage
from docrec.worker import begin_worker

Task = TypeVar("Task")
Result = TypeVar("Result")

BATCH = 64  # lines of one task; rendered lines depend on it
AHEAD = 4  # tasks for each process that wait or are done before their turn


def spread(make: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task], jobs: int) -> Generator[Result, None, None]:
    """Work on tasks in several processes.

    Args:
        make: called once in each process, it gives the function that works on a task; it can be pickled.
        tasks: may be without end; few are taken ahead of the results.
        jobs: number of processes.

    Returns:
        The results in the order of the tasks.

    Raises:
        WorkerError: a process was ended from outside.
    """
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin, (make,)) as pool:
        begun: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                begun.append(pool.submit(_work, task))
                if len(begun) >= AHEAD * jobs:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        except BrokenProcessPool as error:
            raise WorkerError("a worker process was ended from outside, perhaps for want of memory; try again with fewer --jobs") from error
        finally:
            pool.shutdown(cancel_futures=True)


def convert(dataset: Dataset, charset: Charset | None, jobs: int, encode: Callable[[LineImage], Any]) -> Generator[Any, None, None]:
    """Load every picture of a data set.

    Args:
        dataset: can be pickled.
        charset: a line with a character outside it is faulty; None allows all.
        jobs: number of processes.
        encode: what becomes of a line, such as `records.encode_line`; can be pickled.

    Returns:
        In the order of the data set, what `encode` made of each line, or the SampleError that says why it cannot be used.
    """
    starts = range(0, len(dataset), BATCH)
    tasks = (range(start, min(start + BATCH, len(dataset))) for start in starts)
    for results in spread(partial(_converter, dataset, charset, encode), tasks, jobs):
        yield from results


def render(
    text: Iterable[Path], fonts: Iterable[Path], charset: Charset, seed: int, clean: bool, jobs: int, encode: Callable[[LineImage], Any]
) -> Generator[Any, None, None]:
    """Render lines without end; see `training.synth.Renderer`.

    Returns:
        What `encode` made of each line; the same for the same text, fonts, charset, seed and `clean`.
    """
    make = partial(_renderer, tuple(text), tuple(fonts), charset, seed, clean, encode)
    for results in spread(make, count(), jobs):
        yield from results


def is_sound(line: LineImage) -> bool:
    """What checking makes of a line: True."""
    return True


def _converter(dataset: Dataset, charset: Charset | None, encode: Callable[[LineImage], Any]) -> Callable[[range], list[Any]]:
    def line(index: int) -> Any:
        try:
            image = dataset[index]
            if charset and (missing := charset.missing(image.text)):
                raise SampleError(image.name, "characters outside the alphabet", "".join(missing))
            return encode(image)
        except SampleError as error:
            return error

    return lambda indices: list(map(line, indices))


def _renderer(
    text: tuple[Path, ...], fonts: tuple[Path, ...], charset: Charset, seed: int, clean: bool, encode: Callable[[LineImage], Any]
) -> Callable[[int], list[Any]]:
    from docrec.training.fonts import load_fonts
    from docrec.training.synth import Renderer
    from docrec.training.text import TextSource

    renderer = Renderer(TextSource(text, charset), load_fonts(fonts, charset), seed)

    def lines(group: int) -> list[Any]:
        rendered = enumerate(renderer.lines(group, BATCH, clean), start=group * BATCH)
        images = (LineImage(f"seed {seed}, line {number}", line.text, 255 - line.pixels, line.spans) for number, line in rendered)
        return [encode(image) for image in images if image.text]

    return lines


def _begin(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _make
    _make = make
    begin_worker()
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it says of damaged pictures does not name them


_make: Callable[[], Callable[[Any], Any]]


@cache
def _function() -> Callable[[Any], Any]:
    """What this process does with a task; made with the first, so that an error in making it comes back as the task's."""
    return _make()


def _work(task: Any) -> Any:
    return _function()(task)
