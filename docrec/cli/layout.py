"""The subcommand `layout`: draws over a page what was found on it, so that a person can check it."""

import click

from docrec.cli.read import log_to_stderr
from docrec.options import DPI_RANGE, LAYOUTS, ReadOptions


@click.command()
@click.argument("document", metavar="PAGE")
@click.option("-o", "--output", metavar="PNG", required=True, help="Picture to write.")
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Which page of the document.")
@click.option("--layout", type=click.Choice(LAYOUTS), default=ReadOptions.layout, show_default=True, help="What is known of the page.")
@click.option("--dpi", type=int, metavar="N", help=f"Pixels per inch that a PDF page is rendered at, {DPI_RANGE[0]} to {DPI_RANGE[1]}.")
@click.option("--password", metavar="TEXT", default=ReadOptions.password, help="Password of an encrypted PDF.")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens to standard error.")
def layout(document: str, output: str, page: int, layout: str, dpi: int | None, password: str, verbose: bool) -> None:
    """Draw over a page, clean and straight, what is found on it: blocks by kind, lines, the cuts between their chunks, and the order.

    PAGE is a picture or a PDF. Numbers count lines in the order of reading, in which the green arrows lead; orange is where the pieces
    overlap that the recogniser is given.
    """
    log_to_stderr(verbose=verbose)
    import cv2

    from docrec.layout import find_blocks
    from docrec.overlay import draw_layout
    from docrec.pipeline import prepare
    from docrec.source import open_source
    from docrec.writers.replace import replacing

    with open_source(document, ReadOptions(pages=str(page), dpi=dpi, password=password, layout=layout)) as source:
        (image,) = map(prepare, source)
    picture = draw_layout(image.gray, find_blocks(image, layout))
    with replacing(output) as file:
        file.write(cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes())
