"""Every option of reading, training and exporting: its name, default, range and check, declared once."""

import math
import os
import re
from dataclasses import dataclass, field, fields
from typing import Any

from docrec.errors import OptionError

DEVICES = ("auto", "cpu", "gpu")
DPI_RANGE = (50, 1200)
MODES = ("auto", "skip", "redo", "force")
LAYOUTS = ("auto", "single", "columns", "vertical", "line")
EXPORT_FORMS = ("saved-model", "litert", "onnx")
SERVING_SIGNATURES = ("docrec", "crnn_tensorflow")
QUANTIZATIONS = ("float32", "float16", "int8")
MAX_BATCH_SIZE = 4096
PRECISIONS = ("float32", "mixed_bfloat16")
PARTS = ("train", "val", "test")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""That this process may use."""


@dataclass(frozen=True)
class ReadOptions:
    """How a document is read.

    Attributes:
        pages: pages to read, from 1, such as "1,3,5-9,12-end"; empty means all.
        dpi: resolution PDF pages are rasterised at, in pixels per inch; None chooses one for each page.
        batch_size: line images recognised in one call of the network.
        password: opens an encrypted PDF; kept out of the printed form.
        layout: of LAYOUTS: found out for each page; one column; columns, left before right; vertical text, columns from the right; or one
            line a page.
        mode: of MODES, what becomes of text that a PDF page has already: it is used as far as it is sound; as it is, nothing being read on
            such a page; as far as it is sound and visible, invisible text being that of older OCR; or not used, every page being read.
        header_footer: whether headers, footers and page numbers are kept.
        min_confidence: lines that are read less surely than this on average, 0 to 1, are left out: they are most likely no text.
    """

    pages: str = ""
    dpi: int | None = None
    batch_size: int = 64
    password: str = field(default="", repr=False)
    layout: str = LAYOUTS[0]
    mode: str = MODES[0]
    header_footer: bool = True
    min_confidence: float = 0.5

    def __post_init__(self) -> None:
        page_ranges(self.pages)
        if not 0 <= self.min_confidence <= 1:
            raise OptionError(f"--min-confidence must lie between 0 and 1, got {self.min_confidence}")
        if self.layout not in LAYOUTS:
            raise OptionError(f"--layout must be one of {', '.join(LAYOUTS)}, got {self.layout!r}")
        if self.mode not in MODES:
            raise OptionError(f"--mode must be one of {', '.join(MODES)}, got {self.mode!r}")
        low, high = DPI_RANGE
        if self.dpi is not None and not low <= self.dpi <= high:
            raise OptionError(f"--dpi must lie between {low} and {high}, got {self.dpi}")
        if not 1 <= self.batch_size <= MAX_BATCH_SIZE:
            raise OptionError(f"--batch-size must lie between 1 and {MAX_BATCH_SIZE}, got {self.batch_size}")


@dataclass(frozen=True)
class WriteOptions:
    """What output formats are told beside the pages; each takes what concerns it.

    Attributes:
        document: path of the document that was read, None if it has none.
        model: name of the model that read it.
        password: opens the document, if it is an encrypted PDF; kept out of the printed form.
        paragraphs: whether plain text joins the lines of a paragraph.
        sources: path or content of each document that was read, and how many pages of it come; () for all pages of `document`.
    """

    document: str | None = None
    model: str = ""
    password: str = field(default="", repr=False)
    paragraphs: bool = False
    sources: tuple[tuple[str | bytes, int | None], ...] = ()


def _setting(default: Any, text: str, metavar: str | None = None, choices: tuple[str, ...] = (), least: float | None = None) -> Any:
    """A field of TrainOptions with what the command line says of it and the least value it may have."""
    return field(default=default, metadata={"help": text, "metavar": metavar, "choices": choices, "least": least})


@dataclass(frozen=True)
class TrainOptions:
    """How a model is trained; each field is an option of `docrec train` and a key of its TOML file, explained in its metadata."""

    text: tuple[str, ...] = _setting((), "File or folder of text to render lines from; may be given again.", "PATH")
    fonts: tuple[str, ...] = _setting((), "Folder of fonts to render with; may be given again.", "DIR")
    data: tuple[str, ...] = _setting((), "Labelled line pictures: TFRecords, list or folder; may be given again.", "PATH")
    data_share: float = _setting(0.5, "Part of each batch that comes from --data where there is --text too.", least=0)
    validation: str = _setting("", "Labelled line pictures to judge by.  [default: rendered, or held out of --data]", "PATH")
    char_dict: str = _setting("", "Alphabet: code points and characters.  [default: the bundled model's]", "JSON")
    ord_map: str = _setting("", "Alphabet: classes and code points.", "JSON")
    run: str = _setting("", "Folder for the state of training, from which it resumes.", "DIR")
    model: str = _setting("", "Folder for the model, made at the end.", "DIR")
    fine_tune: str = _setting("", "Model folder to start from; characters it knows keep their weights, others are shown more often.", "DIR")
    blend: float = _setting(0.0, "Share that the weights of --fine-tune have in the model, beside what became of them.", least=0)
    steps: int = _setting(0, "Steps to train for; the same steps give the same weights, also when stopped between.", least=0)
    minutes: float = _setting(0.0, "Time to train for instead of steps, over all runs.", least=0)
    ctc_share: float = _setting(0.3, "Last part of training, 0 to 1, in which CTC replaces the labels of single frames.", least=0)
    batch_size: int = _setting(64, "Lines in a step.", least=1)
    candidates: int = _setting(1536, "Classes that the softmax runs over in a step.", least=1)
    frames_rate: float = _setting(2e-3, "Highest learning rate of the first part.", least=0)
    ctc_rate: float = _setting(6e-4, "Highest learning rate of the last part.", least=0)
    warm_up: int = _setting(300, "Steps in which either part's learning rate rises to its highest; it then falls as a cosine.", least=0)
    validate_every: int = _setting(500, "Steps between validations.", least=1)
    validation_lines: int = _setting(512, "Lines to judge by, at most.", least=1)
    patience: int = _setting(0, "Validations without a better one before training stops; 0 never stops it early.", least=0)
    save_every: int = _setting(500, "Steps between savings of the state.", least=1)
    precision: str = _setting("float32", "Arithmetic; bfloat16 is faster on processors and GPUs that have it.", choices=PRECISIONS)
    devices: int = _setting(0, "GPUs to train on; 0 takes all there are.", least=0)
    workers: int = _setting(1, "Processes that make batches.", least=1)
    seed: int = _setting(1, "Of all random numbers.", least=0)
    channels: tuple[int, ...] = _setting((32, 32, 64, 128, 256), "Filters of the network's five stages, separated by commas.", "LIST")
    lstm_units: int = _setting(128, "Units of the network's LSTM in each direction.", least=1)

    def __post_init__(self) -> None:
        for option in fields(self):
            value, least = getattr(self, option.name), option.metadata["least"]
            if least is not None and not least <= value < math.inf:
                raise OptionError(f"{_flag(option.name)} must be at least {least}, got {value}")
            if option.metadata["choices"] and value not in option.metadata["choices"]:
                raise OptionError(f"{_flag(option.name)} must be one of {', '.join(option.metadata['choices'])}, got {value!r}")
        for name in ("ctc_share", "data_share", "blend"):
            if getattr(self, name) > 1:
                raise OptionError(f"{_flag(name)} is a share from 0 to 1, got {getattr(self, name)}")
        if len(self.channels) != 5 or min(self.channels) < 1:
            raise OptionError(f"--channels takes five numbers from 1, such as 32,32,64,128,256, got {','.join(map(str, self.channels))}")
        if bool(self.steps) == bool(self.minutes):
            raise OptionError(f"training ends by --steps or by --minutes: give one of them, got {self.steps} and {self.minutes}")
        if self.blend and not self.fine_tune:
            raise OptionError("--blend takes a share of the weights of --fine-tune: give this, too")
        if bool(self.text) != bool(self.fonts):
            raise OptionError("lines are rendered from --text in --fonts: give both, or neither and --data")
        if not self.text and not self.data:
            raise OptionError("training needs lines: give --text and --fonts to render them, or --data")
        if bool(self.char_dict) != bool(self.ord_map):
            raise OptionError("-c and -o name the two halves of an alphabet; give both, or neither for the bundled model's")
        for name in ("run", "model"):
            if not getattr(self, name):
                raise OptionError(f"training needs {_flag(name)}, a folder, and none was given")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


@dataclass(frozen=True)
class ExportOptions:
    """How a model is exported.

    Attributes:
        to: one of EXPORT_FORMS.
        version: of a SavedModel, from 1; None is the next free one.
        signature: of SERVING_SIGNATURES, what a SavedModel answers with where none is asked for.
        quantize: of QUANTIZATIONS, the weights of LiteRT.
    """

    to: str
    version: int | None = None
    signature: str = SERVING_SIGNATURES[0]
    quantize: str = QUANTIZATIONS[0]

    def __post_init__(self) -> None:
        for name, value, values in (
            ("--to", self.to, EXPORT_FORMS),
            ("--signature", self.signature, SERVING_SIGNATURES),
            ("--quantize", self.quantize, QUANTIZATIONS),
        ):
            if value not in values:
                raise OptionError(f"{name} must be one of {', '.join(values)}, got {value!r}")
        if self.version is not None and self.version < 1:
            raise OptionError(f"--version counts from 1, got {self.version}")
        if self.to != "saved-model" and (self.version, self.signature) != (None, SERVING_SIGNATURES[0]):
            raise OptionError(f"only a SavedModel has a --version and a --signature; leave them out with --to {self.to}")
        if self.to != "litert" and self.quantize != QUANTIZATIONS[0]:
            raise OptionError(f"only LiteRT has a --quantize; leave it out with --to {self.to}")


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
