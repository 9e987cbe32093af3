"""What a parameter of the library is called on the command line."""

from __future__ import annotations

import re

from elman.errors import ParameterError

_OTHERWISE = {
    "early_stopping": "--no-validation",
    "labels_per_step": "--per-step-labels",
    "groups": "--group",
    "n_iter_no_change": "--patience",
    "n_members": "--members",
    "n_threads": "--threads",
    "random_state": "--seed",
    "standardise": "--no-standardise",
    "text": "--text-split",
    "unlabelled": "--missing-text",
}
_WITHOUT_LABELS = " To read without labels pass labels_required=False."  # what no command has an option for
_CHOICES = ("cell", "initialisation", "missing", "readout")
_SETTING = re.compile(
    r"(?<![\w'])(id|time|label|group|labels_per_step|cell|initialisation|readout|clip_norm|learning_rate|max_epochs|dropout|recurrent_dropout|weight_decay|hidden_size|text|unlabelled|missing|missing_text|step_length|categorical|patch_size|standardise|validation_fraction|groups)=('[^']*'|True|False|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\.\.)"
)


def option(parameter: str) -> str:
    """Give the option for a parameter.

    >>> option("hidden_size"), option("n_threads")
    ('--hidden-size', '--threads')
    """
    return _OTHERWISE.get(parameter, f"--{parameter.replace('_', '-')}")


def with_options(message: str) -> str:
    """Give a message of the library with the options that its settings are on the command line.

    >>> with_options("Name it with label=...; try clip_norm=1, or pass labels_per_step=True.")
    'Name it with --label; try --clip-norm 1, or pass --per-step-labels.'
    >>> with_options("Train with missing='indicator', or pass text='words'; name the column with text=....")
    'Train with --missing indicator, or pass --text-split words; name the column with --text.'
    >>> with_options("Keep them together with groups=..., or leave standardise=False out.")
    'Keep them together with --group, or leave --no-standardise out.'
    >>> with_options("try cell='lstm', patch_size=7, or learning_rate='auto'.")
    'try --cell lstm, --patch-size 7, or --learning-rate auto.'
    """
    return _SETTING.sub(_as_option, message.replace(_WITHOUT_LABELS, ""))


def number_or_word(text: str) -> int | str:
    """Give the value of an option that takes a whole number, or a word such as auto.

    >>> number_or_word("8"), number_or_word("auto")
    (8, 'auto')
    """
    try:
        return int(text)
    except ValueError:
        return text


def missing_choice(missing: str | None, missing_text: list[str]) -> str:
    """Give how missing values are taken, from ``--missing`` and ``--missing-text``.

    Raises
    ------
    ParameterError
        If the one refuses what the other asks for.
    """
    if missing == "error" and missing_text:
        raise ParameterError("--missing-text has no use with --missing error. Leave one of them out.")
    return missing or ("indicator" if missing_text else "error")


def _as_option(setting: re.Match[str]) -> str:
    name, value = setting.groups()
    if name == "missing_text":
        return f"{option(name)} {value}"
    if name in _CHOICES or value == "'auto'":
        return f"{option(name)} {value[1:-1]}"
    if name == "text":  # of a reader the column, of an estimator the split
        return f"{option(name)} {value[1:-1]}" if value in ("'characters'", "'words'") else "--text"
    return f"{option(name)} {value}" if value[0].isdigit() else option(name)
