"""Plain text: UTF-8, a row or a paragraph a line, pages separated by a form feed."""

from collections.abc import Iterable, Iterator

from docrec.document import Page
from docrec.options import WriteOptions
from docrec.writers.paragraphs import page_to_text

PAGE_BREAK = "\f"


def txt(pages: Iterable[Page], options: WriteOptions) -> Iterator[bytes]:
    """Yield each page's text, ended by a newline; every page but the first is preceded by a form feed."""
    separator = ""
    for page in pages:
        text = page_to_text(page) if options.paragraphs else page.text
        yield f"{separator}{text}\n".encode()
        separator = PAGE_BREAK
