"""Plain text: UTF-8, a row a line, pages separated by a form feed."""

from collections.abc import Iterable, Iterator

from docrec.document import Page
from docrec.options import WriteOptions

PAGE_BREAK = "\f"


def txt(pages: Iterable[Page], options: WriteOptions) -> Iterator[bytes]:
    """Yield each page's text, ended by a newline; every page but the first is preceded by a form feed."""
    separator = ""
    for page in pages:
        yield f"{separator}{page.text}\n".encode()
        separator = PAGE_BREAK
