#!/usr/bin/env python3
"""Make char_dict_cn.json and ord_map_cn.json, the alphabets of the bundled models, from public data.

    python data/make_char_dict.py                           that of crnn-zh, into data/char_dict
    python data/make_char_dict.py --traditional OUT_FOLDER  that of crnn-zh-hant, which has the same characters and traditional forms

Needs Unicode's Unihan database (Debian: package unicode-data). Classes are numbered in the order of code points.
"""

import bz2
import sys
from pathlib import Path

from docrec.charset import Charset, save_charset

UNIHAN = "/usr/share/unicode"
FOLDER = Path(__file__).parent / "char_dict"

# Hanzi of the CRNN_Tensorflow dictionary that are in neither standard: traditional forms, variants, rare characters.
EXTRA_HANZI = (
    "伻佈俛價兒冑刓剎劙匳叡唶嗛噉噭嚬垝墠妳姁娡寖寘峇巿張彊徳悞愛愬慙懜扢揜搢撝斲書榼歔歘殽沬洟滈爲珮琖産畑皁眛睒睪瞾碁磛秏紬"
    "縯纔罥耎胾脁腉臛菑蚡蟭袴裀襆讙豭贇趹踧踰蹻遫遶釂鈇鐘鑙開間闇闟霣鞚頫顒饦馎驩龏"
)
# Forms that Hong Kong, older print and converters of simplified text prefer to those of Big5.
EXTRA_TRADITIONAL = "裏説衞牀閲羣啓敍枱麪衆峯鋭藴齶糉嫺擡綫麽鷄塲厠税悦緑録尙閒眞值卽産户鈎歎俬舖嘅咗嚟冇佢喺嗰啲嘢殭囧滙鰂着擧"
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


def big5_frequent() -> set[str]:
    """The 5,401 Hanzi of Big5's first level, Taiwan's Chart of Standard Forms of Common National Characters."""
    pairs = (bytes((row, cell)).decode("big5", "ignore") for row in range(0xA4, 0xC7) for cell in range(0x40, 0xFF))
    return {char for char in pairs if "\u4e00" <= char <= "\u9fff"}


def unihan(table: str, name: str) -> dict[str, str]:
    """One property of Unicode's Unihan database, by character."""
    with bz2.open(f"{UNIHAN}/Unihan_{table}.txt.bz2", "rt", encoding="utf-8") as lines:
        rows = (line.rstrip("\n").split("\t") for line in lines if f"\t{name}\t" in line)
        return {chr(int(point[2:], 16)): value for point, _, value in rows}


def traditional(chars: set[str]) -> set[str]:
    """The traditional forms of characters, from Unihan's kTraditionalVariant."""
    variants = unihan("Variants", "kTraditionalVariant")
    return {chr(int(point[2:], 16)) for char in chars & variants.keys() for point in variants[char].split()}


if __name__ == "__main__":
    general_standard = set(unihan("OtherMappings", "kTGH"))  # 8,105 characters
    characters, folder = general_standard | gb2312() | set(EXTRA_HANZI) | set(SYMBOLS), FOLDER
    if sys.argv[1:2] == ["--traditional"]:
        characters |= traditional(gb2312()) | big5_frequent() | set(EXTRA_TRADITIONAL)
        folder = Path(sys.argv[2])
        folder.mkdir(parents=True, exist_ok=True)
    alphabet = Charset(tuple(sorted(characters)))
    save_charset(alphabet, folder / "char_dict_cn.json", folder / "ord_map_cn.json")
    print(f"{len(alphabet)} characters written to {folder}")
