#!/usr/bin/env python3
"""Make data/char_dict/char_dict_cn.json and ord_map_cn.json, the alphabet of the bundled model, from public data.

    python data/make_char_dict.py [Unihan_OtherMappings.txt.bz2]

Needs Unicode's Unihan database (Debian: package unicode-data). Classes are numbered in the order of code points.
"""

import bz2
import sys
from pathlib import Path

from docrec.charset import Charset, save_charset

UNIHAN = "/usr/share/unicode/Unihan_OtherMappings.txt.bz2"
FOLDER = Path(__file__).parent / "char_dict"

# Hanzi of the CRNN_Tensorflow dictionary that are in neither standard: traditional forms, variants, rare characters.
EXTRA_HANZI = (
    "伻佈俛價兒冑刓剎劙匳叡唶嗛噉噭嚬垝墠妳姁娡寖寘峇巿張彊徳悞愛愬慙懜扢揜搢撝斲書榼歔歘殽沬洟滈爲珮琖産畑皁眛睒睪瞾碁磛秏紬"
    "縯纔罥耎胾脁腉臛菑蚡蟭袴裀襆讙豭贇趹踧踰蹻遫遶釂鈇鐘鑙開間闇闟霣鞚頫顒饦馎驩龏"
)
SYMBOLS = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "¡¢£¥¦©«¬®¯²³´µ¶·¸¹»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßâãäåæçëîïñôõöøûýÿńňǹḿŒœŠšŽžŁłɑɡˆ˙˚˜ϵϑφϕ"
    + "–—‐‚„†‡•‧‹›‱⁰⁴⁵⁶⁷⁸⁹⁺⁻ⁿ₀₁₂₃₄₅₆₇₈₉€™Ωℓ℉ℝℕℤ⅓⅔ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹ"
    + "↔↕↖↗↘↙↩⇐⇒⇔∀∂∃∅∆∇∉∋−∓∗∘∟∣∬∮∼≅≈≜≦≧≪≫⊂⊃⊆⊇⊕⊗⋅⋮⋯⟨⟩"
    + "⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳❶❷❸❹❺❻❼❽❾❿㊣㎎㎏㎜㎝㎞㎡㎥㏄"
    + "═║╱╲╳▁█▌▏░▒▓▪▫▬▶▷▸▼▽◀◁◊◦☆☎☐☑☒☞☺♠♡♢♣♤♥♦♪♫✓✔✕✗✘✦➢➤〝〞〖〗﹏︰﹐﹑﹒﹔﹖␣∎ー々〆〇"
)


def gb2312() -> set[str]:
    """All 7,445 characters of GB 2312, but for the wide space, which prints nothing."""
    pairs = (bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return {char for char in pairs if char} - {"\u3000"}


def general_standard(path: str) -> set[str]:
    """The 8,105 characters of the Table of General Standard Chinese Characters, from Unihan's kTGH."""
    with bz2.open(path, "rt", encoding="utf-8") as lines:
        return {chr(int(line.split("\t")[0][2:], 16)) for line in lines if "\tkTGH\t" in line}


if __name__ == "__main__":
    table = general_standard(sys.argv[1] if len(sys.argv) > 1 else UNIHAN)
    alphabet = Charset(tuple(sorted(table | gb2312() | set(EXTRA_HANZI) | set(SYMBOLS))))
    save_charset(alphabet, FOLDER / "char_dict_cn.json", FOLDER / "ord_map_cn.json")
    print(f"{len(alphabet)} characters written to {FOLDER}")
