"""Pages out: the table of output formats, and the one function that writes a document in some of them."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import tee, zip_longest
from pathlib import Path
from typing import BinaryIO

from docrec.document import Page
from docrec.errors import OptionError
from docrec.options import WriteOptions
from docrec.writers.alto import alto
from docrec.writers.hocr import hocr
from docrec.writers.json import json
from docrec.writers.md import md
from docrec.writers.pdf import pdf
from docrec.writers.replace import replacing, writing_to
from docrec.writers.tsv import tsv
from docrec.writers.txt import txt

Writer = Callable[[Iterable[Page], WriteOptions], Iterator[bytes]]
"""A format: turns pages into pieces of the file, a piece after each page, empty if there is nothing to write yet, and more at the end."""
Target = str | os.PathLike[str] | BinaryIO

FORMATS: dict[str, Writer] = {"txt": txt, "json": json, "md": md, "tsv": tsv, "hocr": hocr, "alto": alto, "pdf": pdf}
"""By the suffix that their files have."""
OTHER_SUFFIXES = {"html": "hocr", "xml": "alto", "markdown": "md"}
FOREIGN_SUFFIXES = ("csv", "doc", "docx", "epub", "gif", "jpeg", "jpg", "odt", "png", "rtf", "tif", "tiff", "xlsx")
"""Of files that would not be what they are called if text were written to them."""


def write(pages: Iterable[Page], outputs: Target | Sequence[Target], formats: str = "", options: WriteOptions | None = None) -> None:
    """Write pages to files or binary streams, piece by piece as they come, in several formats at once if asked to.

    A regular file is replaced in one step when the last page is written: whatever fails before that, a file that was there
    stays as it was, in all formats. Devices and pipes are written to directly. A stream is flushed after each piece and left open.

    Args:
        pages: the document; may be a generator that is still reading.
        outputs: path of the file, or a stream open for writing bytes; or several of them.
        formats: keys of FORMATS, separated by commas, see `name_outputs`.
        options: see WriteOptions.

    Raises:
        OptionError: a format is not known, or it is not clear what is to be written where.
        FileAccessError: an output cannot be written.
        BrokenPipeError: the reader at the other end of a pipe has gone.
    """
    targets = outputs if isinstance(outputs, Sequence) and not isinstance(outputs, str) else [outputs]
    write_named(pages, name_outputs(targets, formats), options)


def write_named(pages: Iterable[Page], named: Sequence[tuple[Target, str]], options: WriteOptions | None = None) -> None:
    """Write pages as `write` does, to outputs of which each is named with its format."""
    with ExitStack() as stack:
        streams = [_open(target, stack) for target, _ in named]
        copies = tee(pages, len(named))
        pieces = [FORMATS[format](copy, options or WriteOptions()) for copy, (_, format) in zip(copies, named, strict=True)]
        for row in zip_longest(*pieces, fillvalue=b""):
            for piece, (stream, name) in zip(row, streams, strict=True):
                with writing_to(name):
                    stream.write(piece)
                    stream.flush()


def name_outputs(outputs: Sequence[Target], formats: str = "") -> list[tuple[Target, str]]:
    """Say which format goes where.

    Args:
        outputs: paths and streams.
        formats: keys of FORMATS, separated by commas; "" for those of the outputs' suffixes, text where a suffix is none of a format.
            One format is for all outputs; several are for one path, each written to a file of that name with its own suffix.

    Raises:
        OptionError: a format is not known or named twice, or several formats are to go to several outputs or to a stream, or none is
            named for an output that is called as files of another kind are.
    """
    names = [name.strip() for name in formats.split(",")] if formats else []
    for index, name in enumerate(names):
        if name not in FORMATS:
            raise OptionError(f"the output format must be one of {', '.join(FORMATS)}, got {name!r}")
        if name in names[:index]:
            raise OptionError(f"each output format is written once, and {name} was named twice")
    if not names:
        for output in outputs:
            if isinstance(output, (str, os.PathLike)) and Path(output).suffix[1:].lower() in FOREIGN_SUFFIXES:
                raise OptionError(f"{output} is not the name of a format that can be written: {', '.join(FORMATS)}; name one with -f")
        return [(output, _suffix(output) or "txt") for output in outputs]
    if len(names) == 1:
        return [(output, names[0]) for output in outputs]
    if len(outputs) != 1 or not isinstance(outputs[0], (str, os.PathLike)):
        raise OptionError(f"several formats ({', '.join(names)}) need one output file, whose name without its suffix is that of each")
    path = Path(outputs[0])
    base = path.with_suffix("") if _suffix(path) else path
    return [(f"{base}.{name}", name) for name in names]


def _suffix(output: Target) -> str | None:
    """The format that the suffix of a path names."""
    suffix = Path(output).suffix[1:].lower() if isinstance(output, (str, os.PathLike)) else ""
    format = OTHER_SUFFIXES.get(suffix, suffix)
    return format if format in FORMATS else None


def _open(target: Target, stack: ExitStack) -> tuple[BinaryIO, str]:
    """A stream to write to, and what to call it in messages."""
    if isinstance(target, (str, os.PathLike)):
        return stack.enter_context(replacing(target)), os.fspath(target)
    return target, str(getattr(target, "name", "the output stream"))
