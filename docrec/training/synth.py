"""Rendering of training lines: text set in a typeface as printers do, then printed and scanned as offices do."""

import re
from collections import deque
from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from docrec.chunk import HEIGHT, INK_HEIGHT, WIDTH
from docrec.training.fonts import FULL_HANZI, Bitmap, Font, FontSet, is_hanzi
from docrec.training.lines import LabelledLine, Span
from docrec.training.text import TextSource

OPENING, CLOSING = set("（《〈「『【〔〖“‘"), set("，。、；：？！）》〉」』】〕〗”’")
DIGITS = set("0123456789")
LIGATURES = {"fi": "ﬁ", "fl": "ﬂ"}
# The logos of TeX as plain TeX and LaTeX define them: for each letter its size, how far it is raised, and the kern behind it, in em.
LOGOS = {
    "LATEX": ((1.0, 0.0, -0.36), (0.7, 0.2, -0.15), (1.0, 0.0, -0.1667), (1.0, -0.22, -0.125), (1.0, 0.0, 0.0)),
    **dict.fromkeys(("TEX", "AMS"), ((1.0, 0.0, -0.1667), (1.0, -0.22, -0.125), (1.0, 0.0, 0.0))),
}
NOTE_MARK = re.compile(r"[(\[]?[0-9]{1,2}[)\]]?|[*†‡①-⑩]")
MIN_SPACE = 0.13  # em; a narrower gap is not read as a space
UNDERSCORE_ROWS, FAINTEST = 6, 0.2  # where an underscore is, from the bottom up, and its ink at least
EMPHASIS = 0.1  # share of lines in which words are set off
SMALL = 0.08  # share of lines with a passage of Hanzi in smaller type, such as a remark in brackets
WIDE_GAP = 0.05  # share of spaces that are wider than a word space
LOW_RESOLUTION, COARSEST = 0.45, 0.3  # share of scans with fewer pixels than the network sees; of its resolution at least
TRACKING = (0.72, 0.18, 0.04, 0.06)  # shares of lines set solid, justified, widely, tightly


class Renderer:
    """Draws lines without end, in groups that can be drawn in any order and place: a LineSource.

    Args:
        text: what the lines say.
        fonts: the typefaces they are set in.
        seed: of the random numbers.
    """

    def __init__(self, text: TextSource, fonts: FontSet, seed: int = 0) -> None:
        self._text = text
        self._fonts = fonts
        self._seed = seed
        self._random = np.random.default_rng(seed)
        self._neighbours: deque[np.ndarray] = deque(maxlen=16)
        self._noise = self._random.standard_normal((256, 1024), dtype=np.float32)

    def lines(self, group: int, count: int, clean: bool = False) -> list[LabelledLine]:
        """Render the lines of one group; the same seed, group and count give the same lines, whatever was drawn before."""
        self._random = np.random.default_rng([self._seed, group])
        self._neighbours.clear()
        return [self.draw(clean) for _ in range(count)]

    def draw(self, clean: bool = False) -> LabelledLine:
        """Render one line; a `clean` one shows no more than the traces of ordinary printing."""
        while True:
            canvas, spans, em, band = self._typeset()
            if spans:
                break
        ink, spans = self._crop(canvas, spans, em, band)
        scanned = not clean and self._random.random() < 0.55
        ink = self._scan(ink) if scanned else self._print(ink)
        pixels = np.clip(ink * 255 + 0.5, 0, 255).astype(np.uint8)
        self._neighbours.append(pixels)
        return LabelledLine(pixels, "".join(span.char for span in spans), tuple(spans))

    def _typeset(self) -> tuple[np.ndarray, list[Span], float, tuple[float, float]]:
        """Set a line on a canvas; returns ink uint8, spans, the em in pixels, and top and bottom of the Hanzi's ink."""
        random = self._random
        font = self._fonts.hanzi[int(random.integers(len(self._fonts.hanzi)))]
        latin = font
        if self._fonts.latin and random.random() < 0.75:
            latin = self._fonts.latin[int(random.integers(len(self._fonts.latin)))]
        text = self._text.draw(random, font.has)
        em = float(round(np.clip(random.lognormal(np.log(27), 0.28), 16, 64)))
        weight = round(float(random.normal(0.0, 0.012)) * em, 1) if random.random() < 0.5 else 0.0
        slant = float(random.uniform(0.1, 0.25)) if random.random() < 0.04 else 0.0
        latin_slant = float(random.uniform(0.12, 0.3)) if random.random() < 0.08 else slant
        latin_size = round(em * random.uniform(0.88, 1.12), 1) if latin is not font else em
        tracking = float(random.choice([0.0, random.uniform(0, 0.12), random.uniform(0.1, 0.5), -random.uniform(0, 0.04)], p=TRACKING)) * em
        compressed = random.random() < 0.35
        narrow_quotes = latin is not font and random.random() < 0.5
        narrow_angles = random.random() < 0.5  # as wide as their ink, as manuals of TeX packages have them
        notes = random.random() < 0.08  # numbers behind other characters are marks of notes, small and raised
        note_size, note_rise = random.uniform(0.5, 0.7), random.uniform(0.3, 0.42)
        logos = random.random() < 0.8
        autospace = random.uniform(0.0, 0.33) * em
        word_space = random.uniform(0.2, 0.4) * em
        ligatures = random.random() < 0.5 and all(map(latin.has, LIGATURES.values()))
        emphasis = random.random() < EMPHASIS  # words set off by tone, weight and slant, as those of code are
        tone = 1.0
        small_from = int(random.integers(0, 20))
        is_small = random.random() < SMALL and text[small_from : small_from + 1] > "\u2fff"
        small_to = small_from + int(random.integers(2, 14)) if is_small else 0
        small_size = random.uniform(0.65, 0.9)
        small_rise = float(random.choice([0.0, 0.38 * (1 - small_size)]))  # on the line's foot, or in its middle

        top, bottom = _ink_band(font)
        above, below = round((top + 0.45) * em), round((0.45 - bottom) * em)
        limit = _line_limit(random) * (top - bottom) * em / INK_HEIGHT
        canvas = np.zeros((above + below, int(limit + 3 * em)), np.uint8)
        spans: list[Span] = []
        pen, index, space, before = 2.0, 0, 0.0, ""
        styles: dict[int, tuple[float, float, float]] = {}  # of single characters: size, rise and kern behind, in em
        while index < len(text) and pen < limit:
            char = text[index]
            pair = text[index : index + 2]
            if notes and spans and index not in styles and (mark := NOTE_MARK.match(text, index)) and text[index - 1] not in DIGITS | {" "}:
                styles |= dict.fromkeys(range(*mark.span()), (note_size, note_rise, 0.0))
            for logo, letters in LOGOS.items():
                if logos and index not in styles and text.startswith(logo, index):
                    styles |= {index + place: letter for place, letter in enumerate(letters)}
            usual = (small_size, small_rise, 0.0) if small_from <= index < small_to else (1.0, 0.0, 0.0)
            single = index in styles
            scaling, rise, kern = styles.get(index, usual)
            index += 1
            if emphasis and (char == " " or (char > "\u2fff") != (before == "wide")) and random.random() < 0.4:
                tone = float(random.uniform(0.3, 1.0))
                weight = round(float(random.uniform(-0.01, 0.05)) * em, 1)
                latin_slant = float(random.choice([0.0, 0.2]))
            if char == " ":
                if spans and not space:
                    space = word_space
                    if random.random() < WIDE_GAP:
                        space += random.uniform(0.2, 2.0) * em
                continue
            wide = char > "\u2fff" or (char in "“”‘’…—·" and not (narrow_quotes and latin.has(char)))
            face, size = (font, em) if wide or not latin.has(char) else (latin, latin_size)
            if not face.has(char):
                before = ""
                continue
            if before and wide != (before == "wide") and char not in CLOSING and not (spans and spans[-1].char in OPENING | CLOSING):
                space = max(space, autospace)
            if single and scaling < 1:
                space = 0.0
            size, raised = round(scaling * size, 1), round(rise * size)
            before = "wide" if wide else "narrow"
            shown = LIGATURES[pair] if ligatures and pair in LIGATURES and face is latin else char
            glyph = face.bitmap(shown, size, weight, slant if wide else latin_slant)
            height, width = glyph.ink.shape
            if not width:
                continue
            shift = 0.0
            advance = glyph.advance
            narrowed = narrow_angles and char in "〈〉"
            if (compressed or narrowed) and size == em and (char in OPENING or char in CLOSING) and advance > 0.9 * em:
                room = (random.uniform(0.3, 0.45) if narrowed else random.uniform(0.5, 0.8)) * advance
                shift = room - advance if char in OPENING else 0.0
                advance = room
            column, row = round(pen + space + shift + glyph.left), above - glyph.top - raised
            if column < 0 or column + width > limit + em or row < 0 or row + height > canvas.shape[0]:
                if column + width > limit:
                    break
                continue
            if spans and column <= spans[-1].left:
                break
            if spans and space and column - spans[-1].right >= MIN_SPACE * em:
                spans.append(Span(" ", spans[-1].right, column))
            area = canvas[row : row + height, column : column + width]
            np.maximum(area, glyph.ink if tone == 1 else (glyph.ink * tone).astype(np.uint8), out=area)
            if shown is char:
                spans.append(Span(char, column, column + width))
            else:
                spans += [Span(pair[0], column, column + width / 2), Span(pair[1], column + width / 2, column + width)]
                index += 1
            pen += space + advance + tracking + kern * size / scaling
            space = 0.0
        return canvas, spans, em, (above - top * em, above - bottom * em)

    def _crop(self, canvas: np.ndarray, spans: list[Span], em: float, band: tuple[float, float]) -> tuple[np.ndarray, list[Span]]:
        """Scale the canvas to the network's input, off by as much as layout may be; returns ink float32 (32, 280) in 0..1."""
        random = self._random
        sure = any(is_hanzi(span.char) for span in spans)
        if random.random() < 0.2:
            angle = float(np.clip(random.normal(0, 0.25), -0.8, 0.8))
            centre = (spans[-1].right / 2, (band[0] + band[1]) / 2)
            canvas = cv2.warpAffine(canvas, cv2.getRotationMatrix2D(centre, angle, 1.0), canvas.shape[::-1], flags=cv2.INTER_LINEAR)
        down = INK_HEIGHT / (band[1] - band[0]) * float(np.exp(np.clip(random.normal(0.0, 0.04 if sure else 0.09), -0.25, 0.25)))
        across = down * float(np.exp(np.clip(random.normal(0.0, 0.05), -0.18, 0.18)))
        middle = (band[0] + band[1]) / 2 * down + random.normal(0.0, 0.7 if sure else 1.3)
        left = spans[0].left * across - random.uniform(0.5, 5.0)
        if random.random() < 0.06:
            left -= random.uniform(0, 12)
        size = (max(1, round(canvas.shape[1] * across)), max(1, round(canvas.shape[0] * down)))
        scaled = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA if down < 1 else cv2.INTER_CUBIC)
        window = np.zeros((HEIGHT, WIDTH), np.float32)
        row, column = round(middle - HEIGHT / 2), round(left)
        rows = slice(max(row, 0), min(row + HEIGHT, size[1]))
        columns = slice(max(column, 0), min(column + WIDTH, size[0]))
        window[rows.start - row : rows.stop - row, columns.start - column : columns.stop - column] = scaled[rows, columns]
        placed = [Span(span.char, span.left * across - column, span.right * across - column) for span in spans]
        kept = [span for span in placed if span.right <= WIDTH - 1]
        while kept and kept[-1].char == " ":
            kept.pop()
        if len(kept) < len(placed):  # what does not fit is cut away at the gap, as reading does
            window[:, int(np.ceil(kept[-1].right)) if kept else 0 :] = 0
        return window / 255, _seen(window / 255, kept)

    def _print(self, ink: np.ndarray) -> np.ndarray:
        """Traces of a page made by a computer: grey text, tints, rules and neighbouring lines."""
        random = self._random
        if random.random() < 0.15:
            ink = ink ** random.uniform(0.6, 1.4)
        if random.random() < 0.2:
            ink = ink * random.uniform(0.4, 1.0)
        if random.random() < 0.1:
            ink = cv2.GaussianBlur(ink, (0, 0), random.uniform(0.3, 0.7))
        return self._surround(ink)

    def _scan(self, ink: np.ndarray) -> np.ndarray:
        """Traces of printing and scanning, left at the scanner's resolution or at the network's."""
        random = self._random
        ink = self._surround(ink)
        if random.random() > LOW_RESOLUTION:
            return self._wear(ink, 1.0)
        factor = float(np.exp(random.uniform(np.log(COARSEST), np.log(0.95))))
        small = cv2.resize(ink, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        early = random.random() < 0.5
        if early:
            small = self._wear(small, factor)
        ink = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC if random.random() < 0.5 else cv2.INTER_LINEAR)
        return np.clip(ink, 0, 1) if early else self._wear(ink, 1.0)

    def _wear(self, ink: np.ndarray, scale: float) -> np.ndarray:
        """Blur, spread or faded ink, shade, noise, specks and JPEG, on ink at so many times the network's resolution."""
        random = self._random
        height, width = ink.shape
        if random.random() < 0.6:
            ink = cv2.GaussianBlur(ink, (0, 0), max(scale * random.uniform(0.3, 1.5), 0.2))
        ink = np.clip(ink, 0, 1)
        if random.random() < 0.5:
            ink = ink ** random.uniform(0.55, 1.7)
        if random.random() < 0.35:  # contrast stretched, as cleaning does
            darkest = max(float(ink.max()), 0.1)
            ink = np.clip((ink / darkest - random.uniform(0, 0.15)) / random.uniform(0.5, 0.9), 0, 1)
        if random.random() < 0.5:
            ink = ink * random.uniform(0.4, 1.0)
        if random.random() < 0.08:  # bilevel, as facsimile
            ink = (ink > random.uniform(0.3, 0.6) * ink.max()).astype(np.float32)
        if random.random() < 0.25:
            ramp = np.linspace(random.uniform(0, 0.15), random.uniform(0, 0.15), width, dtype=np.float32)
            ink = ink + ramp * (1 - ink)
        if random.random() < 0.5:
            row, column = int(random.integers(0, 256 - height)), int(random.integers(0, 1024 - width))
            ink = ink + random.uniform(0.01, 0.1) * self._noise[row : row + height, column : column + width]
        if random.random() < 0.15:
            count = int(random.integers(1, 12))
            ink[random.integers(0, height, count), random.integers(0, width, count)] = random.uniform(0, 1)
        if random.random() < 0.3:
            paper = np.clip(255 - ink * 255, 0, 255).astype(np.uint8)
            coded = cv2.imencode(".jpg", paper, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 85))])[1]
            ink = 1 - np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32) / 255
        return ink

    def _surround(self, ink: np.ndarray) -> np.ndarray:
        """What may stand beside the text: edges of the lines above and below, the back of the sheet, rules, a tint."""
        random = self._random
        if self._neighbours and random.random() < 0.12:
            other = self._neighbours[int(random.integers(len(self._neighbours)))]
            rows = int(random.integers(1, 4))
            if random.random() < 0.5:
                ink[:rows] = np.maximum(ink[:rows], other[HEIGHT - 3 - rows : HEIGHT - 3].astype(np.float32) / 255)
            else:
                ink[-rows:] = np.maximum(ink[-rows:], other[3 : 3 + rows].astype(np.float32) / 255)
        if self._neighbours and random.random() < 0.06:  # the back of the sheet, in the mirror
            other = self._neighbours[int(random.integers(len(self._neighbours)))][:, ::-1]
            behind = np.roll(other, int(random.integers(HEIGHT)), axis=0).astype(np.float32) / 255
            ink = np.maximum(ink, random.uniform(0.05, 0.25) * cv2.GaussianBlur(behind, (0, 0), random.uniform(0.5, 1.5)))
        if random.random() < 0.05:
            row = int(random.integers(HEIGHT - 4, HEIGHT)) if random.random() < 0.7 else int(random.integers(0, 2))
            ink[row : row + int(random.integers(1, 3))] = random.uniform(0.3, 1.0)
        if random.random() < 0.05:
            ink = np.maximum(ink, random.uniform(0.02, 0.25))
        return ink


def _seen(window: np.ndarray, spans: list[Span]) -> list[Span]:
    """Spans without the underscores that lie below the window: a gap is left of them."""
    seen: list[Span] = []
    for span in spans:
        if span.char == "_" and window[-UNDERSCORE_ROWS:, max(0, int(span.left)) : int(span.right) + 1].max(initial=0) < FAINTEST:
            span = replace(span, char=" ")
        if span.char != " " or seen and seen[-1].char != " ":
            seen.append(span)
    while seen and seen[-1].char == " ":
        seen.pop()
    return seen


def _line_limit(random: np.random.Generator) -> float:
    """How far a line reaches, in columns of the input: most are full, some are the short ends of paragraphs."""
    return float(random.uniform(12, WIDTH)) if random.random() < 0.15 else WIDTH + 14.0


@cache
def _ink_band(font: Font) -> tuple[float, float]:
    """Top and bottom of the ink of full Hanzi over the baseline, upwards, in em."""
    glyphs: list[Bitmap] = [font.bitmap(char, 100.0) for char in FULL_HANZI if font.has(char)]
    tops = [glyph.top / 100 for glyph in glyphs]
    bottoms = [(glyph.top - glyph.ink.shape[0]) / 100 for glyph in glyphs]
    return (max(tops), min(bottoms)) if glyphs else (0.85, -0.08)
