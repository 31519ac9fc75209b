"""The subcommand `line`: reads pictures of single lines, and shows what each character could be besides."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

import docrec
from docrec.cli.dictionary import Dictionary, alphabet
from docrec.cli.read import log_to_stderr
from docrec.document import Line
from docrec.options import DEVICES, ReadOptions

if TYPE_CHECKING:
    import numpy as np


@click.command()
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option("--top-k", type=click.IntRange(1, 100), metavar="N", help="Show the N likeliest characters for each position.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: for each picture its text, confidence, and characters.")
@click.option("--model", metavar="DIR", help="Model folder, or crnn-zh-hant for traditional characters.  [default: crnn-zh]")
@click.option("--device", type=click.Choice(DEVICES), default=DEVICES[0], show_default=True, help="Where the network runs.")
@click.option("-c", "--char-dict", metavar="JSON", help="Characters that may appear: code points and characters.")
@click.option("-o", "--ord-map", metavar="JSON", help="Characters that may appear: classes and code points.")
@click.pass_obj
def line(
    outer: Dictionary,
    images: tuple[str, ...],
    top_k: int | None,
    as_json: bool,
    model: str | None,
    device: str,
    char_dict: str | None,
    ord_map: str | None,
) -> None:
    """Read pictures of single lines of text, each whole as one line, and print a line of text for each.

    A picture has any size; it reads best if its edges lie close to the ink.
    """
    log_to_stderr()
    from docrec.pipeline import recognize_lines
    from docrec.source import open_source

    names: list[str] = []

    def pictures() -> "Iterator[np.ndarray]":
        for image in images:
            with open_source(image) as source:
                for page in source:
                    names.append(image)
                    yield page.gray

    recognizer = docrec.load(model, device=device, charset=alphabet(outer, Dictionary(char_dict, ord_map)))
    lines = recognize_lines(pictures(), recognizer, ReadOptions.batch_size, top_k or 0)
    if as_json:
        click.echo(json.dumps([_values(name, line) for line, name in zip(lines, names, strict=True)], ensure_ascii=False, indent=1))
        return
    for number, line in enumerate(lines):
        if not top_k:
            click.echo(line.text)
        elif sys.stdout.isatty():
            _show(names[number], line, top_k)
        else:
            for place, glyph in enumerate(line.glyphs, start=1):
                for char, confidence in glyph.ranking:
                    click.echo(f"{names[number]}\t{place}\t{char}\t{confidence:.6f}")


def _values(name: str, line: Line) -> dict[str, object]:
    """A line as JSON values; places are in pixels of the picture."""
    characters = [
        {
            "char": glyph.char,
            "confidence": glyph.confidence,
            "left": glyph.left,
            "right": glyph.right,
            "ranking": [{"char": char, "confidence": confidence} for char, confidence in glyph.ranking],
        }
        for glyph in line.glyphs
    ]
    return {"image": name, "text": line.text, "confidence": line.confidence, "characters": characters}


def _show(name: str, line: Line, count: int) -> None:
    """Show a line on the terminal: its text, and the likeliest characters for each position."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from docrec.cli.view import marked

    table = Table("", *(str(rank) for rank in range(1, count + 1)), box=None, header_style="dim")
    for place, glyph in enumerate(line.glyphs, start=1):
        table.add_row(str(place), *(Text.assemble(char, (f" {confidence:.2%}", "dim")) for char, confidence in glyph.ranking))
    console = Console(highlight=False)
    console.print(Text(f"{name}  ", "bold") + marked(line))
    console.print(table)
