"""Every option of reading and training: its name, default, range and check, declared once."""

import re
from dataclasses import dataclass, field

from docrec.errors import OptionError

DEVICES = ("auto", "cpu", "gpu")
DPI_RANGE = (50, 1200)
MAX_BATCH_SIZE = 4096
PRECISIONS = ("float32", "mixed_bfloat16")
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class ReadOptions:
    """How a document is read.

    Attributes:
        pages: pages to read, from 1, such as "1,3,5-9,12-end"; empty means all.
        dpi: resolution PDF pages are rasterised at, in pixels per inch; None chooses one for each page.
        batch_size: line images recognised in one call of the network.
        password: opens an encrypted PDF; kept out of the printed form.
    """

    pages: str = ""
    dpi: int | None = None
    batch_size: int = 64
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        page_ranges(self.pages)
        low, high = DPI_RANGE
        if self.dpi is not None and not low <= self.dpi <= high:
            raise OptionError(f"--dpi must lie between {low} and {high}, got {self.dpi}")
        if not 1 <= self.batch_size <= MAX_BATCH_SIZE:
            raise OptionError(f"--batch-size must lie between 1 and {MAX_BATCH_SIZE}, got {self.batch_size}")


@dataclass(frozen=True)
class TrainOptions:
    """How a model is trained.

    Attributes:
        text: files and folders of text (see training.text).
        fonts: folders of fonts (see training.fonts).
        minutes: time budget over all runs; the learning rate falls to zero as it runs out.
        ctc_share: last part of the time, 0 to 1, in which CTC replaces the labels of single frames.
        batch_size: lines in a step.
        candidates: classes the softmax runs over in a step.
        frames_rate: highest learning rate of the first part.
        ctc_rate: highest learning rate of the last part.
        precision: Keras's name of the arithmetic; "mixed_bfloat16" is faster on processors and GPUs that have it.
        workers: processes that render.
        seed: of all random numbers.
    """

    text: tuple[str, ...]
    fonts: tuple[str, ...]
    minutes: float
    ctc_share: float = 0.3
    batch_size: int = 64
    candidates: int = 1536
    frames_rate: float = 2e-3
    ctc_rate: float = 6e-4
    precision: str = "float32"
    workers: int = 1
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.minutes >= 0:
            raise OptionError(f"--minutes must not be negative, got {self.minutes}")
        if not 0 <= self.ctc_share <= 1:
            raise OptionError(f"--ctc-share is a share from 0 to 1, got {self.ctc_share}")
        for name, value in (("--batch-size", self.batch_size), ("--workers", self.workers)):
            if value < 1:
                raise OptionError(f"{name} must be at least 1, got {value}")


def page_ranges(spec: str) -> list[tuple[int | None, int | None]]:
    """Parse "1,3,5-9,12-end" into (first, last) pairs.

    Args:
        spec: comma-separated pages and ranges, spaces allowed; a page is a number from 1, or "end" for the last one.

    Returns:
        Pairs in the order written, from 1 and inclusive, None standing for "end"; none at all for an empty text.

    Raises:
        OptionError: the text is not of that form, names page 0, or a range runs backwards.
    """
    return [_page_range(part.strip(), spec) for part in spec.split(",")] if spec.strip() else []


def select_pages(spec: str, page_count: int) -> list[int]:
    """Page indices that `spec` names in a document of `page_count` pages.

    Args:
        spec: see `page_ranges`; empty means every page.
        page_count: pages of the document, at least 1.

    Returns:
        Indices from 0, in the order written, each once.

    Raises:
        OptionError: the text is malformed, or names a page past the end.
    """
    chosen: dict[int, None] = {}  # a dict keeps the order and drops repeats
    for first, last in page_ranges(spec) or [(1, None)]:
        first, last = first or page_count, last or page_count
        if max(first, last) > page_count:
            has = f"{page_count} pages" if page_count > 1 else "1 page"
            raise OptionError(f"--pages must name pages of the document, which has {has}, got {spec!r}; 'end' is its last page")
        chosen.update(dict.fromkeys(range(first - 1, last)))
    return list(chosen)


def _page_range(part: str, spec: str) -> tuple[int | None, int | None]:
    match = re.fullmatch(r"(end|[0-9]{1,9})(?:\s*-\s*(end|[0-9]{1,9}))?", part)
    if not match:
        raise OptionError(f"--pages takes pages and ranges such as 1,3,5-9,12-end, got {part!r} in {spec!r}")
    first, last = (None if page == "end" else int(page) for page in (match[1], match[2] or match[1]))
    if first == 0 or last == 0:
        raise OptionError(f"--pages counts pages from 1, got {part!r} in {spec!r}")
    if last is not None and (first is None or first > last):
        raise OptionError(f"--pages takes ranges that run forwards, got {part!r} in {spec!r}")
    return first, last
