"""The subcommand `train`: makes a model folder from lines, rendered or recorded."""

import json
import os
from dataclasses import fields
from typing import Any, get_type_hints

import click
from click.core import ParameterSource

from docrec.cli.data import require
from docrec.cli.dictionary import Dictionary, alphabet, bundled_alphabet, merged
from docrec.options import TrainOptions

SHORT = {"char_dict": "-c", "ord_map": "-o"}
NEEDED = ("keras", "freetype", "google_crc32c", "onnx", "rapidfuzz", "tensorboard", "tomli_w")


def _options() -> list[click.Parameter]:
    """An option for each field of TrainOptions, and those that only the command has."""
    types = get_type_hints(TrainOptions)
    options: list[click.Parameter] = []
    for field in fields(TrainOptions):
        kind, text, default = types[field.name], field.metadata["help"], field.default
        names = [*([SHORT[field.name]] if field.name in SHORT else []), "--" + field.name.replace("_", "-")]
        many = kind == tuple[str, ...]
        if default not in ((), "", 0):
            shown = ",".join(map(str, default)) if isinstance(default, tuple) else f"{default:g}" if isinstance(default, float) else default
            text += f"  [default: {shown}]"
        choices = field.metadata["choices"]
        shape: Any = click.Choice(choices) if choices else str if many else Numbers() if kind == tuple[int, ...] else kind
        options.append(click.Option(names, type=shape, multiple=many, default=default, metavar=field.metadata["metavar"], help=text))
    return [
        click.Option(["--config"], metavar="TOML", help="File of settings, as is saved with every model; options given besides count."),
        *options,
        click.Option(["--tensorboard"], metavar="DIR", help="Folder for TensorBoard's event files.  [default: none are written]"),
        click.Option(["-q", "--quiet"], is_flag=True, help="Show nothing but errors."),
    ]


class Numbers(click.ParamType):
    """Whole numbers separated by commas."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(map(int, value.split(",")))
        except ValueError:
            self.fail(f"must be whole numbers separated by commas, got {value!r}", param, ctx)


@click.pass_context
def _train(ctx: click.Context, config: str | None, tensorboard: str | None, quiet: bool, **values: Any) -> None:
    require(*NEEDED)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    from docrec.training.settings import FILE, read_settings, settings_to_toml

    dictionary = merged(ctx.obj, Dictionary(values.pop("char_dict"), values.pop("ord_map")))
    given = {name: value for name, value in values.items() if ctx.get_parameter_source(name) != ParameterSource.DEFAULT}
    given |= {name: path for name in SHORT if (path := getattr(dictionary, name))}
    options = TrainOptions(**(read_settings(config) if config else {}) | given)
    charset = alphabet(Dictionary(), Dictionary(options.char_dict, options.ord_map)) or bundled_alphabet()

    from docrec.bundle import load_bundle, save_bundle
    from docrec.cli.train_view import TrainView
    from docrec.ngrams import NONE
    from docrec.training.board import Board
    from docrec.training.fit import Watcher, blend, fit_to_running_text, train
    from docrec.writers.replace import replacing, writing_to

    start = load_bundle(options.fine_tune) if options.fine_tune else None
    boards: list[Watcher] = [Board(tensorboard)] if tensorboard else []
    with TrainView(options, quiet) as view:
        network, progress = train(options, charset, start, (view, *boards))
    if start and options.blend:
        blend(network, start, charset, options.blend)
    shift, ngrams = fit_to_running_text(network, options, charset, start)
    if ngrams is None:
        ngrams = start.ngrams() if start else NONE
    with writing_to(options.model):
        bundle = save_bundle(options.model, charset, network.config, network.backbone, network.classifier, shift, ngrams)
    metrics = {"steps": progress.step, "seconds": round(progress.seconds), "losses": progress.losses, "validations": progress.validations}
    for name, content in ((FILE, settings_to_toml(options)), ("metrics.json", json.dumps({"training": metrics}) + "\n")):
        with replacing(bundle.folder / name) as file:
            file.write(content.encode())
    view.summarize(bundle.folder, progress)


train = click.Command(
    "train",
    params=_options(),
    callback=_train,
    help="""Train a recogniser on lines that are rendered from text and fonts, or were labelled before.

    Runs on TensorFlow, PyTorch or JAX, as the environment variable KERAS_BACKEND says; PyTorch is the fastest on a CPU.""",
    epilog="Stop it however you like and give the same command again: it goes on where its state was last saved.",
)
