"""docrec: Chinese PDFs and page images to text.

recognizer = docrec.load()
docrec.write(docrec.recognize("scan.pdf", recognizer), "scan.md")
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Page", "ReadOptions", "WriteOptions", "load", "recognize", "write"]

if TYPE_CHECKING:
    from docrec.document import Page
    from docrec.options import ReadOptions, WriteOptions
    from docrec.pipeline import recognize
    from docrec.recognizer import load
    from docrec.writers import write

_HOMES = {
    "Page": "document",
    "ReadOptions": "options",
    "WriteOptions": "options",
    "load": "recognizer",
    "recognize": "pipeline",
    "write": "writers",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `docrec --help` needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"docrec.{_HOMES[name]}"), name)
