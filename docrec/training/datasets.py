"""Data sets of labelled line pictures, in every form docrec reads; and training lines made of them."""

import logging
import os
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import glob
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np

from docrec.charset import Charset
from docrec.chunk import FRAMES, HEIGHT, WIDTH
from docrec.errors import FileAccessError, SampleError, TrainingDataError
from docrec.polarity import line_to_dark_on_light
from docrec.training.lines import Dataset, LabelledLine, LineImage, Span
from docrec.training.pictures import decode_picture, encode_png, is_gray_png
from docrec.training.records import Shard, decode_line, index_shard, read_record
from docrec.training.targets import frames_needed
from docrec.writers.replace import replacing, writing_to

log = logging.getLogger(__name__)

LABELS, TRUTH, LEXICON = "labels.tsv", ".gt.txt", "lexicon.txt"
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
RECORDS = re.compile(r"\.tfrecords?(-\d+-of-\d+)?$")
ONE_OF = re.compile(r"(.*)-(\d+)-of-(\d+)")
FORMS = (
    f"a list of path<TAB>text (.tsv, .txt) or a folder with {LABELS}; a folder with NAME{TRUTH} beside NAME.png; a folder with "
    f"annotation_train.txt and {LEXICON} (Synth90k); TFRecord files (.tfrecord, .tfrecords), a folder of them or a pattern for them"
)
MAX_SQUEEZE = 1.5
"""How much narrower than its height asks for a line may be made: condensed typefaces reach two thirds of the usual width. Beyond that,
strokes of Hanzi run together, and the line would teach what nobody can read."""
PER_FOLDER = 1000  # pictures


def open_dataset(path: str | Path, charset: Charset | None = None, part: str | None = None) -> Dataset:
    """Open a data set, whose form is told by what is there.

    Args:
        path: a list of `path<TAB>text`, or a folder with labels.tsv; a folder of NAME.gt.txt beside NAME.png; a folder in the
            Synth90k layout; a TFRecord file, a folder or a glob pattern of them.
        charset: what the class indices in the predecessor's TFRecords stand for; no other form needs it.
        part: "train", "val" or "test". Of the Synth90k layout it picks the annotation ("train" if None); of a folder of
            TFRecord files, those whose names begin with it (all if None).

    Raises:
        TrainingDataError: it is of none of these forms, has no such part, or no line at all.
        FileAccessError: a file cannot be read.
    """
    try:
        dataset = _open_folder(Path(path), charset, part) if os.path.isdir(path) else _open_files(Path(path), charset)
    except OSError as error:
        raise FileAccessError(f"the data set {path} cannot be read: {error.strerror}") from error
    if part and not (os.path.isdir(path) and isinstance(dataset, Synth90k | RecordFiles)):
        raise TrainingDataError(f"only folders in the Synth90k layout or of TFRecord files have parts; {path} is none, leave {part!r} out")
    if not len(dataset):
        raise TrainingDataError(f"a data set needs at least one labelled line, and {path} has none")
    return dataset


def to_network_size(image: LineImage, charset: Charset) -> LabelledLine:
    """Scale a labelled picture to the network's input: 32 rows, dark or light ink as 255, padded to 280 columns.

    Raises:
        SampleError: the line is too long for 280 columns or 70 frames, or has characters outside the alphabet.
    """
    if missing := charset.missing(image.text):
        raise SampleError(image.name, "characters outside the alphabet", "".join(missing))
    if frames_needed(image.text) > FRAMES:
        raise SampleError(image.name, f"its text needs more frames than the network's {FRAMES}", f"got {len(image.text)} characters")
    height, width = image.gray.shape
    natural = max(1, round(width * HEIGHT / height))
    if natural > WIDTH * MAX_SQUEEZE:
        fits = f"a line must be at most {WIDTH * MAX_SQUEEZE / HEIGHT:g} times as wide as high; cut it in two"
        raise SampleError(image.name, fits, f"got {width} × {height}")
    size = (min(natural, WIDTH), HEIGHT)
    smaller = size[0] < width or height > HEIGHT
    scaled = cv2.resize(line_to_dark_on_light(image.gray), size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[:, : size[0]] = 255 - scaled
    scale = size[0] / width
    return LabelledLine(pixels, image.text, tuple(Span(span.char, span.left * scale, span.right * scale) for span in image.spans))


class RecordedLines:
    """The lines of a data set without end, each epoch in an order of its own: a LineSource.

    Args:
        dataset: the labelled pictures.
        charset: the alphabet; lines with other characters are left out.
        seed: of the orders.

    Attributes:
        skipped: how many pictures of the data set cannot be used, of those seen so far, by what is wrong with them.
    """

    def __init__(self, dataset: Dataset, charset: Charset, seed: int = 0) -> None:
        self.skipped: Counter[str] = Counter()
        self._dataset = dataset
        self._charset = charset
        self._seed = seed
        self._unusable: set[int] = set()
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def lines(self, group: int, count: int) -> list[LabelledLine]:
        """The lines from place `group * count` of the endless sequence on; the next take the place of those that cannot be used.

        Raises:
            TrainingDataError: none of the data set can be used.
        """
        lines: list[LabelledLine] = []
        place = group * count
        while len(lines) < count:
            if len(self._unusable) == len(self._dataset):
                faults = ", ".join(f"{number} × {fault}" for fault, number in self.skipped.most_common())
                raise TrainingDataError(f"training needs lines that can be used, and the data set has none: {faults}")
            index = self._index(place)
            place += 1
            if index not in self._unusable:
                try:
                    lines.append(to_network_size(self._dataset[index], self._charset))
                except SampleError as error:
                    log.warning("%s; it is left out", error)
                    self.skipped[error.fault] += 1
                    self._unusable.add(index)
        return lines

    def _index(self, place: int) -> int:
        """Which picture stands at a place of the endless sequence."""
        epoch, place = divmod(place, len(self._dataset))
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng([self._seed, epoch]).permutation(len(self._dataset))
        return int(self._order[place])


def labelled_png(line: LineImage) -> tuple[bytes, str]:
    """A line as `write_pictures` takes it."""
    return encode_png(line.gray), line.text


def write_pictures(folder: Path, lines: Iterable[tuple[bytes, str]]) -> int:
    """Write encoded PNGs and their texts as a folder with labels.tsv, which appears when all pictures are there.

    Returns:
        The number of lines.

    Raises:
        FileAccessError: a file cannot be written.
    """
    count = 0
    with writing_to(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / LABELS) as labels:
        for png, text in lines:
            path = f"{count // PER_FOLDER:03d}/{count:06d}.png"
            with writing_to(str(folder / path)):
                (folder / path).parent.mkdir(exist_ok=True)
                (folder / path).write_bytes(png)
            with writing_to(str(folder / LABELS)):
                labels.write(f"{path}\t{text}\n".encode())
            count += 1
    return count


@dataclass(frozen=True, slots=True, eq=False)
class TextLines:
    """The lines of a text file by number, without holding it: `edges` is int64 (lines + 1,), where they begin, in bytes."""

    path: Path
    edges: np.ndarray

    @classmethod
    def of(cls, path: Path) -> "TextLines":
        """Find the lines of a file."""
        content = np.fromfile(path, np.uint8)
        edges = np.concatenate([[0], np.flatnonzero(content == ord("\n")) + 1])
        return cls(path, edges if edges[-1] == len(content) else np.append(edges, len(content)))

    def __len__(self) -> int:
        return len(self.edges) - 1

    def __getitem__(self, number: int) -> str:
        """A line, by its number from 0; a SampleError names it."""
        with open(self.path, "rb") as file:
            file.seek(self.edges[number])
            line = file.read(int(self.edges[number + 1] - self.edges[number]))
        try:
            return line.rstrip(b"\r\n").decode("utf-8" if number else "utf-8-sig")
        except UnicodeDecodeError as error:
            raise SampleError(self.name(number), "the line is not UTF-8") from error

    def name(self, number: int) -> str:
        """What messages call a line; `number` is from 0, but people count from 1."""
        return f"{self.path}, line {number + 1}"


@dataclass(frozen=True, slots=True, eq=False)
class PictureList:
    """A list of `path<TAB>text`; the paths begin at its folder."""

    lines: TextLines

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> LineImage:
        """Load one picture, or raise a SampleError."""
        path, tab, text = self.lines[index].partition("\t")
        if not tab:
            raise SampleError(self.lines.name(index), "the line has no tab between path and text")
        return _load(self.lines.path.parent / path, text)


@dataclass(frozen=True, slots=True, eq=False)
class PicturesWithTruth:
    """Pictures below a folder, each beside its text in NAME.gt.txt; `names` are without these endings, but for the picture's."""

    folder: Path
    names: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, folder: Path) -> "PicturesWithTruth":
        """Find pictures and texts; one without the other counts as a line, which cannot be used."""
        endings: dict[str, str] = {}
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if name.endswith(TRUTH):
                endings.setdefault(name.removesuffix(TRUTH), "")
            elif path.suffix.lower() in PICTURES:
                endings[name.removesuffix(path.suffix)] = path.suffix
        return cls(folder, sorted(endings.items()))

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> LineImage:
        """Load one picture, or raise a SampleError."""
        name, ending = self.names[index]
        truth = self.folder / (name + TRUTH)
        if not ending:
            raise SampleError(str(truth), f"there is no picture beside it ({', '.join(PICTURES)})")
        try:
            text = truth.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise SampleError(str(self.folder / (name + ending)), f"it is not labelled: there is no NAME{TRUTH} beside it") from error
        except (OSError, UnicodeDecodeError) as error:
            raise SampleError(str(truth), "the text cannot be read", str(error)) from error
        return _load(self.folder / (name + ending), text.rstrip("\r\n"))


@dataclass(frozen=True, slots=True, eq=False)
class Synth90k:
    """An annotation, a line an image of relative path, space, and the line of the lexicon, from 0, that is its text."""

    annotation: TextLines
    lexicon: TextLines

    def __len__(self) -> int:
        return len(self.annotation)

    def __getitem__(self, index: int) -> LineImage:
        """Load one picture, or raise a SampleError."""
        path, _, word = self.annotation[index].strip().rpartition(" ")
        if not path or not word.isdecimal() or int(word) >= len(self.lexicon):
            rule = f"the line must be a path, a space and a number below {len(self.lexicon)}"
            raise SampleError(self.annotation.name(index), rule, f"got {self.annotation[index][:80]!r}")
        return _load(self.annotation.path.parent / path, self.lexicon[int(word)].strip())


@dataclass(frozen=True, slots=True, eq=False)
class RecordFiles:
    """The records of several files; the fault at the end of a damaged file counts as one, which cannot be used."""

    shards: Sequence[Shard]
    charset: Charset | None
    ends: Sequence[int]

    @classmethod
    def of(cls, paths: Iterable[Path], charset: Charset | None) -> "RecordFiles":
        """Find the records of the files."""
        shards = [index_shard(path) for path in paths]
        return cls(shards, charset, list(accumulate(len(shard.offsets) + bool(shard.fault) for shard in shards)))

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, index: int) -> LineImage:
        """Load one picture, or raise a SampleError."""
        place = bisect_right(self.ends, index)
        shard = self.shards[place]
        number = index - (self.ends[place - 1] if place else 0)
        return decode_line(read_record(shard, number), shard.name(number), self.charset)


def _open_folder(folder: Path, charset: Charset | None, part: str | None) -> Dataset:
    if (folder / LABELS).is_file():
        return PictureList(TextLines.of(folder / LABELS))
    if (folder / LEXICON).is_file() and any(folder.glob("annotation_*.txt")):
        annotation = folder / f"annotation_{part or 'train'}.txt"
        if not annotation.is_file():
            raise TrainingDataError(f"the data set {folder} has no part {part or 'train'!r}: there is no {annotation.name}")
        return Synth90k(TextLines.of(annotation), TextLines.of(folder / LEXICON))
    if shards := sorted(path for path in folder.iterdir() if RECORDS.search(path.name)):
        chosen = [path for path in shards if path.name.startswith(part or "")]
        if not chosen:
            raise TrainingDataError(f"the data set {folder} has no part {part!r}: no TFRecord file there has a name that begins so")
        _warn_of_missing(chosen)
        return RecordFiles.of(chosen, charset)
    if any(folder.rglob(f"*{TRUTH}")):
        return PicturesWithTruth.of(folder)
    raise TrainingDataError(f"the folder {folder} is no data set; expected is {FORMS}")


def _open_files(path: Path, charset: Charset | None) -> Dataset:
    files = [path] if path.is_file() else [Path(name) for name in sorted(glob(str(path)))]
    if files and all(RECORDS.search(file.name) for file in files):
        return RecordFiles.of(files, charset)
    if files == [path] and path.suffix.lower() in (".tsv", ".txt"):
        if path.name.startswith("annotation_") and (path.parent / LEXICON).is_file():
            return Synth90k(TextLines.of(path), TextLines.of(path.parent / LEXICON))
        if b"\t" in path.read_bytes():
            return PictureList(TextLines.of(path))
    found = f"{path} is no data set" if files else f"there is no data set {path}"
    raise TrainingDataError(f"{found}; expected is {FORMS}")


def _warn_of_missing(shards: Iterable[Path]) -> None:
    """Say if a file is missing of those that are numbered one of so many."""
    there: Counter[tuple[str, str]] = Counter()
    for shard in shards:
        if match := ONE_OF.match(shard.name):
            there[match[1], match[3]] += 1
    for (name, count), number in there.items():
        if number < int(count):
            log.warning("the data set is not whole: of the files %s-…-of-%s there are %d", shard.parent / name, count, number)


def _load(path: Path, text: str) -> LineImage:
    """Load a picture file with its text."""
    if not text.strip():
        raise SampleError(str(path), "it has no text")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SampleError(str(path), "the picture cannot be read", error.strerror or "") from error
    return LineImage(str(path), text, decode_picture(data, str(path)), png=data if is_gray_png(data) else b"")
