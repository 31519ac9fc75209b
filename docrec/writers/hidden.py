"""Invisible text in content streams, such as earlier OCR left: taken out, all else staying as it is."""

import re

_TOKEN = re.compile(
    rb"%[^\r\n]*"
    rb"|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\))*\)"  # a string may have parentheses in it, in pairs
    rb"|<<|>>|<[^>]*>|[\[\]{}]"
    rb"|BI\s.*?\sID\s.*?\sEI(?=\s|$)"
    rb"|/?[^\s()<>\[\]{}/%]+",
    re.DOTALL,
)
_OPERAND = re.compile(rb"[-+.\d/(<>\[\]]|true$|false$|null$")
_SHOWING = (b"Tj", b"TJ", b"'", b'"')
_INVISIBLE = b"3"


def without_invisible_text(content: bytes) -> bytes:
    """A content stream without what shows text in rendering mode 3; the same bytes if there is none."""
    kept: list[bytes] = []
    done = 0
    mode, saved = b"0", []
    first, last = None, b""  # where the operands begin, and the last of them
    for token in _TOKEN.finditer(content):
        word = token[0]
        if word.startswith(b"%"):
            continue
        first = token.start() if first is None else first
        if _OPERAND.match(word):
            last = word
            continue
        if word == b"q":
            saved.append(mode)
        elif word == b"Q" and saved:
            mode = saved.pop()
        elif word == b"Tr":
            mode = last
        elif word in _SHOWING and mode == _INVISIBLE:
            kept.append(content[done:first])
            done = token.end()
        first = None
    return b"".join([*kept, content[done:]])
