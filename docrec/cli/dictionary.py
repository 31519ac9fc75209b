"""Which of the files named on the command line are dictionaries, and which one is the output."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from docrec.charset import Charset, load_charset
from docrec.errors import OptionError
from docrec.resources import char_dict_folder

FIRST_ENTRY = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"\d+_(ord|index)"\s*:')
CLASS_ENTRY = re.compile(rb'"\d+_index"\s*:')


@dataclass(frozen=True)
class Dictionary:
    """Paths of the two dictionary files as far as they were named.

    Attributes:
        char_dict: file of code points and characters.
        ord_map: file of classes and code points.
    """

    char_dict: str | None = None
    ord_map: str | None = None


def settle(outer: Dictionary, inner: Dictionary, output: str | None, names: Sequence[str]) -> tuple[Dictionary, tuple[str, ...]]:
    """Tell dictionaries and output apart, since `-o` may name either.

    Args:
        outer: what stood before the subcommand.
        inner: what `-c` and `--ord-map` of the subcommand named.
        output: what `--output` named.
        names: what each `-o` of the subcommand named. With a char dict, one that is an ord map is the ord map.

    Returns:
        The dictionary, with both files or neither, and the outputs.

    Raises:
        OptionError: a file is named twice over or missing, or the output is a dictionary.
    """
    dictionary = merged(outer, inner)
    outputs = [] if output is None else [output]
    for name in names:
        kind = dictionary_kind(name)
        if kind == "ord map" and dictionary.char_dict and not dictionary.ord_map:
            dictionary = replace(dictionary, ord_map=name)
        elif kind and not (kind == "ord map" and dictionary.ord_map and os.path.samefile(name, dictionary.ord_map)):
            advice = "to read with it, name its char dict with -c too" if kind == "ord map" else "name it with -c to read with it"
            raise OptionError(f"-o must not overwrite a dictionary, and {name} is one ({kind}); {advice}, or name another output")
        elif not kind:
            outputs.append(name)
    if dictionary.char_dict and not dictionary.ord_map:
        tried = "".join(f"; {name} {'is no ord map' if os.path.exists(name) else 'does not exist'}" for name in names)
        raise OptionError(f"-c {dictionary.char_dict} needs an ord map: name it with --ord-map, or with an -o of its own{tried}")
    if dictionary.ord_map and not dictionary.char_dict:
        raise OptionError(f"the ord map {dictionary.ord_map} needs a char dict: name it with -c (an output is named after the subcommand)")
    for name in outputs:
        if kind := dictionary_kind(name):
            raise OptionError(f"the output must not overwrite a dictionary, and {name} is one ({kind}); name another output")
    return dictionary, tuple(outputs)


def alphabet(outer: Dictionary, inner: Dictionary) -> Charset | None:
    """The alphabet named by `-c` and `-o`, before or after a subcommand whose `-o` means nothing else; None if none was.

    Raises:
        OptionError: a file is named twice over, or one of the two alone.
    """
    named = merged(outer, inner)
    if named.char_dict and named.ord_map:
        return load_charset(named.char_dict, named.ord_map)
    if named.char_dict or named.ord_map:
        raise OptionError("-c and -o name the two halves of an alphabet; give both, or neither")
    return None


def bundled_alphabet() -> Charset:
    """The alphabet of the bundled model."""
    return load_charset(char_dict_folder() / "char_dict_cn.json", char_dict_folder() / "ord_map_cn.json")


def dictionary_kind(path: str) -> str | None:
    """Say "char dict" or "ord map" if the file at `path` begins as one, damaged further on or not, and None otherwise."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as stream:
            start = stream.read(1024)
            if not FIRST_ENTRY.match(start):
                return None
            return "ord map" if CLASS_ENTRY.search(start + stream.read()) else "char dict"
    except OSError:  # not readable: whoever opens it in earnest will say so
        return None


def merged(outer: Dictionary, inner: Dictionary) -> Dictionary:
    """What was named before and after the subcommand, each file once."""
    for option, first, second in (("-c", outer.char_dict, inner.char_dict), ("--ord-map", outer.ord_map, inner.ord_map)):
        if first and second:
            raise OptionError(f"{option} was given twice, before and after the subcommand: {first} and {second}; give it once")
    return Dictionary(outer.char_dict or inner.char_dict, outer.ord_map or inner.ord_map)
