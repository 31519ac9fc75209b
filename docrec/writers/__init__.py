"""Pages out: the table of output formats, and the one function that writes a document in one of them."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from docrec.document import Page
from docrec.errors import OptionError
from docrec.writers.replace import replacing, writing_to
from docrec.writers.txt import txt

Writer = Callable[[Iterable[Page]], Iterator[bytes]]
"""A format: turns pages into pieces of the file, as few pages behind its input as the format allows."""

FORMATS: dict[str, Writer] = {"txt": txt}


def write(pages: Iterable[Page], target: str | os.PathLike[str] | BinaryIO, format: str = "txt") -> None:
    """Write pages to a file or a binary stream, piece by piece as they come.

    A regular file is replaced in one step when the last page is written: whatever fails before that, a file that was there
    stays as it was. Devices and pipes are written to directly. A stream is flushed after each piece and left open.

    Args:
        pages: the document; may be a generator that is still reading.
        target: path of the file, or a stream open for writing bytes.
        format: a key of FORMATS.

    Raises:
        OptionError: the format is not known.
        FileAccessError: the target cannot be written.
        BrokenPipeError: the reader at the other end of a pipe has gone.
    """
    if format not in FORMATS:
        raise OptionError(f"the output format must be one of {', '.join(FORMATS)}, got {format!r}")
    pieces = FORMATS[format](pages)
    if isinstance(target, (str, os.PathLike)):
        with replacing(target) as stream:
            _copy(pieces, stream, os.fspath(target))
    else:
        _copy(pieces, target, str(getattr(target, "name", "the output stream")))


def _copy(pieces: Iterable[bytes], stream: BinaryIO, name: str) -> None:
    for piece in pieces:
        with writing_to(name):
            stream.write(piece)
            stream.flush()
