"""What the clients beside this file share: pictures of lines to what the network takes, what it answers to text.

Needs NumPy and OpenCV; whole pages need docrec too, which finds the lines on them.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

HEIGHT, WIDTH = 32, 280  # of the network's input
INK_HEIGHT, MARGIN = 28, 3  # rows of a full Hanzi, columns of paper before the first
FRAME = 4  # columns
OVERLAP = 68  # columns that neighbouring pieces of a long line share: more than a character
WIDE_MARKS = {",": "，", ";": "；", ":": "：", "!": "！", "?": "？"}

Prediction = dict[str, Any]
"""The answer for one picture: text, lengths, indices, confidences, starts, ends."""
Predict = Callable[[np.ndarray], list[Prediction]]
"""Asks the server about pictures, uint8 (N, 32, 280), 255 = paper."""


class ServerError(Exception):
    """The server is not there, or cannot answer; the message says what to do."""


def main(program: str, server: str, connect: Callable[[str, str], Predict]) -> None:
    """Read what the command line names, and print its text.

    Args:
        program: the client's documentation.
        server: where the server is, unless said otherwise.
        connect: given where the server is and the model's name, returns what asks it.
    """
    parser = argparse.ArgumentParser(description=program, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="picture of one line; with --pages, a PDF or a picture of a page")
    parser.add_argument("--server", default=server, help="[default: %(default)s]")
    parser.add_argument("--model", default="docrec", help="name of the served model [default: %(default)s]")
    parser.add_argument("--pages", action="store_true", help="the files are documents; needs docrec")
    parser.add_argument("--dictionary", metavar="DIR", help="with --pages: the model's assets.extra [default: docrec's own dictionary]")
    arguments = parser.parse_args()
    read = read_pages if arguments.pages else read_line
    try:
        predict = connect(arguments.server, arguments.model)
        for file in arguments.files:
            print(read(file, predict, arguments.dictionary))
    except (ServerError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def read_line(file: str, predict: Predict, dictionary: str | None = None) -> str:
    """The text of a picture of one line."""
    gray = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_GRAYSCALE)
    if gray is None:
        raise ValueError(f"{file} must be a picture, and is none that OpenCV reads")
    pieces = to_pieces(gray)
    return tidy(join(predict(pieces)))


def to_pieces(gray: np.ndarray) -> np.ndarray:
    """Scale a line so that its ink is INK_HEIGHT rows high, and cut it into pieces: uint8 (H, W) to uint8 (N, 32, 280), 255 = paper."""
    if np.median(gray) < 128:
        gray = 255 - gray
    ink = gray < (int(gray.min()) + int(gray.max())) / 2
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    if len(columns) and rows[-1] - rows[0] >= len(gray) / 2:  # else a line of dashes or small letters: taken with its paper
        gray = gray[rows[0] : rows[-1] + 1]
    if len(columns):
        gray = gray[:, columns[0] : columns[-1] + 1]
    scale = INK_HEIGHT / len(gray)
    size = (max(1, round(gray.shape[1] * scale)), INK_HEIGHT)
    scaled = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    starts = range(0, max(1, size[0] + 2 * MARGIN - OVERLAP), WIDTH - OVERLAP)
    line = np.full((HEIGHT, starts[-1] + WIDTH), 255, np.uint8)
    line[2 : 2 + INK_HEIGHT, MARGIN : MARGIN + size[0]] = scaled[:, : line.shape[1] - MARGIN]
    return np.stack([line[:, start : start + WIDTH] for start in starts])


def join(predictions: list[Prediction]) -> str:
    """The text of a line's pieces: in the overlap, reading goes over to the next piece where no character is near."""
    pieces = []
    for number, prediction in enumerate(predictions):
        middles = (np.array(prediction["starts"]) + np.array(prediction["ends"]))[: len(prediction["text"])] * FRAME / 2
        pieces.append(list(zip((middles + number * (WIDTH - OVERLAP)).tolist(), prediction["text"], strict=True)))
    seams = [-np.inf]
    for number, (before, after) in enumerate(pairwise(pieces), start=1):
        places = number * (WIDTH - OVERLAP) + np.arange(OVERLAP / 4, OVERLAP * 3 / 4)
        middles = np.array([middle for middle, char in before + after if char != " "] or [np.inf])
        seams.append(places[np.abs(places[:, None] - middles).min(axis=1).argmax()])
    ranges = zip(pieces, pairwise([*seams, np.inf]), strict=True)
    return "".join(char for piece, (low, high) in ranges for middle, char in piece if low <= middle < high)


def tidy(text: str) -> str:
    """Make marks that stand apart beside a Hanzi full-width, and drop the spaces that only the margins of Hanzi make."""
    chars = list(text.strip())
    for index in range(2, len(chars)):
        if chars[index] in WIDE_MARKS and chars[index - 1] == " " and chars[index - 2] > "\u2e7f":
            chars[index] = WIDE_MARKS[chars[index]]
    wide = [char > "\u2e7f" for char in chars]
    marks = [char in WIDE_MARKS.values() or "\u3001" <= char <= "\u3020" for char in chars]

    def is_idle(index: int) -> bool:
        before, after = index - 1, index + 1
        return chars[index] == " " and (wide[before] and wide[after] or marks[before] or marks[after])

    return "".join(char for index, char in enumerate(chars) if not is_idle(index))


def read_pages(file: str, predict: Predict, dictionary: str | None) -> str:
    """The text of a document: docrec finds its lines and joins what the server reads in them."""
    import docrec
    from docrec.charset import load_charset
    from docrec.chunk import Chunk
    from docrec.ctc import Mark, Reading
    from docrec.resources import char_dict_folder

    folder = Path(dictionary) if dictionary else char_dict_folder()

    class Served:
        """A ChunkReader that asks the server."""

        charset = load_charset(folder / "char_dict_cn.json", folder / "ord_map_cn.json")
        limited = False

        def read(self, chunks: Iterable[Chunk], batch_size: int, ranks: int = 0) -> Iterator[Reading]:
            chunks = iter(chunks)
            while batch := list(islice(chunks, batch_size)):
                pixels = np.stack([chunk.pixels[..., 0] for chunk in batch])
                for answer in predict(np.rint((1 - pixels) * 255).astype(np.uint8)):
                    marks = zip(answer["indices"], answer["starts"], answer["ends"], answer["confidences"], strict=True)
                    yield Reading(tuple(Mark(*mark) for mark in list(marks)[: answer["lengths"]]))

    try:
        return "\f".join(page.text for page in docrec.recognize(file, Served()))
    except docrec.errors.DocrecError as error:
        raise ValueError(error) from error
