"""Objects of a PDF, and a file made of them, written as they come."""

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PdfObject:
    """A dictionary, or a stream.

    Attributes:
        entries: of the dictionary; without /Length, and without /Filter unless the stream is packed.
        stream: its bytes, None for a dictionary.
        packed: whether they are compressed already.
    """

    entries: str
    stream: bytes | None = None
    packed: bool = False


class ObjectFile:
    """A PDF of which objects are written in any order, each once; it keeps where they are, and nothing else.

    Attributes:
        size: one more than the highest number given to an object.
    """

    HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"

    def __init__(self) -> None:
        self.size = 1
        self._offsets: dict[int, int] = {}
        self._position = len(self.HEADER)

    def number(self, count: int = 1) -> int:
        """The first of so many new numbers in a row."""
        self.size += count
        return self.size - count

    def write(self, number: int, body: PdfObject) -> bytes:
        """The bytes of an object."""
        if body.stream is None:
            text = f"{number} 0 obj\n<<{body.entries}>>\nendobj\n".encode()
        else:
            stream = body.stream if body.packed else zlib.compress(body.stream)
            entries = body.entries if body.packed else f"{body.entries}/Filter/FlateDecode"
            text = f"{number} 0 obj\n<<{entries}/Length {len(stream)}>>\nstream\n".encode() + stream + b"\nendstream\nendobj\n"
        self._offsets[number] = self._position
        self._position += len(text)
        return text

    def end(self, root: int) -> bytes:
        """The cross-reference table and the trailer; `root` is the number of the catalog."""
        table = "".join(f"{self._offsets[number]:010} 00000 n \n" for number in range(1, self.size))
        trailer = f"trailer\n<</Size {self.size}/Root {root} 0 R>>\nstartxref\n{self._position}\n%%EOF\n"
        return f"xref\n0 {self.size}\n0000000000 65535 f \n{table}{trailer}".encode()
