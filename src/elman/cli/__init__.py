"""The command line, one module a command: `elman train`, `tune`, `evaluate`, `compare`, `predict` and others.

What a command needs is imported when it runs, so that `elman --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from elman import __version__
from elman.cli.compare import compare
from elman.cli.console import prepare_streams, seen
from elman.cli.convert import convert
from elman.cli.evaluate import evaluate
from elman.cli.explain import explain
from elman.cli.help import paragraphs
from elman.cli.info import info
from elman.cli.options import with_options
from elman.cli.predict import predict
from elman.cli.report import report
from elman.cli.train import train
from elman.cli.tune import tune
from elman.cli.unroll import unroll
from elman.errors import ElmanError

app = typer.Typer(
    name="elman",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, tune, evaluate, compare, predict, explain, report, unroll, convert, info):
    app.command(help=paragraphs(command))(command)

_INTERRUPTED = 130
_USAGE = 2
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer has no name of its own for it


def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", metavar="", help="Print the version and leave.")] = False,
) -> None:
    """Classify sequences with recurrent networks.

    Train on a labelled file, measure on one that the network never saw, predict on new ones:

    [bold]elman train[/] vowels_TRAIN.ts --model vowels.safetensors
    [bold]elman evaluate[/] vowels.safetensors vowels_TEST.ts
    [bold]elman predict[/] vowels.safetensors new.ts --output predictions.csv
    """
    if version:
        typer.echo(f"elman {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.callback(invoke_without_command=True, help=paragraphs(start))(start)


def run(arguments: list[str] | None = None) -> int:
    """Run a command and give its exit code; what the user can mend is one line on stderr."""
    try:
        code = app(arguments, prog_name="elman", standalone_mode=False)
    except ElmanError as error:
        return _fail(str(error))
    except BrokenPipeError:  # `elman info MODEL | head`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        return 1
    except MemoryError as error:  # NumPy's names the size it asked for
        detail = f": {error}" if str(error) else ""
        return _fail(f"the memory does not suffice{detail}. Use less data, a smaller network, or smaller batches.")
    except OSError as error:
        if error.filename is not None:
            return _fail(f"{error.filename}: {error.strerror}.")
        return _fail(f"the output cannot be written: {error.strerror or error}. Write it to another place.")
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "elman"
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        return _fail(f"{message}{'' if message.endswith(('.', '?')) else '.'} See '{path} --help'.")
    if code == _INTERRUPTED:
        print("\ninterrupted: nothing was written.", file=sys.stderr)
    return code if isinstance(code, int) else 0


def main() -> None:
    """Entry point of the `elman` command."""
    prepare_streams()
    sys.exit(run())


def _fail(message: str) -> int:
    print(f"error: {seen(' '.join(with_options(message).split()))}", file=sys.stderr)
    return _USAGE
