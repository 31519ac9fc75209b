"""Searchable PDF: the document as it is, with the text that was read invisibly over it."""

import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from docrec.document import Page
from docrec.errors import OptionError
from docrec.options import ReadOptions, WriteOptions


def pdf(pages: Iterable[Page], options: WriteOptions) -> Iterator[bytes]:
    """A PDF that was read, or pictures in the order they were read, with the text; all their pages, also those that were not read.

    Raises:
        OptionError: the pages are of no document that is known, or of a PDF and another one.
        DocrecError: the document cannot be read again; see `source.open_source`.
    """
    from docrec.source import Source, open_source  # late, as these load much
    from docrec.writers.increment import pdf_with_text
    from docrec.writers.pictures import pictures_to_pdf

    sources = options.sources or (((options.document, None),) if options.document else ())
    if not sources:
        raise OptionError("a searchable PDF needs the document that was read, as WriteOptions.document, and got none")
    with ExitStack() as stack:
        opened: list[tuple[Source, int | None]] = []
        for content, number in sources:
            source = open_source(io.BytesIO(content) if isinstance(content, bytes) else content, ReadOptions(password=options.password))
            opened.append((stack.enter_context(source), number))
        if not any(source.is_pdf for source, _ in opened):
            yield from pictures_to_pdf(iter(pages), opened)
        elif len(opened) == 1:
            yield from pdf_with_text(pages, sources[0][0], options.password)
        else:
            raise OptionError("a searchable PDF is made of one PDF, or of pictures; write one for each PDF")
