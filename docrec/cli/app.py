"""The command `docrec`: its subcommands, each imported when it is called, and how every ending becomes an exit status."""

import importlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from docrec import __version__
from docrec.cli.dictionary import Dictionary
from docrec.errors import DocrecError, ExitCode

COMMANDS = {
    "pdf": "docrec.cli.read:pdf",
    "image": "docrec.cli.read:image",
    "batch": "docrec.cli.batch:batch",
    "line": "docrec.cli.line:line",
    "layout": "docrec.cli.layout:layout",
    "train": "docrec.cli.train:train",
    "synth": "docrec.cli.data:synth",
    "records": "docrec.cli.data:records",
    "dict": "docrec.cli.data:build_dict",
    "import-crnn": "docrec.cli.import_crnn:import_crnn",
    "export": "docrec.cli.export:export",
    "evaluate": "docrec.cli.evaluate:evaluate",
}
"""Subcommand → where it is. These modules are imported for `--help` too, so that they must be light."""

BROKEN_PIPE = 128 + 13
"""What a shell reports of a program that SIGPIPE ended, as `cat` is when the reader of its output leaves."""

EPILOG = """\b
Exit status:
    0  done
    1  a bad option or argument
    2  the input is not there, or is not a document that can be read
    3  a package that this needs is not installed
    5  a file cannot be opened, read or written
    8  the PDF is encrypted: give its --password
    9  a model folder or a dictionary is missing, damaged or does not fit
   10  some of the documents of a batch cannot be read; all others are
   15  any other failure
  130  interrupted (Ctrl-C)
  141  the program reading docrec's output has stopped reading
"""

log = logging.getLogger("docrec")


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when the subcommand, or its help, is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the subcommands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-c", "--char-dict", metavar="JSON", help="Dictionary of code points and characters; needs an ord map.")
@click.option("-o", "--ord-map", metavar="JSON", help="Dictionary of classes and code points; needs a char dict.")
@click.version_option(__version__, prog_name="docrec", message="%(prog)s %(version)s")
@click.pass_context
def app(ctx: click.Context, char_dict: str | None, ord_map: str | None) -> None:
    """Read Chinese PDF files and pictures of pages, offline: documents in, text out.

    Without an output file the text goes to standard output. `docrec COMMAND --help` lists a command's options.
    """
    ctx.obj = Dictionary(char_dict, ord_map)


def run(args: Sequence[str]) -> int:
    """Run one command line.

    Args:
        args: arguments without the program's name.

    Returns:
        The exit status (see `docrec.errors.ExitCode`).
    """
    try:
        with app.make_context("docrec", list(args)) as context:
            app.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.BAD_ARGUMENTS
    except DocrecError as error:
        log.debug("where it happened:", exc_info=True)
        click.echo(f"docrec: error: {error}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("docrec: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except Exception as error:
        log.debug("where it happened:", exc_info=True)
        click.echo(f"docrec: error: unexpected {type(error).__name__}: {error} (-v shows where)", err=True)
        return ExitCode.OTHER
    return ExitCode.OK


def main() -> NoReturn:
    """Run this process's command line and exit with its status."""
    signal.signal(signal.SIGTERM, _terminate)
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):  # said already, or nobody is there to hear it: keep the interpreter from trying again
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    """End by way of an exception, so that temporary files are removed."""
    sys.exit(128 + signum)
