"""`elman convert`: a table of any length as an `.npz` that need not fit into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from elman.cli.columns import PANEL, Categorical, Group, Id, Label, Missing, MissingText, Time
from elman.cli.console import note, say, say_command
from elman.cli.options import missing_choice
from elman.errors import OutputError, ParameterError

_DTYPES = ("float32", "float64")


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Data: .csv, .tsv, .parquet, .ts or .npz.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The .npz to write.")],
    id: Id = None,
    time: Time = None,
    label: Label = None,
    group: Group = None,
    per_step_labels: Annotated[
        bool,
        typer.Option("--per-step-labels", metavar="", help="Each row has a label of its own.", rich_help_panel=PANEL),
    ] = False,
    categorical: Categorical = [],  # noqa: B006
    missing: Missing = None,
    missing_text: MissingText = [],  # noqa: B006
    dtype: Annotated[
        str | None,
        typer.Option(metavar="T", help="Of the values: float32 takes half the disk; as in FILE if not said."),
    ] = None,
) -> None:
    """Write a table as an .npz that training and prediction leave on disk, so that it may be larger than memory.

    [bold]elman convert[/] recordings.csv --output recordings.npz
    [bold]elman train[/] recordings.npz --model recordings.safetensors

    The table is read piece by piece. For that the rows of a sequence must stand together, in the order of time; a row
    out of order is an error that names its line. Tables of texts (--text) and step lengths (--step-length) are not
    converted: train on the table itself.
    """
    from elman.cli.progress import follow_share
    from elman.cli.tables import count
    from elman.data import convert as write
    from elman.output_file import check_writable

    if output.suffix.lower() != ".npz":
        raise OutputError(
            f"{output}: expected an output of type .npz, got {output.suffix or 'no suffix'!r}. Rename it."
        )
    if dtype not in (None, *_DTYPES):
        raise ParameterError(f"--dtype must be one of {', '.join(_DTYPES)}. Got {dtype!r} instead.")
    missing = missing_choice(missing, missing_text)
    check_writable(output)
    if output.exists() and file.exists() and output.samefile(file):
        raise OutputError(f"{output}: the output would overwrite the input. Choose another name.")
    with follow_share(f"Converting {file.name}", "rows") as on_progress:
        written = write(
            file,
            output,
            id=id,
            time=time,
            label=label,
            group=group,
            labels_per_step=per_step_labels,
            categorical=categorical,
            missing=missing,
            missing_text=missing_text or None,
            dtype=dtype,
            on_progress=on_progress,
        )
    for sentence in written.notes:
        note(sentence)
    labels = {"none": "no labels", "sequence": "a label each", "step": "a label a step"}[written.labels]
    size = f"{count(written.n_sequences, 'sequence')} of {count(written.n_steps, 'step')} in all"
    kind = f"{count(written.n_features, 'feature')}, {written.dtype}, {labels}{', groups' * written.has_groups}"
    say(f"Wrote {output}: {size}, {kind}.")
    if written.labels != "none":
        options = " --per-step-labels" * (written.labels == "step") + " --missing indicator" * (missing == "indicator")
        say_command(f"elman train {output} --model {output.with_suffix('.safetensors')}{options}")
