"""Each format read by a reader, or checked by a checker, that others wrote."""

import csv
import io
import json as codec
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from lxml import etree
from markdown_it import MarkdownIt

from docrec.document import KINDS, Block, Box, Glyph, Line, Page, Scan
from docrec.options import WriteOptions
from docrec.writers import FORMATS

XHTML = {"h": "http://www.w3.org/1999/xhtml"}
ALTO = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}
XLINK = b"""<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/1999/xlink">
<xsd:attributeGroup name="simpleLink"/></xsd:schema>"""
"""Stands for the schema of XLink, which ALTO's names the address of and docrec uses nothing of."""


def line_of(text: str, left: float, top: float, height: float = 30, cell: tuple[int, int] | None = None, script: str = "") -> Line:
    """A level line of square characters; those of `script` are superscripts."""
    glyphs = (
        Glyph(char, left + height * i, left + height * (i + 1), 1 - i / 100, script=int(char in script)) for i, char in enumerate(text)
    )
    return Line(Box(left, top, left + height * len(text), top + height), tuple(glyphs), cell=cell)


def blocks() -> tuple[Block, ...]:
    """A block of every kind."""
    column = Line(Box(900, 300, 930, 420), tuple(Glyph(char, 300 + 30 * i, 330 + 30 * i, 0.8) for i, char in enumerate("竖排 字")), True)
    cells = [("甲", (0, 0)), ("乙|丙", (0, 1)), ("1", (1, 0)), ("上", (2, 1)), ("下", (2, 1))]
    return (
        Block("header", (line_of("页眉--注", 100, 20),)),
        Block("title", (line_of("标题", 300, 80, 50),)),
        Block("text", (line_of("第一 段<&>\"'2", 160, 200, script="2"), line_of("两 words", 100, 245))),
        Block("table", tuple(line_of(text, 100 + 300 * cell[1], 400 + 45 * i, cell=cell) for i, (text, cell) in enumerate(cells))),
        Block("caption", (line_of("表一", 300, 700),)),
        Block("formula", (line_of("a*b*c", 300, 760),)),
        Block("figure", (line_of("图中", 300, 820), line_of("文字", 300, 900))),
        Block("note", (line_of("旁注", 800, 760),)),
        Block("footnote", (line_of("1脚注", 100, 1200, 24, script="1"),)),
        Block("footer", (line_of("- 3 -", 500, 1350),)),
        Block("text", (column,)),
    )


def pages() -> list[Page]:
    """All kinds of blocks, on a page as given and on one that was turned and skewed, and a blank page."""
    turned = Scan(1400, 1000, (0.01, 1, 0, -1, 0.01, 1000, 0, 0, 1))
    return [
        Page(0, 1000, 1400, 200.0, blocks()),
        Page(4, 1000, 1400, 200.0, blocks(), ("turned by 90°",), turned),
        Page(0, 1000, 1400, 200.0, ()),
    ]


def written(format: str, pages: Iterable[Page], document: str | None = '书 & "卷".pdf') -> bytes:
    return b"".join(FORMATS[format](pages, WriteOptions(document, model="crnn-zh")))


def test_the_pages_here_have_blocks_of_all_kinds() -> None:
    assert {block.kind for block in blocks()} == set(KINDS)


# TSV


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode()), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_tsv_has_rows_of_all_levels() -> None:
    table = rows(written("tsv", pages()))
    assert list(table[0])[:7] == ["level", "page_num", "block_num", "par_num", "line_num", "word_num", "left"]
    assert {row["level"] for row in table} == set("12345")
    assert [row["page_num"] for row in table if row["level"] == "1"] == ["1", "5", "6"]
    words = [row for row in table if row["page_num"] == "1" and row["level"] == "5"]
    assert [row["text"] for row in words][2:6] == ["第一", "段<&>\"'²", "两", "words"]
    assert {row["conf"] for row in table if row["level"] != "5"} == {"-1"}
    assert words[2]["conf"] == "99.5"
    assert [words[2][key] for key in ("left", "top", "width", "height")] == ["160", "200", "60", "30"]


def test_tsv_places_are_on_the_page_as_given() -> None:
    table = rows(written("tsv", pages()))
    page, word = (next(row for row in table if row["page_num"] == "5" and row["level"] == level) for level in "15")
    assert [page["width"], page["height"]] == ["1400", "1000"]
    assert [word[key] for key in ("left", "top", "width", "height")] == ["21", "750", "31", "150"]


def test_tsv_of_no_pages_has_its_head() -> None:
    assert written("tsv", []).startswith(b"level\tpage_num")


# hOCR


def test_hocr_passes_its_checker(tmp_path: Path) -> None:
    def faults(content: bytes) -> list[str]:
        path = tmp_path / "out.hocr"
        path.write_bytes(content)
        command = [sys.executable, "-W", "ignore", "-m", "hocr_spec.cli", str(path)]
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        assert str(path) in shown
        return [row for row in shown.splitlines() if row.startswith("[ERROR]")]

    content = re.sub(rb"; x_(size|conf) [\d.]+", b"", written("hocr", pages()))  # Tesseract's, which other readers know
    assert faults(content) == []
    assert len(faults(content.replace(b'<p class="ocr_par"', b'<p class="ocr_page"', 1))) > 0


def test_hocr_is_xhtml_with_all_text_and_places() -> None:
    root = etree.fromstring(written("hocr", pages()))
    found = root.xpath("//h:div[@class='ocr_page']", namespaces=XHTML)
    assert [page.get("title") for page in found] == [
        'image "书 & "卷".pdf"; bbox 0 0 1000 1400; ppageno 0; scan_res 200 200',
        'image "书 & "卷".pdf"; bbox 0 0 1400 1000; ppageno 4; scan_res 200 200',
        'image "书 & "卷".pdf"; bbox 0 0 1000 1400; ppageno 0; scan_res 200 200',
    ]
    words = [["".join(word.itertext()) for word in page.xpath(".//h:span[@class='ocrx_word']", namespaces=XHTML)] for page in found]
    assert words[0] == words[1] == [word for block in blocks() for line in block.lines for word in line.text.split(" ")]
    assert words[2] == []
    assert len(set(root.xpath("//@id"))) == len(root.xpath("//@id"))


@pytest.mark.parametrize("page", pages()[:2])
def test_hocr_boxes_lie_in_one_another(page: Page) -> None:
    root = etree.fromstring(written("hocr", [page]))
    for element in root.xpath("//h:*[contains(@title, 'bbox')]", namespaces=XHTML):
        for inner in element.xpath("./h:*[contains(@title, 'bbox')]", namespaces=XHTML):
            outer_box, inner_box = (
                [int(edge) for edge in re.findall(r"b(?:box|boxes) (\d+) (\d+) (\d+) (\d+)", e.get("title"))[0]] for e in (element, inner)
            )
            assert outer_box[0] <= inner_box[0] < inner_box[2] <= outer_box[2], (element.get("id"), inner.get("id"))
            assert outer_box[1] <= inner_box[1] < inner_box[3] <= outer_box[3], (element.get("id"), inner.get("id"))


def test_hocr_tells_how_lines_lie() -> None:
    first, second, _ = etree.fromstring(written("hocr", pages())).xpath("//h:div[@class='ocr_page']", namespaces=XHTML)
    titles = [page.xpath(".//h:span[@class='ocr_line']/@title", namespaces=XHTML) for page in (first, second)]
    assert "; baseline 0.0000 -3.9; x_size 30.0" in titles[0][0]
    assert "textangle 90" in titles[1][0]
    assert "baseline" not in titles[0][-1]  # a vertical line has none
    skewed = Page(0, 1000, 1400, 200.0, blocks(), scan=Scan(1000, 1400, (1, 0, 0, 0.02, 1, 0, 0, 0, 1)))
    assert re.search(r"bbox 100 22 250 55; baseline 0\.0200 -6\.9;", written("hocr", [skewed]).decode())


# ALTO


@pytest.fixture(scope="module")
def alto_schema(resources: Path) -> etree.XMLSchema:
    class Resolver(etree.Resolver):
        def resolve(self, url: str, public_id: str, context: object) -> object:
            return self.resolve_string(XLINK, context) if url.endswith("xlink.xsd") else None

    parser = etree.XMLParser()
    parser.resolvers.add(Resolver())
    return etree.XMLSchema(etree.parse(resources / "alto-4-2.xsd", parser))


def test_alto_is_valid_by_the_schema_of_the_library_of_congress(alto_schema: etree.XMLSchema) -> None:
    root = etree.fromstring(written("alto", pages()))
    assert alto_schema.validate(root), alto_schema.error_log
    assert root.findtext(".//a:fileName", namespaces=ALTO) == '书 & "卷".pdf'
    root.find(".//a:String", ALTO).attrib.pop("CONTENT")
    assert not alto_schema.validate(root)


def test_alto_holds_all_text() -> None:
    root = etree.fromstring(written("alto", pages()))
    for page in root.findall(".//a:Page", ALTO)[:2]:
        strings = page.findall(".//a:String", ALTO)
        texts = [string.get("CONTENT") for string in strings]
        assert texts == [word for block in blocks() for line in block.lines for word in line.text.split(" ")]
        assert texts == ["".join(glyph.get("CONTENT") for glyph in string.findall("a:Glyph", ALTO)) for string in strings]
        assert [len(string.get("CC").split()) for string in strings] == list(map(len, texts))
    table = root.find(".//a:ComposedBlock", ALTO)
    assert table.get("TAGREFS") == "kind_table"
    assert [len(cell.findall("a:TextLine", ALTO)) for cell in table.findall("a:TextBlock", ALTO)] == [1, 1, 1, 2]


def test_alto_of_no_pages_is_xml() -> None:
    assert etree.fromstring(written("alto", [], None)).find("a:Layout", ALTO) is not None


def test_alto_places_are_on_the_page_as_given() -> None:
    (block,) = etree.fromstring(written("alto", pages()[1:2])).xpath("//a:TextBlock[@TAGREFS='kind_title']", namespaces=ALTO)
    assert [block.get(key) for key in ("HPOS", "VPOS", "WIDTH", "HEIGHT", "ROTATION")] == ["83", "601", "51", "100", "90"]
    assert block.find(".//a:Polygon", ALTO).get("POINTS") == "83.0,700.8 84.0,600.8 134.0,601.3 133.0,701.3"


def test_a_name_that_xml_cannot_hold() -> None:
    for format in ("alto", "hocr", "json"):
        content = written(format, pages(), "\udcff\x01.pdf")
        assert b"?" in content
        if format != "json":
            etree.fromstring(content)


# JSON


def test_json_keeps_to_its_schema() -> None:
    schema = codec.loads(files("docrec.writers").joinpath("docrec.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    document = codec.loads(written("json", pages()))
    assert list(validator.iter_errors(document)) == []
    assert set(schema["$defs"]["block"]["properties"]["kind"]["enum"]) == set(KINDS)
    described = {name: set(part["properties"]) for name, part in schema["$defs"].items() if "properties" in part}
    page = document["pages"][1]
    assert described["page"] == set(page)
    assert described["scan"] == set(page["scan"])
    assert described["block"] == set(page["blocks"][0])
    assert described["line"] == set(page["blocks"][0]["lines"][0])
    assert described["character"] == set(page["blocks"][0]["lines"][0]["characters"][0])
    page["blocks"][0]["kind"] = "poem"
    assert len(list(validator.iter_errors(document))) == 1


# Markdown


def html(content: bytes) -> str:
    return MarkdownIt("commonmark").enable("table").render(content.decode())


def test_markdown_of_every_kind() -> None:
    shown = html(written("md", pages()[:1]))
    assert re.findall(r"<!-- .* -->", shown) == ["<!-- page 1 -->", "<!-- header: 页眉- -注 -->", "<!-- footer: - 3 - -->"]
    assert "<h1>标题</h1>" in shown
    assert "<p>第一 段&lt;&amp;&gt;&quot;'<sup>2</sup>两 words</p>" in shown
    assert re.findall(r"<t[hd]>(.*)</t[hd]>", shown) == ["甲", "乙|丙", "1", "", "", "上下"]
    assert "<p>a*b*c</p>" in shown
    assert "<blockquote>\n<p>图中<br />\n文字</p>\n</blockquote>" in shown
    assert "<p><sup>1</sup>脚注</p>" in shown


def test_a_footnote_is_no_item_of_a_list() -> None:
    page = Page(0, 1000, 1400, 200.0, (Block("footnote", (line_of("① 注", 100, 1200), line_of("② 注", 100, 1245))),))
    assert html(written("md", [page])) == "<!-- page 1 -->\n<p>① 注</p>\n<p>② 注</p>\n"


def test_markdown_titles_are_ranked_by_size() -> None:
    text = Block("text", (line_of("正文正文正文", 100, 600),))
    titles = [Block("title", (line_of("题", 300, 100 * row, size),)) for row, size in enumerate((60, 43, 36, 30))]
    shown = html(written("md", [Page(0, 1000, 1400, 200.0, (*titles, text)), Page(1, 1000, 1400, 200.0, tuple(titles[1:2]))]))
    assert re.findall(r"<h(\d)>", shown) == ["1", "2", "3", "4", "2"]


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["1. 甲", "2. 乙"], "<ol>\n<li>甲</li>\n<li>乙</li>\n</ol>"),
        (["3、甲", "4、乙"], '<ol start="3">\n<li>甲</li>\n<li>乙</li>\n</ol>'),
        (["• 甲", "– 乙"], "<ul>\n<li>甲</li>\n<li>乙</li>\n</ul>"),
        (["（1）甲", "一、乙"], "<ul>\n<li>（1）甲</li>\n<li>一、乙</li>\n</ul>"),
        (["• 甲", "3. 乙"], '<ul>\n<li>甲</li>\n</ul>\n<ol start="3">\n<li>乙</li>\n</ol>'),
        (["1.5 米"], "<p>1.5 米</p>"),
        (["1984. 乔治"], "<p>1984. 乔治</p>"),
        (["# 井号"], "<p># 井号</p>"),
        (["---"], "<p>---</p>"),
        (["==="], "<p>===</p>"),
        (["+ 加"], "<p>+ 加</p>"),
        (["> 大于"], "<p>&gt; 大于</p>"),
        (["a_b_c *d* `e` [f](g) <b> &lt; \\ ~~h~~"], "<p>a_b_c *d* `e` [f](g) &lt;b&gt; &amp;lt; \\ ~~h~~</p>"),
        (["| 甲 | 乙 |", "|---|---|"], "<p>| 甲 | 乙 |</p>\n<p>|---|---|</p>"),
        (["    四格"], "<p>四格</p>"),
    ],
)
def test_markdown_says_what_stands_there(texts: list[str], shown: str) -> None:
    page = Page(0, 1000, 1400, 200.0, tuple(Block("text", (line_of(text, 100, 100 * row),)) for row, text in enumerate(texts)))
    assert html(written("md", [page])) == f"<!-- page 1 -->\n{shown}\n"
