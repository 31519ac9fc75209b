"""The subcommand `batch`: read many documents at once, and show how far it is."""

import json
import logging
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from docrec.charset import load_charset
from docrec.cli.data import JOBS
from docrec.cli.dictionary import Dictionary, settle
from docrec.cli.read import OPTIONS, first_line, log_to_stderr
from docrec.errors import ExitCode
from docrec.options import ReadOptions

if TYPE_CHECKING:
    from docrec.batch import Pool, Reading

NOT_OF_MANY = ("names", "output", "formats", "sidecar")
"""Options of `pdf` and `image` that `batch` does not have, or has in another way."""


class _Batch(click.Command):
    """A command that has the options of reading too."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params += [option for option in OPTIONS if option.name not in NOT_OF_MANY]


@click.command(cls=_Batch)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--out-dir", metavar="DIR", required=True, help="Folder of the outputs, which lie in it as the documents do in theirs.")
@click.option("-f", "--format", "formats", metavar="LIST", default="txt", show_default=True, help="Formats to write of each document.")
@JOBS
@click.option("--timeout", type=click.FloatRange(0), default=0.0, metavar="SECONDS", help="Give up a document when a page takes longer.")
@click.option("--summary", metavar="FILE", help="Write what became of each document as JSON.")
@click.option("--watch", is_flag=True, help="Go on looking for new and changed documents, until Ctrl-C.")
@click.option("--ray", metavar="auto|ADDRESS", help="Read on this Ray cluster, whose nodes share the file system, not with -j processes.")
@click.pass_context
def batch(
    ctx: click.Context,
    paths: tuple[str, ...],
    out_dir: str,
    formats: str,
    jobs: int,
    timeout: float,
    summary: str | None,
    watch: bool,
    ray: str | None,
    char_dict: str | None,
    ord_map: str | None,
    model: str | None,
    device: str,
    paragraphs: bool,
    password_file: str | None,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Read many documents: files, folders with all that is in them, and patterns such as "scans/**/*.pdf".

    What is done is noted among the outputs: the same command, given again, goes on where the last one was stopped, within a document too,
    and reads what is new, what has changed, and what could not be read.
    """
    log_to_stderr(quiet, verbose)
    from docrec.batch import Journal, Reading, Watch, find_jobs, run
    from docrec.cli.batch_view import BatchView
    from docrec.writers.replace import replacing

    if password_file is not None:
        options["password"] = first_line(password_file)
    dictionary, _ = settle(ctx.obj, Dictionary(char_dict, ord_map), None, ())
    charset = load_charset(dictionary.char_dict, dictionary.ord_map) if dictionary.char_dict and dictionary.ord_map else None
    read = ReadOptions(**{field.name: options[field.name] for field in fields(ReadOptions)})
    level = logging.getLogger("docrec").level
    reading = Reading(read, formats, paragraphs, model, device, charset, log_level=level)
    found = find_jobs(paths, out_dir, formats)
    look = Watch(lambda: find_jobs(paths, out_dir, formats)) if watch else None
    view = BatchView(None if watch else len(found), quiet)
    try:
        with _pool(ray, reading, jobs) as pool, Journal(out_dir, reading) as journal, view:
            try:
                with closing(run([] if watch else found, journal, pool, timeout, look)) as events:
                    for event in events:
                        view.show(event)
            finally:
                if summary:
                    with replacing(summary) as file:
                        file.write((json.dumps(view.summary(reading), ensure_ascii=False, indent=1) + "\n").encode())
    except KeyboardInterrupt:
        view.say("stopped; the same command goes on from here")
        raise
    view.summarize(out_dir)
    if view.counts["failed"]:
        ctx.exit(ExitCode.PARTLY_FAILED)


def _pool(ray: str | None, reading: "Reading", jobs: int) -> "AbstractContextManager[Pool]":
    """Where documents are read: on a Ray cluster if one is named, or by processes."""
    from docrec.batch import Processes

    if ray is None:
        return nullcontext(Processes(reading, jobs))
    from docrec.cluster import Cluster

    return Cluster(ray, reading)
