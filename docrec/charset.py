"""The alphabet: which class index stands for which character, and the JSON dictionaries that say so."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docrec.errors import CharsetError, FileAccessError

ALIKE = str.maketrans(dict(zip("“”‘’`—–−―•‧∙・●。⋯〈〉∼", "\"\"'''----·····.…<>~", strict=True)))
"""Characters that look the same in print, so that neither reading of them is an error."""
FULL_WIDTH = ord("！") - ord("!")


@dataclass(frozen=True)
class Charset:
    """Characters in class order: class i is `characters[i]`, the CTC blank is the class after the last."""

    characters: tuple[str, ...]
    classes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        bad = [char for char in self.characters if len(char) != 1]
        if bad or not self.characters:
            raise CharsetError(f"a charset is a non-empty list of single characters, got {bad[:5]!r}")
        classes = {char: index for index, char in enumerate(self.characters)}
        if len(classes) != len(self.characters):
            raise CharsetError("a charset lists each character once, got repeated characters")
        object.__setattr__(self, "classes", classes)

    def __len__(self) -> int:
        return len(self.characters)

    @property
    def blank(self) -> int:
        """Class index of the CTC blank."""
        return len(self.characters)

    def missing(self, text: Iterable[str]) -> list[str]:
        """Characters of `text` that have no class, sorted."""
        return sorted(set(text) - self.classes.keys())

    def encode(self, text: str) -> list[int]:
        """Class indices of `text`.

        Raises:
            CharsetError: a character has no class; the message lists all such characters.
        """
        if missing := self.missing(text):
            raise CharsetError(f"every character must be in the alphabet; it lacks {' '.join(missing)!r}")
        return [self.classes[char] for char in text]

    def decode(self, labels: Sequence[int]) -> str:
        """Text of class indices, none of which may be the blank."""
        return "".join(self.characters[label] for label in labels)


def in_print(char: str) -> str:
    """What print shows of a character: the form in ASCII of a full-width one, and one of those that look alike."""
    return (chr(ord(char) - FULL_WIDTH) if "！" <= char <= "～" else char).translate(ALIKE)


def is_wide(char: str) -> bool:
    """Whether a character is set in a full em: Hanzi, kana, full-width punctuation."""
    return char > "\u2e7f" or char in "“”‘’…—"


def is_full_width_mark(char: str) -> bool:
    """Whether a character is punctuation whose em is mostly empty."""
    return "\u3001" <= char <= "\u3020" or "\uff01" <= char <= "\uff0f" or char in "：；？"


def load_charset(char_dict: str | Path, ord_map: str | Path) -> Charset:
    """Read a charset from its two JSON dictionaries.

    Args:
        char_dict: file of `"<code point>_ord": "<character>"`.
        ord_map: file of `"<class>_index": "<code point>"` and `"<code point>_ord": "<class>"`.

    Raises:
        FileAccessError: a file cannot be read.
        CharsetError: a file is not JSON of that form, or the two disagree.
    """
    chars = {_number(key, "_ord", char_dict): value for key, value in _read_object(char_dict).items()}
    for point, char in chars.items():
        if not isinstance(char, str) or len(char) != 1 or ord(char) != point:
            raise CharsetError(f"{char_dict}: the entry {point}_ord must be the character of that code point, got {char!r}")
    points: dict[int, int] = {}
    classes: dict[int, int] = {}
    for key, value in _read_object(ord_map).items():
        if key.endswith("_index"):
            points[_number(key, "_index", ord_map)] = _number(value, "", ord_map)
        else:
            classes[_number(key, "_ord", ord_map)] = _number(value, "", ord_map)
    if sorted(points) != list(range(len(points))):
        raise CharsetError(f"{ord_map}: the entries <class>_index must number the classes 0, 1, 2, … without a gap")
    if classes != {point: index for index, point in points.items()}:
        raise CharsetError(f"{ord_map}: the _index and _ord entries must be inverses of each other, and are not")
    if chars.keys() != classes.keys():
        odd = "".join(sorted(chr(point) for point in chars.keys() ^ classes.keys() if point < 0x110000))
        raise CharsetError(f"{char_dict} and {ord_map} must list the same characters; only one of them has {odd[:40]!r}")
    return Charset(tuple(chr(points[index]) for index in range(len(points))))


def charset_to_json(charset: Charset) -> tuple[bytes, bytes]:
    """Contents of the two dictionary files, char_dict and ord_map (see `load_charset` for their forms)."""
    chars = {f"{ord(char)}_ord": char for char in sorted(charset.characters)}
    classes = {f"{index}_index": str(ord(char)) for index, char in enumerate(charset.characters)}
    classes |= {f"{ord(char)}_ord": str(index) for index, char in enumerate(charset.characters)}
    char_dict, ord_map = (json.dumps(content, ensure_ascii=False, indent=0) + "\n" for content in (chars, classes))
    return char_dict.encode(), ord_map.encode()


def save_charset(charset: Charset, char_dict: str | Path, ord_map: str | Path) -> None:
    """Write a charset as its two JSON dictionaries."""
    for path, content in zip((char_dict, ord_map), charset_to_json(charset), strict=True):
        Path(path).write_bytes(content)


def _read_object(path: str | Path) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileAccessError(f"the dictionary {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CharsetError(f"the dictionary {path} must be JSON in UTF-8, and is not: {error}") from error
    if not isinstance(content, dict):
        raise CharsetError(f"the dictionary {path} must be one JSON object, got {type(content).__name__}")
    return content


def _number(value: object, suffix: str, path: str | Path) -> int:
    text = value.removesuffix(suffix) if isinstance(value, str) and value.endswith(suffix) else ""
    if not (text.isascii() and text.isdigit()):
        raise CharsetError(f"{path}: expected a number{' and ' + suffix if suffix else ''} in quotes, got {value!r}")
    return int(text)
