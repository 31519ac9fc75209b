#!/usr/bin/env python3
"""Make the sample documents beside this script: sample.pdf, two pages, and sample.png, its first page as a picture.

    python examples/make_sample.py [FOLDER]

Type is MuPDF's own "china-s" (Droid Sans Fallback, Apache-2.0), embedded as far as it is used.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pymupdf

PAGES = (
    (
        "巷口的旧书店",
        (
            "我家附近的巷口有一间旧书店，门面很窄，招牌上的漆已经剥落，只剩下一个“书”字还看得清楚。店主姓林，六十多岁，"
            "戴一副圆框眼镜，说话慢条斯理。他从不招呼客人，只在柜台后面修补破损的书页，偶尔抬起头来，朝门外的梧桐树望一会儿。",
            "书架从地板一直顶到天花板，分类全凭他自己的心意：地理和菜谱放在一起，因为“都是教人怎样过日子的”；"
            "诗集靠着窗户，理由是“诗需要光”。我第一次去的时候，在最下面一层翻到一本1983年出版的植物图鉴，里面夹着一片压平的银杏叶，"
            "旁边用铅笔写着一行小字：十月十七日，阴，与父亲同游西山。",
            "后来店里也装了Wi-Fi，林先生却仍旧用算盘结账。有人劝他把书目做成Excel表格，放到网上去卖，他笑着摇头：“找书这件事，"
            "慢一点才有意思。”我想他说得对。一本书在等一个人，一个人也在等一本书，谁也不必着急。",
            "去年冬天，书店的暖气坏了三天，老主顾们轮流提着热水瓶来看他。那几天卖出去的书反而比平时多，大家都说，"
            "冷的时候，更应该读一点温暖的东西。",
        ),
    ),
    (
        "机器怎样认字",
        (
            "让机器读懂一页印刷的文字，大致要经过四个步骤。第一步是看清：把扫描得歪斜、发灰的页面扶正，让纸变白，让墨变黑。"
            "第二步是分行：沿着水平方向把墨点累加起来，有字的地方隆起，行与行之间凹下去，就像从侧面看一排梯田。",
            "第三步最难。程序把每一行缩放到同样的高度，交给一个神经网络；网络从左到右扫过去，在每个位置回答“这里是什么字”。"
            "这种做法叫作CRNN，前半部分用卷积提取笔画的形状，后半部分用LSTM参考左右的邻居，最后由CTC去掉重复和空白，"
            "得到一串文字。全部计算都在本机完成，不需要联网。",
            "最后一步是整理：把各行按照阅读的顺序排好，记下每个字的位置和把握的大小。凡是把握不足的字，程序会做上记号，"
            "请人再看一眼。毕竟“己”“已”“巳”三个字的差别，有时连人也要凑近了才能分辨。",
            "汉字的数目比字母多得多，《通用规范汉字表》收字8105个，其中一级字3500个，足够应付日常的书报。"
            "机器要把它们一一分清，靠的不是死记硬背，而是见过足够多的样子：粗的、细的、端正的、潦草的、印得浓的和印得淡的。",
        ),
    ),
)
"""(title, paragraphs) of each page."""

PAPER = pymupdf.paper_rect("a4")
MARGIN = 72
TITLE_SIZE, BODY_SIZE, LEADING = 20, 12, 21
"""Points."""

PICTURE_DPI = 200
INDENT = "\u3000\u3000"
TOKEN = re.compile(r"[“《（]*(?:[A-Za-z0-9-]+|.)[，。：；、？！”》）]*")
"""What a line must not be broken inside: a word, or one character, with the punctuation that clings to it."""


def body_lines(paragraph: str, font: pymupdf.Font) -> Iterator[str]:
    """Break a paragraph into lines that fit between the margins; the first one is indented by two characters."""
    line = INDENT
    for token in TOKEN.findall(paragraph):
        if font.text_length(line + token, BODY_SIZE) > PAPER.width - 2 * MARGIN:
            yield line
            line = ""
        line += token
    yield line


def make_pdf(path: Path) -> None:
    """Write the sample PDF."""
    font = pymupdf.Font("china-s")
    with pymupdf.open() as document:
        for number, (title, paragraphs) in enumerate(PAGES, start=1):
            page = document.new_page(width=PAPER.width, height=PAPER.height)
            writer = pymupdf.TextWriter(page.rect)
            top = MARGIN + TITLE_SIZE
            centered = (PAPER.width - font.text_length(title, TITLE_SIZE)) / 2
            writer.append((centered, top), title, font=font, fontsize=TITLE_SIZE)
            top += 2 * LEADING
            for paragraph in paragraphs:
                for line in body_lines(paragraph, font):
                    writer.append((MARGIN, top), line, font=font, fontsize=BODY_SIZE)
                    top += LEADING
            writer.append((PAPER.width / 2, PAPER.height - MARGIN / 2), str(number), font=font, fontsize=BODY_SIZE)
            writer.write_text(page)
        document.subset_fonts()
        document.save(path, garbage=4, deflate=True, no_new_id=True)


def make_picture(pdf: Path, path: Path) -> None:
    """Write the first page of a PDF as a grey PNG."""
    with pymupdf.open(pdf) as document:
        document[0].get_pixmap(dpi=PICTURE_DPI, colorspace=pymupdf.csGRAY).save(path)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    make_pdf(folder / "sample.pdf")
    make_picture(folder / "sample.pdf", folder / "sample.png")
