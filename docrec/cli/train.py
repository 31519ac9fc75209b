"""The subcommand `train`: makes a model folder from text and fonts."""

import logging
import os
from importlib.util import find_spec
from pathlib import Path

import click

from docrec.charset import Charset, load_charset
from docrec.errors import MissingDependencyError, OptionError
from docrec.options import PRECISIONS, TrainOptions
from docrec.resources import char_dict_folder


@click.command(epilog="Stop it with Ctrl-C and give the same command again: it goes on where it stopped.")
@click.option("--text", multiple=True, required=True, metavar="PATH", help="File or folder of text; may be given again.")
@click.option("--fonts", multiple=True, required=True, metavar="DIR", help="Folder of fonts; may be given again.")
@click.option("--minutes", type=click.FloatRange(min=0), required=True, help="Time to train for, over all runs.")
@click.option("--model", required=True, metavar="DIR", help="Folder for the model, made when the time is used up.")
@click.option("--run", "run_folder", required=True, metavar="DIR", help="Folder for the state of training.")
@click.option("-c", "--char-dict", metavar="JSON", help="Alphabet: code points and characters.  [default: the bundled model's]")
@click.option("-o", "--ord-map", metavar="JSON", help="Alphabet: classes and code points.")
@click.option("--precision", type=click.Choice(PRECISIONS), default=PRECISIONS[0], show_default=True, help="Precision of arithmetic.")
@click.option("--batch-size", type=int, default=TrainOptions.batch_size, show_default=True, help="Lines in a step.")
@click.option("--ctc-share", type=float, default=TrainOptions.ctc_share, show_default=True, help="Last part of the time, which CTC gets.")
@click.option("--workers", type=int, default=TrainOptions.workers, show_default=True, help="Processes that render lines.")
@click.option("--seed", type=int, default=TrainOptions.seed, show_default=True, help="Of all random numbers.")
def train(
    text: tuple[str, ...],
    fonts: tuple[str, ...],
    minutes: float,
    model: str,
    run_folder: str,
    char_dict: str | None,
    ord_map: str | None,
    precision: str,
    batch_size: int,
    ctc_share: float,
    workers: int,
    seed: int,
) -> None:
    """Train a recogniser on lines rendered from text and fonts.

    Runs on TensorFlow, PyTorch or JAX, as the environment variable KERAS_BACKEND says; PyTorch is the fastest on a CPU.
    """
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    options = TrainOptions(text, fonts, minutes, ctc_share, batch_size, precision=precision, workers=workers, seed=seed)
    if missing := [name for name in ("keras", "freetype", "onnx") if not find_spec(name)]:
        raise MissingDependencyError(f"training needs the packages {', '.join(missing)}, which are not installed; install docrec[train]")
    charset = _alphabet(char_dict, ord_map)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    from docrec.bundle import save_bundle
    from docrec.network import NetworkConfig
    from docrec.training.fit import fit_to_running_text
    from docrec.training.fit import train as fit

    config = NetworkConfig(len(charset))
    network = fit(options, config, charset, Path(run_folder))
    fit_to_running_text(network, options, charset)
    bundle = save_bundle(model, charset, config, network.backbone, network.classifier)
    click.echo(f"model written to {bundle.folder}", err=True)


def _alphabet(char_dict: str | None, ord_map: str | None) -> Charset:
    if bool(char_dict) != bool(ord_map):
        raise OptionError("-c and -o name the two halves of an alphabet; give both, or neither for the bundled model's")
    folder = char_dict_folder()
    return load_charset(char_dict or folder / "char_dict_cn.json", ord_map or folder / "ord_map_cn.json")
