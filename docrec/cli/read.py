"""The subcommands `pdf` and `image`: read documents, write their text, and show the work on a terminal."""

import io
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import click
from click.core import ParameterSource

import docrec
from docrec.charset import load_charset
from docrec.cli.dictionary import Dictionary, settle
from docrec.document import Page
from docrec.errors import FileAccessError, OptionError
from docrec.options import DEVICES, DPI_RANGE, LAYOUTS, MODES, ReadOptions, WriteOptions
from docrec.writers import FORMATS, name_outputs, write_named

STREAM = "-"
"""As a file name: standard input, or standard output."""

MAX_PASSWORD = 1000  # characters; the PDF formats allow 127 bytes

Watch = Callable[[str, Iterable[Page]], Iterable[Page]]
"""Lets the pages of the named document through, and may show them as they pass."""

log = logging.getLogger("docrec")

OPTIONS = [
    click.Option(
        ["names", "-o"],
        metavar="FILE",
        multiple=True,
        help="Write to this file (- is standard output), in the format of its suffix; may be given again. "
        "With -c, one that names an existing ord map is the ord map.",
    ),
    click.Option(["--output"], metavar="FILE", help="Write to this file, the same as -o without its second meaning."),
    click.Option(
        ["-f", "--format", "formats"],
        metavar="LIST",
        default="",
        help=f"Formats to write, of {', '.join(FORMATS)}; several go to files named as the output but for their suffixes.",
    ),
    click.Option(["--paragraphs"], is_flag=True, help="Join the lines of a paragraph in text, with an empty line where white is."),
    click.Option(["--sidecar"], metavar="FILE", help="Write the text to this file too, as it is with -f txt."),
    click.Option(
        ["--pages"],
        metavar="LIST",
        default=ReadOptions.pages,
        help="Pages to read, such as 1,3,5-9,12-end; a PDF that is written holds the others as they were.  [default: all]",
    ),
    click.Option(
        ["--dpi"],
        type=int,
        default=ReadOptions.dpi,
        help=f"Pixels per inch that PDF pages are rendered at, {DPI_RANGE[0]} to {DPI_RANGE[1]}.  [default: chosen for each page]",
    ),
    click.Option(
        ["--layout"],
        type=click.Choice(LAYOUTS),
        default=ReadOptions.layout,
        show_default=True,
        help="What is known of the pages; line: each page is one line.",
    ),
    click.Option(
        ["--mode"],
        type=click.Choice(MODES),
        default=ReadOptions.mode,
        show_default=True,
        help="Text that a PDF has already: use it where it is sound (auto), use it as it is and read only pages without (skip), "
        "use it where it is sound and visible, not what OCR left (redo), or read every page (force).",
    ),
    click.Option(
        ["--header-footer/--no-header-footer"], default=ReadOptions.header_footer, help="Keep headers, footers and page numbers, or not."
    ),
    click.Option(
        ["--min-confidence"],
        type=float,
        default=ReadOptions.min_confidence,
        show_default=True,
        help="Leave out lines that are read less surely, 0 to 1.",
    ),
    click.Option(
        ["--password"],
        metavar="TEXT",
        default=ReadOptions.password,
        envvar="DOCREC_PASSWORD",
        show_envvar=True,
        help="Password of an encrypted PDF.",
    ),
    click.Option(["--password-file"], metavar="FILE", help="File whose first line is the password; goes before the environment variable."),
    click.Option(["-c", "--char-dict"], metavar="JSON", help="Dictionary of code points and characters; needs an ord map."),
    click.Option(["--ord-map"], metavar="JSON", help="Dictionary of classes and code points; needs a char dict."),
    click.Option(["--model"], metavar="DIR", help="Model folder, or crnn-zh-hant for traditional characters.  [default: crnn-zh]"),
    click.Option(["--device"], type=click.Choice(DEVICES), default=DEVICES[0], show_default=True, help="Where the network runs."),
    click.Option(["--batch-size"], type=int, default=ReadOptions.batch_size, show_default=True, help="Pieces of lines recognised at once."),
    click.Option(["-q", "--quiet"], is_flag=True, help="Show nothing but errors, and the text if it goes to standard output."),
    click.Option(["-v", "--verbose"], is_flag=True, help="Log what happens to standard error."),
]


@click.pass_obj
def read(
    outer: Dictionary,
    files: tuple[str, ...],
    names: tuple[str, ...],
    output: str | None,
    formats: str,
    paragraphs: bool,
    sidecar: str | None,
    pages: str,
    dpi: int | None,
    layout: str,
    mode: str,
    header_footer: bool,
    min_confidence: float,
    password: str,
    password_file: str | None,
    char_dict: str | None,
    ord_map: str | None,
    model: str | None,
    device: str,
    batch_size: int,
    quiet: bool,
    verbose: bool,
) -> None:
    """Do what one command line of `pdf` or `image` asks."""
    log_to_stderr(quiet, verbose)
    if password_file is not None:
        password = first_line(password_file)
    options = ReadOptions(
        pages=pages,
        dpi=dpi,
        batch_size=batch_size,
        password=password,
        layout=layout,
        mode=mode,
        header_footer=header_footer,
        min_confidence=min_confidence,
    )
    dictionary, targets = settle(outer, Dictionary(char_dict, ord_map), output, names)
    outputs = [_output(target) for target in targets or (STREAM,)]
    named = name_outputs(outputs, formats) + ([] if sidecar is None else [(_output(sidecar), "txt")])
    _check(files, [target for target, _ in named if isinstance(target, str)])
    inputs: list[str | bytes] = [*files]
    if any(format == "pdf" for _, format in named):
        if _is_terminal(sys.stdout) and any(format == "pdf" and not isinstance(target, str) for target, format in named):
            raise OptionError("a PDF is not for a terminal to show; name a file with -o")
        inputs = [_content(file) if file == STREAM or _is_pipe(file) else file for file in files]  # is read again to be written
    charset = None
    if dictionary.char_dict and dictionary.ord_map:
        charset = load_charset(dictionary.char_dict, dictionary.ord_map)
    counts = _count_pages(inputs, options)

    def read_all(watch: Watch) -> Iterator[Page]:
        recognizer = docrec.load(model, device=device, charset=charset)
        for name, file in zip(files, inputs, strict=True):
            yield from watch(name, docrec.recognize(_input(file), recognizer, options))

    from docrec.bundle import DEFAULT_MODEL  # here, as it imports numpy, which help is to do without

    writing = WriteOptions(
        document=files[0] if len(files) == 1 else None,
        sources=tuple(zip(inputs, counts or (), strict=False)),
        model=os.path.basename(os.path.normpath(model or DEFAULT_MODEL)),
        password=password,
        paragraphs=paragraphs,
    )
    to_terminal = not targets and not formats and sidecar is None and not quiet and _is_terminal(sys.stdout)
    if quiet or not (to_terminal or _is_terminal(sys.stderr)):
        write_named(read_all(lambda name, pages: pages), named, writing)
        return

    from docrec.cli.view import Detail, View

    detail: Detail = "lines" if to_terminal else "pages" if STREAM not in (targets or STREAM) else "none"
    with View(detail, sum(counts) if counts else None) as view:
        if to_terminal:
            for _ in read_all(view.watch):
                pass
        else:
            write_named(read_all(view.watch), named, writing)
    view.summarize(", ".join(targets))


def _check(files: Sequence[str], targets: Sequence[str]) -> None:
    """Refuse what would lose a file or wait for ever, before any work is done."""
    if files.count(STREAM) > 1:
        raise OptionError("standard input can be read once, and - was given more than once")
    if STREAM in files and _is_terminal(sys.stdin):
        raise OptionError("- reads a document from standard input, and that is this terminal; pipe a file in, or name one")
    for index, target in enumerate(targets):
        if target == "":
            raise OptionError("the output needs a name, got an empty one; - is standard output")
        if target in targets[:index]:
            raise OptionError(f"each output needs a name of its own, and {target} was named twice")
        for file in files:
            if os.path.isfile(target) and os.path.exists(file) and os.path.samefile(file, target):
                raise OptionError(f"the output must not overwrite an input, and {target} is one; name another output")


def first_line(password_file: str) -> str:
    """The password in a file; an OptionError if another is given on the command line."""
    if click.get_current_context().get_parameter_source("password") is ParameterSource.COMMANDLINE:
        raise OptionError("give the password by --password or by --password-file, not by both")
    if password_file == STREAM:
        raise OptionError("--password-file takes the name of a file, not -; where there is one, /dev/stdin is standard input")
    try:
        with open(password_file, encoding="utf-8") as file:
            return file.readline(MAX_PASSWORD).rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise FileAccessError(f"the password file {password_file!r} cannot be read: {error}") from error


def _count_pages(files: Sequence[str | bytes], options: ReadOptions) -> list[int] | None:
    """Open each file, so that a bad one is told before any is read; None if one is a pipe, which can be opened only once."""
    from docrec.source import open_source

    if any(isinstance(file, str) and (file == STREAM or _is_pipe(file)) for file in files):
        return None
    counts = []
    for file in files:
        with open_source(_input(file), options) as source:
            counts.append(len(source))
    return counts


def _input(file: str | bytes) -> str | BinaryIO:
    if isinstance(file, bytes):
        return io.BytesIO(file)
    if file != STREAM:
        return file
    if sys.stdin is None:
        raise FileAccessError("standard input must be open for - to read it, and is closed; name a file")
    return sys.stdin.buffer


def _content(file: str) -> bytes:
    """All that comes from standard input or a pipe."""
    source = _input(file)
    if not isinstance(source, str):
        return source.read()
    with open(source, "rb") as pipe:
        return pipe.read()


def _output(target: str) -> str | BinaryIO:
    if target != STREAM:
        return target
    if sys.stdout is None:
        raise FileAccessError("standard output must be open for the text to go there, and is closed; name an output with -o")
    return sys.stdout.buffer


def _is_pipe(file: str) -> bool:
    return os.path.exists(file) and not os.path.isfile(file) and not os.path.isdir(file)


def _is_terminal(stream: object) -> bool:
    return bool(getattr(stream, "isatty", bool)())


def log_to_stderr(quiet: bool = False, verbose: bool = False) -> None:
    """Show what docrec logs: warnings and errors, errors alone if `quiet`, everything if `verbose`."""
    if quiet and verbose:
        raise OptionError("-q and -v ask for opposite things; give one of them")
    log.handlers[:] = [_StderrHandler()]
    log.setLevel(logging.ERROR if quiet else logging.DEBUG if verbose else logging.WARNING)


class _StderrHandler(logging.Handler):
    """Writes to whatever standard error is at the time, so that a progress bar stays below the message.

    A message is written once: the document that was opened to count its pages gives the same warnings when it is read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("docrec: %(levelname)s: %(message)s"))
        self.written: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        message = self.format(record)
        if message not in self.written:
            self.written.add(message)
            click.echo(message, err=True)


def _one(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str]:
    return (value,)


pdf = click.Command(
    "pdf",
    params=[click.Argument(["files"], metavar="FILE", callback=_one), *OPTIONS],
    callback=read,
    help="Read a PDF file (- is standard input). Pages are separated by a form feed; -o out.pdf makes the PDF searchable.",
)
image = click.Command(
    "image",
    params=[click.Argument(["files"], metavar="FILE...", nargs=-1, required=True), *OPTIONS],
    callback=read,
    help="Read pictures of pages, in the order given (- is standard input). Pages are separated by a form feed; -o out.pdf makes them a "
    "searchable PDF.",
)
