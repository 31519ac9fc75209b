"""What training lines say: running text, random characters, code and numbers, drawn without end."""

import gzip
import lzma
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable
from copy import copy
from html import unescape
from pathlib import Path

import numpy as np

from docrec.charset import Charset
from docrec.errors import TrainingDataError
from docrec.ngrams import Ngrams, count_ngrams
from docrec.training.fonts import is_hanzi

WIDE_MARKS = "，。、；：？！“”‘’（）《》【】「」『』—…·〈〉〔〕"
ASCII_MARKS = r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""
DASHES = ("——", "——", "—", "……", "…", "–", "-", "--", "——", "~", "～", "%", "|", "/")
STAND_INS = str.maketrans("─━―﹐︰∶・‧〝〞", "———，：：··“”")  # signs that texts use for others that print the same
BRACKETS = tuple(map(tuple, ("<>", "<>", "<>", "{}", "[]", "()", "（）", "《》", "〈〉", "〈〉", "“”", "‘’", '""', "''", "「」")))
ITEM_MARKS = (". ", ". ", ".", "．", "、", ") ", "）")  # behind the letter or number of an item of a list
LOGOS = ("LATEX", "LATEX", "TEX", "XeTEX", "XeLATEX", "pdfLATEX", "BibTEX", "LATEX3", "AMS", "AMS-LATEX")
UNITS = (
    *("", "", "", "%", "％", "‰", "°", "℃", ".", "元", "万元", "亿元", "年", "号", "m", "cm", "mm", "km", "μm", "nm", "pt", "px"),
    *("kg", "g", "mg", "t", "L", "mL", "s", "ms", "min", "h", "MB", "GB", "KB", "kB", "Hz", "kHz", "MHz", "GHz", "V", "kV", "mV"),
    *("A", "mA", "W", "kW", "MW", "kWh", "Ω", "kΩ", "N", "kN", "Pa", "kPa", "MPa", "J", "kJ", "dB", "K", "mol", "bit", "bps", "Mbps"),
    *("rpm", "m²", "m³", "km²", "km/h", "m/s", "mg/L", "kg/m³"),
)
BULLETS = "•●■◆○□◇▪▶★✓–*-·→①②③❶☑☐☒✗※◎▲➢"
TRENDS = ("", "", "", "", "", "", "↑", "↓", " ↑", " ↓")  # behind a measured value
SCRIPTS = (  # characters that stand among their own kind: kana, Greek, Cyrillic, Bopomofo, full-width ASCII, boxes
    *((0x3041, 0x3096), (0x30A0, 0x30FF), (0x391, 0x3F5), (0x401, 0x451), (0x3105, 0x3129), (0xFF01, 0xFF5E), (0x2500, 0x254B)),
)
TO = ("", "", "-", "–", "—", "~", "～", "至", "×", "/", "±", ":")  # between two quantities
RANGES = ("–", "–", "-", "-", "—", "~", "～", "--", "，", "、")  # between two numbers
AROUND_RANGES = (("", ""), ("", ""), ("", "页"), ("第", "章"), ("pp. ", ""), ("图", ""), ("表 ", " "), ("（", "）"), ("-", ""), ("–", "%"))
SIGNS = ("", "", "", "¥", "￥", "-", "+", "$", "€", "(")  # before an amount
GREEK = "αβγδεζηθλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ"
LINE_LENGTH = 60  # characters drawn for a line; the renderer takes as many as fit
# How often each kind of line is drawn.
PROSE, LATIN, TOKENS, RANDOM, EVEN, SYMBOLS = 0.40, 0.18, 0.11, 0.25, 0.03, 0.03
SCRIPTS_SHARE = 0.35  # of the lines of symbols, in which another script stands alone
GREEK_SHARE = 0.3  # of the signs among prose
NEW_SHARE = 0.5  # of the random Hanzi, if the model to begin with lacks some
SIGNS_SHOWN = 0.13 * (1 - GREEK_SHARE)  # of the characters in lines of symbols, signs among prose


class TextSource:
    """Draws the text of one line at a time.

    Args:
        paths: files of text, plain or compressed (.xz, .gz), HTML or manual pages among them; folders are searched.
        charset: characters outside it are left out.
        known: alphabet of the model that training begins with: half of the random Hanzi are such as it lacks, if it lacks any.

    Raises:
        TrainingDataError: the files hold no Chinese text.
    """

    def __init__(self, paths: Iterable[str | Path], charset: Charset, known: Charset | None = None) -> None:
        files = find_texts(paths)
        prose: list[str] = []
        latin: list[str] = []
        for file in files:
            text = _clean(read_text(file), charset)
            hanzi = sum(map(is_hanzi, text[:20000]))
            (prose if hanzi > 0.1 * len(text[:20000]) else latin).append(text)
        self._drawn = 1.0
        self._alphabet = charset.classes.keys()
        self._prose = "\n".join(prose)
        self._latin = "\n".join(latin)
        if len(self._prose) < 1000:
            found = f"found {len(self._prose)} in {len(files)} files"
            raise TrainingDataError(f"training needs Chinese text, at least 1,000 characters; {found}")
        self._hanzi = [char for char in charset.characters if is_hanzi(char)]
        self._new = [char for char in self._hanzi if known and char not in known.classes]
        others = [char for char in charset.characters if not is_hanzi(char) and char > "~"]
        self._characters = [char for char in charset.characters if char != " "]
        self._scripts = [[char for char in others if low <= ord(char) <= high] for low, high in SCRIPTS]
        runs = {char for script in self._scripts for char in script}
        self._signs = [char for char in others if char not in runs]
        self._greek = [char for char in GREEK if char in charset.classes]
        self._marks = [char for char in WIDE_MARKS if char in charset.classes]

    def draw(self, random: np.random.Generator, has: Callable[[str], bool]) -> str:
        """Draw about 60 characters of the alphabet; `has` says which Hanzi the typeface can show, for lines of random ones."""
        return "".join(char for char in self._draw(random, has) if char in self._alphabet)

    def running_text(self) -> "TextSource":
        """This source with the lines of Chinese prose alone."""
        source = copy(self)
        source._drawn = PROSE
        return source

    def ngrams(self) -> Ngrams:
        """Which Hanzi and which letters its text has side by side."""
        return count_ngrams(self._prose, self._latin)

    def log_prior_ratio(self, charset: Charset) -> np.ndarray:
        """How much rarer Hanzi, signs and other scripts are in running text than in the lines drawn, some of which are random.

        Adding it to a classifier's logits fits it to running text: Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a
        Classifier to New a Priori Probabilities", 2002.

        Returns:
            float32 (classes,), the logarithm of the ratio; 0 for ASCII.
        """
        counts = Counter(self._prose)
        running = np.array([counts[char] + 0.5 for char in charset.characters])
        running /= running.sum()
        drawn = (1 - RANDOM - EVEN - SYMBOLS) * running + EVEN / len(running)
        new = RANDOM * NEW_SHARE if self._new else 0.0
        groups = [(self._hanzi, RANDOM - new), (self._new, new), (self._signs, SYMBOLS * SIGNS_SHOWN)]
        groups += [(script, SYMBOLS * SCRIPTS_SHARE / len(self._scripts)) for script in self._scripts]
        for chars, share in groups:
            for char in chars:
                drawn[charset.classes[char]] += share / len(chars)
        ascii_text = np.array([char <= "~" for char in charset.characters])
        return np.where(ascii_text, 0, np.log(running / drawn)).astype(np.float32)

    def _draw(self, random: np.random.Generator, has: Callable[[str], bool]) -> str:
        kind = self._drawn * random.random()
        if kind < PROSE:
            return self._window(self._prose, random)
        if (kind := kind - PROSE) < LATIN:
            return self._window(self._latin, random) if self._latin else self._tokens(random)
        if (kind := kind - LATIN) < TOKENS:
            return self._mixed(random)
        if (kind := kind - TOKENS) < RANDOM:
            return self._random_hanzi(random, has)
        if kind - RANDOM < EVEN:
            return "".join(random.choice(self._characters, 36))
        return self._symbols(random)

    def _window(self, text: str, random: np.random.Generator) -> str:
        start = int(random.integers(0, max(1, len(text) - LINE_LENGTH)))
        line = re.sub(r"\s+", " ", text[start : start + LINE_LENGTH]).strip()
        if random.random() < 0.03:
            line = f"{random.choice(list(BULLETS))} {line}"
        elif random.random() < 0.03:
            item = random.choice(list("ABCDEFabcde")) if random.random() < 0.5 else str(random.integers(1, 30))
            line = f"{item}{random.choice(ITEM_MARKS)}{line}"
        if random.random() < 0.06:
            place = int(random.integers(0, 9))
            line = line[:place] + str(random.choice(DASHES)) + line[place:]
        return line

    def _random_hanzi(self, random: np.random.Generator, has: Callable[[str], bool]) -> str:
        among = self._new if self._new and random.random() < NEW_SHARE else self._hanzi
        picks = [among[i] for i in random.integers(0, len(among), 36)]
        chars = [char for char in picks if has(char)][:24]
        for place in random.integers(0, len(chars) + 1, int(random.integers(0, 5))):
            pool = self._marks if self._marks and random.random() < 0.6 else ASCII_MARKS + string.digits + string.ascii_letters
            chars.insert(int(place), str(random.choice(list(pool))))
        return "".join(chars)

    def _mixed(self, random: np.random.Generator) -> str:
        """Tokens of Latin and numbers among running Chinese, as in technical prose."""
        if random.random() < 0.3:
            return self._tokens(random)
        prose = self._window(self._prose, random)
        if random.random() < 0.25:
            return self._fields(prose, random)
        cut = int(random.integers(0, 12))
        more = cut + int(random.integers(1, 8))
        gap = " " if random.random() < 0.6 else ""
        return gap.join((prose[:cut], self._token(random), prose[cut:more], self._token(random), prose[more:]))

    def _fields(self, prose: str, random: np.random.Generator) -> str:
        """Chinese words in brackets between names, as manuals and forms show what is to be filled in."""
        parts, start = [], 0
        for _ in range(4):
            end = start + int(random.integers(1, 6))
            left, right = BRACKETS[int(random.integers(len(BRACKETS)))]
            outer = random.choice([("{", "}"), ("[", "]"), ("", "")], p=[0.25, 0.1, 0.65])
            joint = str(random.choice(["", " ", "=", " = ", "\\", ", "]))
            name = f"{self._token(random)}{joint}" if random.random() < 0.6 else ""
            parts.append(f"{joint}{name}{outer[0]}{left}{prose[start:end]}{right}{outer[1]}")
            start = end
        return "".join(parts)

    def _tokens(self, random: np.random.Generator) -> str:
        return " ".join(self._token(random) for _ in range(10))

    def _token(self, random: np.random.Generator) -> str:
        def word(low: int = 1, high: int = 10) -> str:
            return "".join(random.choice(list(string.ascii_lowercase), int(random.integers(low, high))))

        def number(low: int = 1, high: int = 6) -> str:
            return "".join(random.choice(list(string.digits), int(random.integers(low, high))))

        def mark() -> str:
            return str(random.choice(list(ASCII_MARKS)))

        kind = int(random.integers(0, 20))
        if kind == 0:
            return f"http://{word(2)}.{word(2)}.{random.choice(['com', 'org', 'net', 'cn'])}/{word()}/{word()}"
        if kind == 1:
            options = f"[{word()}={number(1, 3)}]" if random.random() < 0.4 else ""
            return f"\\{word(2)}{options}{{{word()}}}"
        if kind == 2:
            return f"{word()}_{word()}({word(1, 4)}, {word(1, 4)});"
        if kind == 3:
            gap = " " if random.random() < 0.3 else ""
            return f"{number(1, 3)}.{number(1, 4)}{gap}{random.choice(UNITS)}{random.choice(TRENDS)}"
        if kind == 4:
            year, month, day = number(4, 5), number(1, 3), number(1, 3)
            return f"{year}年{month}月{day}日" if random.random() < 0.5 else f"{year}-{month}-{day}"
        if kind == 5:
            return word(2).capitalize() + word(2).capitalize() + "()"
        if kind == 6:
            return word(1, 5).upper() + random.choice(["", "-"]) + number(1, 4)
        if kind == 7:
            return f"({number(1, 3)})" if random.random() < 0.5 else f"[{number(1, 3)}]"
        if kind == 8:
            return f"/{word()}/{word()}-{number(1, 2)}.{number(1, 2)}/{word()}.{word(2, 4)}"
        if kind == 9:
            return "".join(random.choice(list(string.ascii_letters + string.digits), int(random.integers(1, 10))))
        if kind == 10:
            return "".join(random.choice(list(string.printable[:94]), int(random.integers(2, 10))))
        if kind == 11:
            return f"{word(1, 3)} {random.choice(list('=+-*/<>'))} {number(1, 4)}"
        if kind == 12:
            return mark() + word() + mark() + word(1, 4)
        if kind == 13:
            return str(random.choice(LOGOS))
        if kind == 14:
            return f"{number(1, 5)}{random.choice(UNITS)}{random.choice(TO)}{number(1, 5)}{random.choice(UNITS)}"
        if kind == 15:
            amount = f"{int(random.integers(0, 10 ** int(random.integers(1, 10)))):,}"
            return f"{random.choice(SIGNS)}{amount}{random.choice(['', '.' + number(2, 3)])}{random.choice(['', '元', '%'])}"
        if kind == 16:
            telephone, time = f"{number(3, 5)}-{number(7, 9)}", f"{number(1, 3)}:{number(2, 3)}"
            return str(random.choice([telephone, time, f"〔{number(4, 5)}〕{number(1, 3)}号", number(6, 19)]))
        if kind == 17:
            span = f"{number(1, 4)}{random.choice(RANGES)}{number(1, 4)}"
            before, after = BRACKETS[int(random.integers(len(BRACKETS)))] if random.random() < 0.4 else random.choice(AROUND_RANGES)
            return f"{before}{span}{after}"
        if kind == 18:
            colon, dash, stop = random.choice([(": ", "–", "."), (":", "-", "."), ("：", "–", "．"), ("：", "—", "。")])
            issue = f"{number(4, 5)}，{number(1, 3)}({number(1, 2)})"
            return f"[{random.choice(list('MJCDRSN'))}]{stop}{issue}{colon}{number(1, 4)}{dash}{number(1, 4)}{stop}"
        return word(1, 6) if random.random() < 0.5 else word(1, 8).capitalize()

    def _symbols(self, random: np.random.Generator) -> str:
        if random.random() < SCRIPTS_SHARE:
            scripts = [script for script in self._scripts if script]
            if scripts:
                script = scripts[int(random.integers(0, len(scripts)))]
                return "".join(random.choice(script, 20))
        prose = list(self._window(self._prose, random))
        for place in random.integers(0, 12, 3):
            pool = self._greek if self._greek and random.random() < GREEK_SHARE else self._signs or ["·"]
            prose.insert(int(place), str(random.choice(pool)))
        return "".join(prose)


def find_texts(paths: Iterable[str | Path]) -> list[Path]:
    """The files among the paths and below the folders among them."""
    return [file for path in map(Path, paths) for file in (sorted(path.rglob("*")) if path.is_dir() else [path]) if file.is_file()]


def read_text(file: Path) -> str:
    """Text of a file, plain or compressed (.xz, .gz), without the markup of HTML and of manual pages.

    Raises:
        TrainingDataError: it cannot be read.
    """
    try:
        data = file.read_bytes()
        if file.suffix == ".xz":
            data = lzma.decompress(data)
        elif file.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise TrainingDataError(f"the text file {file} cannot be read: {error}") from error
    text = data.decode("utf-8", "ignore")
    if ".htm" in file.name:
        text = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", "", text)
        text = unescape(re.sub(r"<(p|div|br|li|td|h\d)\b[^>]*>", "\n", text))
        text = re.sub(r"<[^>]*>", "", text)
    elif re.search(r"\.\d\w*\.gz$", file.name):  # a manual page
        text = re.sub(r"(?m)^[.'].*$", "", text)
        text = re.sub(r"\\f[A-Z]|\\&", "", text).replace("\\-", "-").replace("\\(", "")
    return text


def _clean(text: str, charset: Charset) -> str:
    """Lines of at least four characters, all of them in the alphabet; tabs and wide spaces become spaces."""
    text = re.sub(r"[\t\u3000\xa0]+", " ", text).translate(STAND_INS)
    text = text.translate({ord(char): None for char in charset.missing(text) if char != "\n"})
    return "\n".join(line for line in map(str.strip, text.split("\n")) if len(line) >= 4)
