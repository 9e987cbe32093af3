"""The `.ts` format of the UCR/UEA archive: one case a line, channels split by ':', values by ',', the class last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from elman.data.numeric import LARGEST
from elman.data.readers.dataset import Dataset, numbered_ids
from elman.data.readers.labels import text_array
from elman.data.readers.source import decode, listed, read_bytes, shown
from elman.data.sequences import Sequences, offsets_of
from elman.errors import FileError, ParameterError

_MISSING = float("nan")


@dataclass
class _Header:
    """What the lines before @data declare; None where a line is missing."""

    first_line: int = 0  # number of the first line after @data
    class_label: bool | None = None
    classes: tuple[str, ...] = ()
    univariate: bool = False
    dimensions: int | None = None
    equal_length: bool = False
    series_length: int | None = None


def read_ts(
    path: Path, *, labels_per_step: bool = False, labels_required: bool = True, missing: str = "error"
) -> Dataset:
    """Read a `.ts` file: univariate or multivariate, of equal or ragged lengths.

    A missing value, '?', is padding at the end of a case, where it stands in every channel; elsewhere it is an error,
    or NaN with ``missing='indicator'``.
    Labels stay text, as they are written.

    Raises
    ------
    FileError
        If a line breaks the format or what the header declares.
    """
    if labels_per_step:
        raise ParameterError(f"{path}: a .ts file has one label a sequence. Use a table for one label a step.")
    text = decode(path, read_bytes(path)).replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    header = _read_header(path, lines)
    if not header.class_label and labels_required:
        raise FileError(f"{path}: expected class labels, but the file declares '@classLabel false'.")
    cases: list[NDArray[np.float64]] = []
    labels: list[str] = []
    numbers: list[int] = []  # line of each case
    expected: tuple[int, int] | None = None  # channels and values a channel of the first case
    for number, line in enumerate(lines[header.first_line - 1 :], header.first_line):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        if header.class_label:
            line, label = _split_label(where, line, header.classes)
            labels.append(label)
        case = _read_case(where, line, header, expected)
        expected = expected or (case.shape[1], case.shape[0])
        cases.append(_without_padding(where, case, missing))
        numbers.append(number)
    if not cases:
        raise FileError(f"{path}: expected at least one case after '@data', found none. Is the file cut short?")
    offsets = offsets_of(np.array([len(case) for case in cases], dtype=np.int64))
    return Dataset(
        Sequences(np.ascontiguousarray(np.concatenate(cases)), offsets),
        labels=text_array(labels, lambda i: f"{path}, line {numbers[i]}") if header.class_label else None,
        ids=numbered_ids(len(cases)),
    )


def _read_header(path: Path, lines: list[str]) -> _Header:
    header = _Header()
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        if not line.startswith("@"):
            raise FileError(f"{where}: expected a header line '@...' before '@data', got {shown(line)}.")
        key, *words = line[1:].split() or [""]
        match key.lower():
            case "data":
                if header.class_label is None:
                    raise FileError(
                        f"{where}: expected a line '@classLabel true ...' or '@classLabel false' before it."
                    )
                header.first_line = number + 1
                return header
            case "timestamps" if _flag(where, key, words):
                raise FileError(f"{where}: files with time stamps are not supported. Write the values alone.")
            case "targetlabel" if _flag(where, key, words):
                raise FileError(f"{where}: expected classes, got a file with numeric targets ('@targetLabel true').")
            case "classlabel":
                header.class_label = _flag(where, key, words)
                header.classes = tuple(words[1:])
            case "univariate":
                header.univariate = _flag(where, key, words)
            case "equallength":
                header.equal_length = _flag(where, key, words)
            case "dimensions" | "dimension":
                header.dimensions = _count(where, key, words)
            case "serieslength":
                header.series_length = _count(where, key, words)
    raise FileError(f"{path}: expected a line '@data' after the header, found none. Is the file cut short?")


def _flag(where: str, key: str, words: list[str]) -> bool:
    word = words[0].lower() if words else ""
    if word not in ("true", "false"):
        raise FileError(f"{where}: expected '@{key[:40]} true' or '@{key[:40]} false', got {shown(word)}.")
    return word == "true"


def _count(where: str, key: str, words: list[str]) -> int:
    word = words[0] if words else ""
    if not (word.isascii() and word.isdigit() and len(word) < 19):
        raise FileError(f"{where}: expected a whole number after '@{key[:40]}', got {shown(word)}.")
    return int(word)


def _split_label(where: str, line: str, classes: tuple[str, ...]) -> tuple[str, str]:
    body, colon, label = line.rpartition(":")
    label = label.strip()
    if not colon:
        raise FileError(f"{where}: expected values, then ':' and a class label, found no ':'. Is the line cut short?")
    if classes and label not in classes:
        raise FileError(
            f"{where}: expected a class label that '@classLabel' declares ({listed(classes)}), got {shown(label)}. "
            "Is the line cut short?"
        )
    if label in ("", "?"):
        raise FileError(f"{where}: expected a class label at the end, got {shown(label)}. Is the line cut short?")
    return body, label


def _read_case(where: str, line: str, header: _Header, first: tuple[int, int] | None) -> NDArray[np.float64]:
    """Give the values of one case, (T, D), NaN where missing, after checking them against header and first case."""
    texts = line.split(":")
    n_channels = header.dimensions or (1 if header.univariate else first[0] if first else len(texts))
    if len(texts) != n_channels or (header.univariate and n_channels != 1):
        raise FileError(f"{where}: expected {_channels(header, n_channels)}, got {len(texts)}. Is the line cut short?")
    channels = [_read_channel(where, number, text) for number, text in enumerate(texts, 1)]
    n_steps = len(channels[0])
    for number, channel in enumerate(channels, 1):
        if len(channel) != n_steps:
            raise FileError(
                f"{where}, channel {number}: expected {n_steps} values, as in channel 1, got {len(channel)}. "
                "Is the line cut short?"
            )
    declared = header.series_length or (first[1] if first else n_steps)
    if header.equal_length and n_steps != declared:
        raise FileError(
            f"{where}: expected {declared} steps, since the header declares '@equalLength true', got {n_steps}. "
            "Is the line cut short?"
        )
    return np.array(channels, dtype=np.float64).T


def _channels(header: _Header, n_channels: int) -> str:
    if header.univariate:
        return "one channel, since the header declares '@univariate true'"
    source = f"'@dimensions {n_channels}' declares" if header.dimensions else "in the first case"
    return f"{n_channels} channels, as {source}"


def _read_channel(where: str, number: int, text: str) -> list[float]:
    try:
        if "_" in text:  # float() would take 1_000
            raise ValueError
        if "?" not in text:
            return [float(value) for value in text.split(",")]
        return [_MISSING if value.strip() == "?" else float(value) for value in text.split(",")]
    except ValueError:
        for position, value in enumerate(text.split(","), 1):
            if not _is_number(value):
                raise FileError(
                    f"{where}, channel {number}, value {position}: expected a number, got {shown(value)}. "
                    "Write a missing value as '?'."
                ) from None
        raise


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return value.strip() == "?"
    return "_" not in value


def _without_padding(where: str, case: NDArray[np.float64], missing: str) -> NDArray[np.float64]:
    """Drop the steps at the end that are missing in every channel; refuse what is missing or too large elsewhere."""
    real = np.flatnonzero(~np.isnan(case).all(axis=1))
    if len(real) == 0:
        raise FileError(f"{where}: expected at least one step, but every value is missing. Drop the line.")
    case = case[: real[-1] + 1]
    wrong = np.argwhere(~(np.abs(case) <= LARGEST) & ~(np.isnan(case) & (missing == "indicator")))
    if len(wrong) == 0:
        return case
    step, channel = wrong[0]
    value = case[step, channel]
    place = f"{where}, channel {channel + 1}, value {step + 1}"
    if np.isnan(value):
        raise FileError(
            f"{place}: the value is missing. Fill it in, or read and train with missing='indicator'; "
            "only the end of a case may be missing, as padding."
        )
    raise FileError(f"{place}: expected a finite number of at most {LARGEST:g}, got {value:g}. Replace or scale it.")
