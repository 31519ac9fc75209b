#!/usr/bin/env python3
"""Make a folder of text and one of fonts to train a model from, as examples/workshop.sh does:  python examples/make_workshop.py FOLDER

The text is that of the sample document and one page more; the font is MuPDF's own "china-s". Put your own in their place.
"""

import sys
from pathlib import Path

import pymupdf
from make_sample import PAGES

MORE = """山脚下的老人每天清早起来看云。他说云的样子可以告诉人许多事情：像鱼鳞的，三天之内要下雨；像棉花的，中午会热起来；
贴着山腰走的，下午多半有风。村里的年轻人不大相信，手机上的天气预报不是更准吗？老人也不争辩，只把晒在院子里的谷子收进屋去。
那天傍晚果然落了一场大雨，没有收谷子的人家忙得团团转。第二天，几个孩子跑来请他教看云。老人笑了，搬出一条长凳，
从东边的第一朵讲起，一直讲到太阳落山。他讲得很慢，孩子们听得很认真，连平时最坐不住的小刚也没有插嘴。
后来学校的老师知道了，请老人到课堂上去讲。他带了一本旧本子，里面记着四十年来的天气：哪年的雪最早，哪年的河水最高，
哪年的桃花开得最晚，都写得清清楚楚。"""


def main(folder: Path) -> None:
    """Write FOLDER/texts and FOLDER/fonts."""
    for name in ("texts", "fonts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    paragraphs = [paragraph for title, body in PAGES for paragraph in (title, *body)]
    (folder / "texts" / "sample.txt").write_text("\n".join([*paragraphs, MORE.replace("\n", "")]) + "\n", encoding="utf-8")
    (folder / "fonts" / "china-s.ttf").write_bytes(pymupdf.Font("china-s").buffer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
