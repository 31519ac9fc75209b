"""How well a model reads: measures on labelled lines, and on whole pages whose text is known.

Everything that is counted character by character comes from *pairs*: a true text and what was read in its place, aligned with the
fewest edits (Levenshtein), as (true, read) where "" stands for nothing: ("日", "曰") was misread, ("一", "") dropped, ("", "|") invented.
"""

import json
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import edlib
import numpy as np
from rapidfuzz.distance import Levenshtein

from docrec.charset import ALIKE, Charset
from docrec.chunk import ChunkReader
from docrec.errors import DocrecError, SampleError, TrainingDataError
from docrec.options import ReadOptions
from docrec.pipeline import recognize, recognize_lines
from docrec.source import SUFFIXES
from docrec.training.lines import Dataset

Pair = tuple[str, str]

MAX_SYMBOLS = 255  # different characters in a line of a page
BINS = 10  # of the table of calibration
LEVELS = ((16, 55, "Hanzi, common (GB 2312 level 1)"), (56, 87, "Hanzi, less common (GB 2312 level 2)"))  # rows of GB 2312
HANZI, LATIN, DIGIT, MARK, SPACE, SCRIPT = "Hanzi, others", "Latin letters", "digits", "punctuation and symbols", "space", "other scripts"
CLASSES = (*(name for _, _, name in LEVELS), HANZI, LATIN, DIGIT, MARK, SCRIPT, SPACE)


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line as it is and as it was read.

    Attributes:
        name: which one it is.
        text: what it says.
        read: what was read.
        index: its number in its data set, from 0; None for a line of a page.
        confidences: how sure each character of `read` was, 0 to 1; none for a line of a page.
    """

    name: str
    text: str
    read: str
    index: int | None = None
    confidences: tuple[float, ...] = ()

    @property
    def edits(self) -> int:
        """Characters to change, drop or add to make one of the other."""
        return int(Levenshtein.distance(self.text, self.read))


@dataclass(frozen=True, slots=True)
class Share:
    """Characters of one kind: how many were read right, of how many."""

    name: str
    right: int
    total: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Characters that were read with confidences from `low` up to `low` + 1/BINS: their mean, and how many of how many were right."""

    low: float
    confidence: float
    right: int
    total: int


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What was measured on labelled lines.

    Attributes:
        lines: how many.
        characters: of their true texts.
        seconds: taken to load and read them all; the model was there already.
        character_accuracy: mean over lines of the share of characters that are right at their place from the start (see `right_in_place`).
        sequence_accuracy: share of the lines that are right as a whole.
        edits: needed to make the true texts of what was read.
        comparable_edits, comparable_characters: the same of the texts as `comparable` leaves them.
        outside: characters of the true texts that are not in the alphabet, and how often they occur.
        pairs: how often each pair of true and read occurs.
        calibration: by confidence, lowest first; empty bins are left out.
    """

    lines: int
    characters: int
    seconds: float
    character_accuracy: float
    sequence_accuracy: float
    edits: int
    comparable_edits: int
    comparable_characters: int
    outside: Mapping[str, int]
    pairs: Mapping[Pair, int]
    calibration: tuple[Bin, ...]

    @property
    def cer(self) -> float:
        """Edits for each character."""
        return ratio(self.edits, self.characters)

    @property
    def comparable_cer(self) -> float:
        """Edits for each character where white space, width and look-alikes do not count."""
        return ratio(self.comparable_edits, self.comparable_characters)


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page as it is and as it was read: its name, its true lines, all the text that was read."""

    name: str
    lines: tuple[str, ...]
    read: str

    @property
    def document(self) -> str:
        """The name without the page's number."""
        return re.sub(r"-\d+$", "", self.name)


@dataclass(frozen=True, slots=True)
class PageFigures:
    """What was measured on pages; edits and characters are of texts as `comparable` leaves them, raw ones only lack white space.

    Attributes:
        pages: how many.
        characters: of the true text.
        line_edits: that its lines need, each where it fits best anywhere in what was read: blind to order and to invented text.
        page_edits: that the whole text needs, in its true order.
        invented: characters read beyond those of the true text, wherever they are.
        raw_edits, raw_characters: like `page_edits` and `characters`, with full- and half-width forms, quotes and dashes told apart.
    """

    pages: int = 0
    characters: int = 0
    line_edits: int = 0
    page_edits: int = 0
    invented: int = 0
    raw_edits: int = 0
    raw_characters: int = 0

    def __add__(self, other: "PageFigures") -> "PageFigures":
        return PageFigures(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def line_cer(self) -> float:
        """Line edits for each character."""
        return ratio(self.line_edits, self.characters)

    @property
    def page_cer(self) -> float:
        """Page edits for each character."""
        return ratio(self.page_edits, self.characters)

    @property
    def invented_share(self) -> float:
        """Invented characters for each true one."""
        return ratio(self.invented, self.characters)

    @property
    def raw_cer(self) -> float:
        """Raw edits for each raw character."""
        return ratio(self.raw_edits, self.raw_characters)


def read_lines(dataset: Dataset, recognizer: ChunkReader, batch_size: int, limit: int | None = None) -> Iterator[ReadLine | SampleError]:
    """Read the lines of a data set, the first `limit` of them if that is given.

    Returns:
        For each one in order what was read, or why it cannot be used.
    """
    waiting: deque[ReadLine | SampleError] = deque()

    def pictures() -> Iterator[np.ndarray]:
        for index in range(min(len(dataset), limit or len(dataset))):
            try:
                sample = dataset[index]
            except SampleError as error:
                waiting.append(error)
            else:
                waiting.append(ReadLine(sample.name, sample.text, "", index))
                yield sample.gray

    for line in recognize_lines(pictures(), recognizer, batch_size):
        while isinstance(first := waiting.popleft(), SampleError):
            yield first
        yield replace(first, read=line.text, confidences=tuple(glyph.confidence for glyph in line.glyphs))
    yield from waiting


def judge_lines(lines: Sequence[ReadLine], seconds: float, charset: Charset) -> LineFigures:
    """Measure lines, at least one, that were read in so many seconds and could be read as the characters of `charset`."""
    looked_at = [(comparable(line.text), comparable(line.read)) for line in lines]
    return LineFigures(
        lines=len(lines),
        characters=sum(len(line.text) for line in lines),
        seconds=seconds,
        character_accuracy=sum(right_in_place(line.text, line.read) for line in lines) / len(lines),
        sequence_accuracy=sum(line.text == line.read for line in lines) / len(lines),
        edits=sum(line.edits for line in lines),
        comparable_edits=sum(Levenshtein.distance(*texts) for texts in looked_at),
        comparable_characters=sum(len(text) for text, _ in looked_at),
        outside=Counter(char for line in lines for char in line.text if char not in charset.classes),
        pairs=Counter(pair for line in lines for pair in align(line.text, line.read)),
        calibration=tuple(_calibration(lines)),
    )


def right_in_place(text: str, read: str) -> float:
    """Share of a text's characters that were read at the same place, counted from the start: CRNN_Tensorflow's accuracy of a sample.

    A character too many or too few makes all behind it wrong. A text without characters is right if nothing was read.
    """
    return sum(a == b for a, b in zip(text, read, strict=False)) / len(text) if text else float(not read)


def align(text: str, read: str) -> list[Pair]:
    """Pair the characters of a true text with those read, from left to right."""
    codes = Levenshtein.opcodes(text, read)  # pieces of the same length, or one of them empty
    pieces = [(text[code.src_start : code.src_end], read[code.dest_start : code.dest_end]) for code in codes]
    return [pair for piece in pieces for pair in zip_longest(*piece, fillvalue="")]


def confusions(pairs: Mapping[Pair, int]) -> list[tuple[Pair, int]]:
    """Pairs that differ and how often they occur, the most frequent first."""
    return sorted(((pair, count) for pair, count in pairs.items() if pair[0] != pair[1]), key=lambda item: (-item[1], item[0]))


def dropped(pairs: Mapping[Pair, int]) -> int:
    """Characters of the true texts in whose place nothing was read."""
    return sum(count for (_, read), count in pairs.items() if not read)


def invented(pairs: Mapping[Pair, int]) -> int:
    """Characters that were read where nothing is."""
    return sum(count for (text, _), count in pairs.items() if not text)


def class_shares(pairs: Mapping[Pair, int]) -> list[Share]:
    """How many characters of each class were read right; classes that do not occur are left out."""
    right, total = Counter[str](), Counter[str]()
    for (text, read), count in pairs.items():
        if text:
            total[character_class(text)] += count
            right[character_class(text)] += count * (text == read)
    return [Share(name, right[name], total[name]) for name in CLASSES if total[name]]


def character_class(char: str) -> str:
    """Which of CLASSES a character belongs to; the levels of GB 2312 tell common Hanzi from rare ones."""
    name, category = unicodedata.name(char, ""), unicodedata.category(char)
    if name.startswith("CJK") and category == "Lo":
        row = char.encode("gb2312", "ignore")[:1]
        return next((level for first, last, level in LEVELS if row and first <= row[0] - 0xA0 <= last), HANZI)
    if category[0] == "L":
        return LATIN if "LATIN" in name else SCRIPT
    return DIGIT if category == "Nd" else SPACE if char.isspace() else SCRIPT if category[0] == "M" else MARK


def worst(lines: Iterable[ReadLine], count: int | None) -> list[ReadLine]:
    """The `count` lines with the most edits, or all (None), of as many the shorter first; none that are right."""
    wrong = ((line.edits, line) for line in lines if line.text != line.read)
    return [line for _, line in sorted(wrong, key=lambda item: (-item[0], len(item[1].text)))[:count]]


def lines_to_json(figures: LineFigures, lines: Iterable[ReadLine], skipped: Iterable[SampleError]) -> dict[str, Any]:
    """All figures of labelled lines, every confusion, misread lines and skipped samples as JSON values."""
    return {
        "lines": figures.lines,
        "characters": figures.characters,
        "seconds": figures.seconds,
        "lines_per_second": figures.lines / figures.seconds,
        "characters_per_second": figures.characters / figures.seconds,
        "character_accuracy": figures.character_accuracy,
        "sequence_accuracy": figures.sequence_accuracy,
        "cer": figures.cer,
        "comparable_cer": figures.comparable_cer,
        "edits": figures.edits,
        "dropped": dropped(figures.pairs),
        "invented": invented(figures.pairs),
        "outside_alphabet": dict(figures.outside),
        "classes": [asdict(share) for share in class_shares(figures.pairs)],
        "calibration": [asdict(part) for part in figures.calibration],
        **_faults_to_json(figures.pairs, lines, skipped),
    }


def read_pages(folder: str | Path, recognizer: ChunkReader, batch_size: int, limit: int | None = None) -> Iterator[ReadPage | SampleError]:
    """Read the pages of a folder, the first `limit` of them if that is given; see `page_files`.

    Returns:
        For each one, by name, what was read, or why it cannot be used.
    """
    for truth, picture in page_files(folder)[:limit]:
        try:
            lines = true_lines(truth)
            if not picture.exists():
                raise SampleError(str(truth), f"there is no picture of the page beside it ({', '.join(SUFFIXES)})")
            pages = recognize(picture, recognizer, ReadOptions(batch_size=batch_size))
            yield ReadPage(truth.stem, lines, "\n".join(page.text for page in pages))
        except SampleError as error:
            yield error
        except DocrecError as error:
            yield SampleError(str(picture), "the page cannot be read", str(error))


def page_files(folder: str | Path) -> list[tuple[Path, Path]]:
    """The pages of a folder by name: NAME.json with the true lines, and NAME.png, or another picture or a PDF; either may be missing.

    Raises:
        TrainingDataError: there is none of them.
    """
    folder = Path(folder)
    names = {path.stem: path for path in sorted(folder.glob("*"), reverse=True) if path.suffix.lower() in SUFFIXES}
    names |= {path.stem: names.get(path.stem, path.with_suffix(SUFFIXES[0])) for path in folder.glob("*.json")}
    if not names:
        found = "holds none" if folder.is_dir() else "is not there" if not folder.exists() else "is a file"
        raise TrainingDataError(f"pages are a folder of NAME.json, with the lines of the page, beside NAME.png, and {folder} {found}")
    return [(folder / f"{name}.json", picture) for name, picture in sorted(names.items())]


def true_lines(truth: Path) -> tuple[str, ...]:
    """The lines of a page from its JSON file, an object whose "lines" are objects with a "text".

    Raises:
        SampleError: the file is missing, or not of that form.
    """
    try:
        lines = tuple(line["text"] for line in json.loads(truth.read_text(encoding="utf-8"))["lines"])
    except OSError as error:
        raise SampleError(str(truth), "the true lines of the page cannot be read", error.strerror or "") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SampleError(str(truth), 'the file must be a JSON object whose "lines" are objects with a "text"', repr(error)) from error
    if any(not isinstance(line, str) or len(set(comparable(line))) > MAX_SYMBOLS for line in lines):
        raise SampleError(str(truth), f"every line must be a text, of at most {MAX_SYMBOLS} different characters")
    return lines


def judge_page(page: ReadPage) -> tuple[PageFigures, list[ReadLine]]:
    """Measure a page that was read.

    Returns:
        Its figures, and each of its true lines, as `comparable` leaves it, with that part of what was read that fits it best.
    """
    whole = "".join(page.lines)
    text, read, raw_text, raw_read = comparable(whole), comparable(page.read), visible(whole), visible(page.read)
    lines = [ReadLine(page.name, line, best_fit(line, read)) for line in map(comparable, page.lines) if line]
    figures = PageFigures(
        pages=1,
        characters=len(text),
        line_edits=sum(line.edits for line in lines),
        page_edits=Levenshtein.distance(text, read),
        invented=(Counter(read) - Counter(text)).total(),
        raw_edits=Levenshtein.distance(raw_text, raw_read),
        raw_characters=len(raw_text),
    )
    return figures, lines


def best_fit(line: str, page: str) -> str:
    """The part of `page` that differs least from `line` (of at most MAX_SYMBOLS different characters); of several the nearest in length."""
    if not page:
        return ""
    symbols = {char: chr(index) for index, char in enumerate(dict.fromkeys(line), 1)}  # edlib takes 256, of which one is for all others
    query, target = ("".join(symbols.get(char, "\0") for char in text) for text in (line, page))
    parts = (page[start : last + 1] for start, last in edlib.align(query, target, mode="HW", task="locations")["locations"])
    return min(parts, key=lambda part: abs(len(part) - len(line)))


def visible(text: str) -> str:
    """A text without white space, controls, and characters that stand for no glyph."""
    return "".join(char for char in text if not char.isspace() and unicodedata.category(char) not in ("Cc", "Cf", "Cn", "Co"))


def comparable(text: str) -> str:
    """What print tells apart of a text: `visible` after Unicode's NFKC, look-alikes made equal, leaders and rules cut to three."""
    text = visible(unicodedata.normalize("NFKC", text)).translate(ALIKE).replace("…", "...")
    return re.sub(r"([.·_-])\1{2,}", r"\1\1\1", text)


def pages_to_json(
    documents: Mapping[str, PageFigures], pairs: Mapping[Pair, int], lines: Iterable[ReadLine], skipped: Iterable[SampleError]
) -> dict[str, Any]:
    """The figures of pages by document and of all, every confusion, misread lines and skipped pages as JSON values."""
    derived = ("line_cer", "page_cer", "invented_share", "raw_cer")
    rows = {**documents, "": sum(documents.values(), PageFigures())}
    by_name = {name: asdict(row) | {key: getattr(row, key) for key in derived} for name, row in rows.items()}
    return {"all": by_name.pop(""), "documents": by_name, **_faults_to_json(pairs, lines, skipped)}


def _faults_to_json(pairs: Mapping[Pair, int], lines: Iterable[ReadLine], skipped: Iterable[SampleError]) -> dict[str, Any]:
    wrong = worst(lines, None)
    return {
        "confusions": [{"text": text, "read": read, "count": count} for (text, read), count in confusions(pairs)],
        "misread": [{"name": line.name, "text": line.text, "read": line.read, "edits": line.edits} for line in wrong],
        "skipped": [str(error) for error in skipped],
    }


def ratio(part: int, whole: int) -> float:
    """A part of a whole; of nothing, as of one."""
    return part / max(whole, 1)


def _calibration(lines: Iterable[ReadLine]) -> Iterator[Bin]:
    characters = [
        (confidence, text == read)
        for line in lines
        for (text, read), confidence in zip((pair for pair in align(line.text, line.read) if pair[1]), line.confidences, strict=True)
    ]
    for index in range(BINS):
        inside = [char for char in characters if index == min(int(char[0] * BINS), BINS - 1)]
        if inside:
            yield Bin(index / BINS, sum(char[0] for char in inside) / len(inside), sum(char[1] for char in inside), len(inside))
