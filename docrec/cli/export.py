"""The subcommand `export`: writes a model in the form of another runtime."""

import os
from pathlib import Path

import click

from docrec.errors import InputFileError
from docrec.options import EXPORT_FORMS, QUANTIZATIONS, SERVING_SIGNATURES, ExportOptions
from docrec.resources import sample_document


@click.command()
@click.option("--to", type=click.Choice(EXPORT_FORMS), required=True, help="The form: for TensorFlow Serving, LiteRT or an ONNX runtime.")
@click.option("--out", required=True, metavar="DIR", help="New folder for it; for a SavedModel, the folder of its versions.")
@click.option("--model", metavar="DIR", help="Model folder, or crnn-zh-hant for traditional characters.  [default: crnn-zh]")
@click.option("--version", type=int, default=ExportOptions.version, help="Of the SavedModel.  [default: the next free one]")
@click.option(
    "--signature",
    type=click.Choice(SERVING_SIGNATURES),
    default=ExportOptions.signature,
    show_default=True,
    help="What the SavedModel answers with where a client names no signature; it has both.",
)
@click.option(
    "--quantize",
    type=click.Choice(QUANTIZATIONS),
    default=ExportOptions.quantize,
    show_default=True,
    help="Weights of LiteRT; with int8, activations are quantised as they come.",
)
@click.option("--lines", metavar="FILE", help="PDF or image whose lines it must read as the original does.  [default: docrec's sample]")
@click.option("--no-check", is_flag=True, help="Do not read it back.")
@click.option("--measure", "labelled", metavar="DATA", help="Labelled lines to count wrong characters on, of the original and of this.")
def export(
    to: str,
    out: str,
    model: str | None,
    version: int | None,
    signature: str,
    quantize: str,
    lines: str | None,
    no_check: bool,
    labelled: str | None,
) -> None:
    """Export a model: it is read back by its own runtime in a fresh process, and must agree with the original.

    The folder's signature.json says what goes in and what comes out.
    """
    options = ExportOptions(to, version, signature, quantize)
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    import docrec.export as exporting
    from docrec.bundle import load_bundle

    bundle = load_bundle(model)
    images = dataset = None
    if labelled:
        from docrec.training.datasets import open_dataset

        dataset = open_dataset(labelled, bundle.charset)
    if not no_check:
        document = lines or sample_document()
        if not document:
            raise InputFileError("an export is compared on lines of text, and the sample is only in a checkout; name a PDF with --lines")
        images = exporting.document_to_images(document)
    path, agreement = exporting.export(bundle, out, options, images)
    click.echo(f"{path}: {_megabytes(path):.1f} MB", err=True)
    if agreement:
        alike = f"reads {agreement.alike} of {agreement.pictures} pieces of lines as the original does"
        click.echo(f"{alike}; confidences differ by at most {agreement.difference:.4f}", err=True)
    if dataset:
        accuracy = exporting.measure(bundle, path, dataset)
        rates = (f"{edits / max(accuracy.characters, 1):.3%}" for edits in (accuracy.original, accuracy.exported))
        counted = f"{accuracy.lines} lines ({accuracy.skipped} skipped), {accuracy.characters} characters"
        click.echo("wrong characters: original {}, export {}, on ".format(*rates) + counted, err=True)


def _megabytes(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
