"""TSV in the columns of Tesseract: pages, blocks, paragraphs, lines and words, a row each, with their places on the page as given."""

from collections.abc import Iterable, Iterator

from docrec.document import Block, Page
from docrec.options import WriteOptions
from docrec.writers.paragraphs import block_to_paragraphs
from docrec.writers.words import Rectangle, given_size, glyphs_to_box, line_to_words, numbered, to_given

COLUMNS = ("level", "page_num", "block_num", "par_num", "line_num", "word_num", "left", "top", "width", "height", "conf", "text")
CONFIDENCE_DIGITS = 2  # of 0 to 100


def tsv(pages: Iterable[Page], options: WriteOptions) -> Iterator[bytes]:
    """Levels 1 to 5 are pages to words; `conf` is 0 to 100, and -1 above words. Nothing is quoted: read it so, as Tesseract's."""
    head = "\t".join(COLUMNS) + "\n"
    for number, page in numbered(pages):
        yield (head + "".join(_rows(number, page))).encode()
        head = ""
    yield head.encode()


def _rows(number: int, page: Page) -> Iterator[str]:
    yield _row(1, (number, 0, 0, 0, 0), (0, 0, *given_size(page)))
    for block_number, block in enumerate(page.blocks, start=1):
        yield _row(2, (number, block_number, 0, 0, 0), to_given(page, block.box))
        for par_number, paragraph in enumerate(block_to_paragraphs(block, page), start=1):
            place = to_given(page, Block(block.kind, paragraph.lines).box)
            yield _row(3, (number, block_number, par_number, 0, 0), place)
            for line_number, line in enumerate(paragraph.lines, start=1):
                yield _row(4, (number, block_number, par_number, line_number, 0), to_given(page, line.box))
                for word_number, word in enumerate(line_to_words(line), start=1):
                    conf = round(100 * sum(glyph.confidence for glyph in word) / len(word), CONFIDENCE_DIGITS)
                    numbers = number, block_number, par_number, line_number, word_number
                    text = "".join(glyph.text for glyph in word)
                    yield _row(5, numbers, to_given(page, glyphs_to_box(line, word)), conf, text)


def _row(level: int, numbers: tuple[int, ...], place: Rectangle, conf: float = -1, text: str = "") -> str:
    left, top, right, bottom = place
    return "\t".join(map(str, (level, *numbers, left, top, right - left, bottom - top, conf, text))) + "\n"
