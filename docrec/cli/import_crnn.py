"""The subcommand `import-crnn`: makes a model folder from a checkpoint of CRNN_Tensorflow."""

import os
from importlib.util import find_spec

import click

from docrec.charset import load_charset
from docrec.cli.dictionary import Dictionary, settle
from docrec.errors import MissingDependencyError, OptionError


@click.command("import-crnn")
@click.argument("checkpoint")
@click.option("-c", "--char-dict", metavar="JSON", help="Dictionary the model was trained with: code points and characters.")
@click.option("-o", "--ord-map", metavar="JSON", help="Dictionary the model was trained with: classes and code points.")
@click.option("--out", required=True, metavar="DIR", help="Folder for the model.", type=click.Path(file_okay=False))
@click.pass_obj
def import_crnn(outer: Dictionary, checkpoint: str, char_dict: str | None, ord_map: str | None, out: str) -> None:
    """Make a model folder from a checkpoint of CRNN_Tensorflow.

    CHECKPOINT is a path such as model/shadownet.ckpt, one of the files of that name, or the folder that they are in. The model has the
    same network and decoding, and reads with `docrec pdf --model DIR` as any other.
    """
    dictionary, _ = settle(outer, Dictionary(char_dict, ord_map), None, ())
    if not (dictionary.char_dict and dictionary.ord_map):
        raise OptionError("a checkpoint does not say what its classes are: name the dictionary it was trained with, by -c and -o")
    charset = load_charset(dictionary.char_dict, dictionary.ord_map)
    if missing := [name for name in ("tensorflow", "onnx") if not find_spec(name)]:
        raise MissingDependencyError(f"the import needs the packages {', '.join(missing)}, which are not installed; install docrec[train]")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    from docrec import import_crnn

    bundle, difference = import_crnn.import_crnn(checkpoint, charset, out)
    agreement = f"its outputs on ONNX Runtime and in Keras differ by {difference:.1e} at most"
    click.echo(f"model of {len(charset)} characters written to {bundle.folder}; {agreement}", err=True)
