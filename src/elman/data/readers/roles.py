"""What each column of a long table is for: named by the user, or guessed from its name and said aloud."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from elman.data.readers.source import Source, listed, shown
from elman.data.text import TOKEN
from elman.errors import FileError, ParameterError, did_you_mean

_GUESSES = {
    "id": (
        "id",
        "sequence_id",
        "seq_id",
        "series_id",
        "case_id",
        "case",
        "sequence",
        "series",
        "recording",
        "record_id",
    ),
    "time": ("time", "t", "step", "timestamp", "timestep", "time_step", "date", "datetime"),
    "label": ("label", "class", "target", "y", "category"),
    "group": ("group", "subject", "person", "participant", "patient", "user", "speaker"),
}
ROLES = ("id", "time", "label", "group")
_NEEDED = {
    "id": "a column that says which sequence a row belongs to, such as 'id'",
    "label": "a column with labels, such as 'label'",
}
_MEANING = {"id": "sequence id", "time": "time", "label": "label", "group": "group"}


@dataclass(frozen=True)
class Asked:
    """What the caller says about the columns of a table.

    Parameters
    ----------
    named : mapping
        From 'id', 'time', 'label' and 'group' to the column that it must be, or None.
    likely : mapping
        From the same roles to the column that it is where there is one of that name.
    features : tuple of str, or None
        The feature columns; None: all columns without a role.
    unread : collection of str
        Roles, of 'label' and 'group', whose columns are set aside without a look at what they hold.
    categorical : tuple of str
        Feature columns of kinds, whatever they hold.
    guess_categories : bool
        Whether other feature columns that hold text alone are taken for kinds too.
    missing : tuple of str, or None
        How a missing value of a feature may be written; None: it is an error.
    step_length : bool
        Whether the time column gives a feature, 'step length'.
    labels_per_step, labels_required : bool
    """

    named: Mapping[str, str | None]
    likely: Mapping[str, str] = field(default_factory=dict)
    features: tuple[str, ...] | None = None
    unread: Collection[str] = ()
    categorical: tuple[str, ...] = ()
    guess_categories: bool = True
    missing: tuple[str, ...] | None = None
    step_length: bool = False
    labels_per_step: bool = False
    labels_required: bool = True


@dataclass(frozen=True)
class Roles:
    """The column of each role, the feature columns, and one sentence for each guess."""

    id: str
    time: str | None
    label: str | None
    group: str | None
    features: tuple[str, ...]
    notes: tuple[str, ...]


def find_roles(source: Source, columns: list[str], asked: Asked) -> Roles:
    """Decide what each column is for.

    Parameters
    ----------
    columns : list of str
        All columns of the file.
    asked : Asked

    Raises
    ------
    FileError
        If a named column does not exist, or there is no id, no label where one is required, or no feature.
    """
    found, notes = _found(source, columns, asked, ROLES, taken=asked.features or ())
    _require(source, columns, [role for role in ("id", "label") if role not in found], asked)
    if "time" not in found:
        notes.append("Found no time column: the rows of a sequence keep the order of the file.")
    others = tuple(column for column in columns if column not in found.values())
    features = others if asked.features is None else asked.features
    free = set(others)
    missing = [column for column in features if column not in free]
    if missing:
        raise FileError(
            f"{source}: expected the features {listed(features)}, found no {listed(missing)}. "
            f"The columns are {listed(columns)}."
            + " The model reads texts: name their column with text=...."
            * (features == (TOKEN,))
        )
    unknown = [column for column in asked.categorical if column not in features]
    if unknown and asked.guess_categories:
        raise FileError(
            f"{source}: there is no feature column {listed(unknown)} to take for kinds. "
            f"The feature columns are {listed(features)}."
        )
    if not features:
        raise FileError(f"{source}: expected at least one feature column beside {listed(columns)}, found none.")
    notes += _features_notes(others, asked.features)
    return Roles(
        found["id"], found.get("time"), found.get("label"), found.get("group"), features=features, notes=tuple(notes)
    )


def _found(
    source: Source, columns: list[str], asked: Asked, roles: tuple[str, ...], taken: tuple[str, ...]
) -> tuple[dict[str, str], list[str]]:
    """Give the columns of ``roles``, none of them among ``taken``: those named, else likely, else guessed."""
    found, notes = _named(source, columns, asked.named, asked.labels_required)
    for role, column in asked.likely.items():
        if asked.named.get(role, column) is None and column in columns and column not in found.values():
            found[role] = column
    for role in roles:
        if asked.named[role] is None and role not in found:
            candidates = _candidates(columns, _GUESSES[role], taken={*found.values(), *taken})
            if candidates:
                found[role] = candidates[0]
                notes.append(_guess_note(role, candidates))
    return found, notes


def _require(source: Source, columns: list[str], lacking: list[str], asked: Asked) -> None:
    """Raise FileError for all roles at once that have no column and need one."""
    lacking = [role for role in lacking if role == "id" or asked.labels_required]
    if not lacking:
        return
    them = "them" if lacking[1:] else "it"
    message = (
        f"{source}: expected {' and '.join(_NEEDED[role] for role in lacking)}. Name {them} with "
        f"{' and '.join(f'{role}=...' for role in lacking)}; the columns are {listed(columns)}."
    )
    if "id" in lacking:
        message += " If each row is a text, name its column with text=... instead of an id."
    raise FileError(message + " To read without labels pass labels_required=False." * ("label" in lacking))


def _named(
    source: Source, columns: list[str], named: Mapping[str, str | None], labels_required: bool
) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    notes: list[str] = []
    for role, column in named.items():
        if column is None:
            continue
        if column in found.values():
            raise ParameterError(f"{source}: expected a column of its own for each role, got {shown(column)} for two.")
        if column in columns:
            found[role] = column
        elif role == "label" and not labels_required:
            notes.append(f"Found no column {shown(column)}: read without labels.")
        else:
            raise FileError(
                f"{source}: there is no {role} column {shown(column)}. The columns are {listed(columns)}."
                + did_you_mean(column, columns)
            )
    return found, notes


def _candidates(columns: list[str], guesses: tuple[str, ...], taken: set[str]) -> list[str]:
    """Give the free columns that could have a role, the most likely first."""
    free = [column for column in columns if column not in taken]
    lower = [column.lower() for column in columns]
    if "z" in lower:  # then 'y' is a coordinate
        guesses = tuple(guess for guess in guesses if guess != "y")
    return [column for guess in guesses for column in free if column.lower() == guess]


def _guess_note(role: str, candidates: list[str]) -> str:
    also = f" (not {listed(candidates[1:])}; name it with {role}=... if that is wrong)" if candidates[1:] else ""
    return f"Read column {shown(candidates[0])} as the {_MEANING[role]}{also}."


def _features_notes(others: tuple[str, ...], asked: tuple[str, ...] | None) -> list[str]:
    """Say which columns without a role became features; or, where the features are known, which did not."""
    if asked is None:
        return [f"Read {len(others)} other column{'s' * (len(others) > 1)} as features: {listed(others)}."]
    known = set(asked)
    ignored = [column for column in others if column not in known]
    if not ignored:
        return []
    return [f"Ignored column{'s' * (len(ignored) > 1)} {listed(ignored)}, which the model does not know."]


def find_text_roles(source: Source, columns: list[str], asked: Asked, text: str) -> tuple[dict[str, str], list[str]]:
    """Decide what the columns of a table of texts are for, beside the one that holds the text.

    Returns
    -------
    dict
        From 'id', 'label' and 'group' to their columns, as far as there are any.
    list of str
        One sentence for each guess, and one for the columns without use.

    Raises
    ------
    FileError
        If a column that is needed does not exist.
    """
    if text not in columns:
        raise FileError(f"{source}: there is no text column {shown(text)}. The columns are {listed(columns)}.")
    found, notes = _found(source, columns, asked, ("id", "label", "group"), taken=(text,))
    if text in found.values():
        raise ParameterError(f"{source}: expected a column of its own for each role, got {shown(text)} for two.")
    _require(source, columns, [] if "label" in found else ["label"], asked)
    idle = [column for column in columns if column not in (*found.values(), text)]
    if idle:
        notes.append(f"Ignored column{'s' * (len(idle) > 1)} {listed(idle)}, beside the text.")
    return found, notes
