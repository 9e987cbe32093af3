"""What `read` and `from_frame` are asked for, checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elman.data.forms import MISSING as MISSING_CHOICES
from elman.data.readers.roles import Asked
from elman.data.text import SPLITS
from elman.errors import FileError, ParameterError

TABLES = (".csv", ".tsv", ".parquet")
NOT_A_NUMBER = ("NA", "NaN", "nan")
"""How a missing value is written where the user does not say, beside an empty cell."""


@dataclass
class Settings:
    """The parameters of a reader; ``of`` is its name. `check` completes them by what ``likely`` says."""

    of: str
    named: Mapping[str, str | None]
    likely: Mapping[str, str]
    features: Sequence[str] | None
    unread: Collection[str]
    labels_per_step: bool
    labels_required: bool
    categorical: Sequence[str]
    text: str | None
    text_split: str
    missing: str
    missing_text: str | Sequence[str] | None
    step_length: bool

    def check(self) -> None:
        """Raise ParameterError for the first parameter that breaks its contract."""
        for role, column in {**self.named, "text": self.text}.items():
            if column is not None and not isinstance(column, str):
                raise ParameterError(f"The {role!r} parameter of {self.of} must name a column. Got {column!r} instead.")
        if not {"label", "group"}.issuperset(self.unread):
            raise ParameterError(
                f"The 'unread' parameter of {self.of} must hold 'label' and 'group' at most. Got {self.unread!r}."
            )
        for name, value, choices in (
            ("text_split", self.text_split, SPLITS),
            ("missing", self.missing, MISSING_CHOICES),
        ):
            if value not in choices:
                raise ParameterError(
                    f"The {name!r} parameter of {self.of} must be one of {', '.join(map(repr, choices))}. "
                    f"Got {value!r} instead."
                )
        for name, names in (
            ("categorical", self.categorical),
            ("missing_text", self.missing_text or ()),
            ("features", self.features or ()),
        ):
            if not _are_texts(names):
                raise ParameterError(f"The {name!r} parameter of {self.of} must hold text. Got {names!r} instead.")
        if not isinstance(self.step_length, bool):
            raise ParameterError(
                f"The 'step_length' parameter of {self.of} must be a bool. Got {self.step_length!r} instead."
            )
        self._complete()

    def _complete(self) -> None:
        self.text = self.text or self.likely.get("text")
        self.step_length = self.step_length or "step_length" in self.likely
        if self.missing_text is not None:
            self.missing = "indicator"
        if "label" in self.unread:
            self.labels_required = self.labels_per_step = False
        if self.text is not None:
            for name, value in (
                ("time", self.named["time"]),
                ("labels_per_step", self.labels_per_step),
                ("categorical", self.categorical),
                ("step_length", self.step_length),
            ):
                if value:
                    setting = f"{name}={value!r}" if isinstance(value, str | bool) else f"{name}=..."
                    raise ParameterError(
                        f"{setting} has no use beside text={self.text!r}: each row is a sequence. "
                        "Leave one of them out."
                    )

    def asked(self) -> Asked:
        """Give what a table needs to know."""
        written = (self.missing_text,) if isinstance(self.missing_text, str) else self.missing_text
        return Asked(
            named=self.named,
            likely=self.likely,
            features=None if self.features is None else tuple(self.features),
            unread=self.unread,
            categorical=(self.categorical,) if isinstance(self.categorical, str) else tuple(self.categorical),
            guess_categories=self.features is None,
            missing=None if self.missing == "error" else NOT_A_NUMBER if written is None else tuple(written),
            step_length=self.step_length,
            labels_per_step=self.labels_per_step,
            labels_required=self.labels_required,
        )

    def refuse_columns(self, path: Path) -> None:
        """Raise an error where columns are named for a file that has none."""
        named = {**self.named, "text": self.text, "categorical": self.categorical or None}
        if self.step_length:
            named["time"] = named["time"] or self.likely.get("step_length", "step_length=True")
        if self.missing_text is not None:
            named["missing_text"] = str(self.missing_text)
        for role, column in named.items():
            if column is not None and self.features is not None:  # as a model knows them
                raise FileError(
                    f"{path}: expected a table ({', '.join(TABLES)}) with the {role} column {column!r}, as in training."
                )
            if column is not None:
                raise ParameterError(
                    f"{path}: only a table ({', '.join(TABLES)}) has columns to name. "
                    f"Got {role} column {column!r}; leave it out."
                )


def _are_texts(names: object) -> bool:
    return isinstance(names, str) or (isinstance(names, Iterable) and all(isinstance(name, str) for name in names))
