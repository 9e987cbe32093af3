"""Files damaged at random: a reader answers with data or with one InputError that names the file, and nothing else."""

import csv
import io
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman.data import read
from elman.errors import InputError

HOSTILE = [
    b"", b" ", b"?", b"nan", b"NaN", b"inf", b"-1e999", b"1e38", b"1_000", b"0x1F", b"--1", b"1,5", b"null", b"None",
    b'"', b'""', b'"""', b"'", b"\\", b":", b"::::", b",", b",,,,,,", b";", b"\t", b"\r", b"\n", b"\r\n", b"\n\n\n",
    b"#", b"@data", b"@classLabel true", b"@dimensions 99999999999", b"@seriesLength 1e9", b"@equalLength true",
    b"\x00", b"\x00" * 9, b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\x1a",
    b"9" * 500, b"9" * 20, b"-0", b"A" * 5000, b"2026-01-31", b"31/12/2026", b"true", b"false", b"True", b"1.5", b"01",
    "é走🙂".encode(), "１２".encode(), b"=1+1", b"<script>", b"../../etc/passwd", b"%s%n", b"{0}", b"\x7f\x1b[2J",
    b"PK\x03\x04", b"\x93NUMPY", b"PAR1", b"__import__('os')", b"(((((((((", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f",
]  # fmt: skip

TS = b"""# toy
@problemName Toy
@timeStamps false
@missing false
@univariate false
@dimensions 2
@equalLength false
@seriesLength 3
@classLabel true up down
@data
1,2,3:4,5,6:up
-1.5,?:2e3,?:down
7:8:up
"""
CSV = b"""id,time,x,flag,label,subject
a,0,0.5,true,wave hand,s1
a,1,0.25,false,wave hand,s1
b,0,-1e-3,true,"rest, sit",s2
c,2,7,true,wave hand,s1
c,1,8,false,wave hand,s1
"""


def npz(save):
    buffer = io.BytesIO()
    values = np.arange(12.0).reshape(6, 2)
    save(buffer, values=values, offsets=[0, 2, 5, 6], y=["up", "down", "up"], ids=[1, 2, 3])
    return buffer.getvalue()


def parquet(compression):
    buffer = io.BytesIO()
    frame = pl.read_csv(CSV)
    frame.write_parquet(buffer, compression=compression)
    return buffer.getvalue()


@st.composite
def damaged(draw, original):
    """Draw the content of a file after one to three kinds of damage."""
    content = original
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["flip", "cut", "delete", "insert", "double", "field", "line", "swap"]))
        start = draw(st.integers(0, max(len(content) - 1, 0)))
        lines = content.split(b"\n")
        n = draw(st.integers(0, len(lines) - 1))
        if kind == "flip":
            content = content[:start] + bytes([draw(st.integers(0, 255))]) + content[start + 1 :]
        elif kind == "cut":
            content = content[:start]
        elif kind == "delete":
            content = content[:start] + content[start + draw(st.integers(1, 40)) :]
        elif kind == "insert":
            content = content[:start] + draw(st.sampled_from(HOSTILE)) + content[start:]
        elif kind == "double":
            content = b"\n".join(lines[: n + 1] + lines[n:])
        elif kind == "line":
            content = b"\n".join(lines[:n] + lines[n + 1 :])
        elif kind == "swap":
            content = b"\n".join([*lines[:n], draw(st.sampled_from(HOSTILE)), *lines[n + 1 :]])
        else:
            fields = lines[n].split(b",")
            fields[draw(st.integers(0, len(fields) - 1))] = draw(st.sampled_from(HOSTILE))
            content = b"\n".join([*lines[:n], b",".join(fields), *lines[n + 1 :]])
    return content


def answer(path, content, **options):
    """Read a damaged file; give the dataset, or None where it was refused as promised."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            dataset = read(path, **options)
        except InputError as error:
            message = str(error)
            assert path.name in message
            assert "\n" not in message
            assert len(message) < 1200
            return None
    sequences = dataset.sequences
    assert np.isfinite(sequences.values).all()
    assert (sequences.lengths >= 1).all()
    assert len(sequences) == len(dataset.ids) == len(set(dataset.ids.tolist())) or path.suffix == ".npz"
    if dataset.labels is not None:
        assert len(dataset.labels) == (len(sequences.values) if dataset.per_step else len(sequences))
        known = [label for label in dataset.labels.tolist() if label is not None]
        assert np.array(known).dtype.kind in "iUb"
        assert dataset.labels.dtype.kind in "iUb" or (dataset.per_step and len(known) < len(dataset.labels))
    return dataset


promise = settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
options = st.fixed_dictionaries({"labels_required": st.booleans()})
step_options = st.fixed_dictionaries({"labels_required": st.booleans(), "labels_per_step": st.booleans()})


@given(damaged(TS), options)
@promise
def test_ts(tmp_path, content, options):
    answer(tmp_path / "hostile.ts", content, **options)


@given(damaged(CSV), step_options)
@promise
def test_csv(tmp_path, content, options):
    answer(tmp_path / "hostile.csv", content, **options)


@given(damaged(CSV.replace(b", ", b"; ").replace(b",", b"\t")), options)
@promise
def test_tsv(tmp_path, content, options):
    answer(tmp_path / "hostile.tsv", content, **options)


@given(damaged(npz(np.savez)), step_options)
@promise
def test_npz(tmp_path, content, options):
    answer(tmp_path / "hostile.npz", content, **options)


@given(damaged(npz(np.savez_compressed)), options)
@promise
def test_npz_compressed(tmp_path, content, options):
    answer(tmp_path / "hostile.npz", content, **options)


# Each Parquet file is decoded in a process of its own, a third of a second: few examples here.
@pytest.mark.parametrize("compression", ["zstd", "uncompressed"])
def test_parquet(tmp_path, compression):
    original = parquet(compression)

    @given(damaged(original).filter(lambda content: content[:4] == content[-4:] == b"PAR1"), options)
    @settings(max_examples=12, deadline=60_000)
    def holds(content, options):
        answer(tmp_path / "hostile.parquet", content, **options)

    holds()


@pytest.mark.parametrize("suffix", [".ts", ".csv", ".tsv", ".npz", ".parquet"])
def test_arbitrary_bytes(tmp_path, suffix):
    @given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode(errors="replace"))))
    @settings(max_examples=100, deadline=2000)
    def holds(content):
        answer(tmp_path / f"hostile{suffix}", content)

    holds()


def plainly(content):
    """Read the damaged CSV by another road: Python's csv module, row by row."""
    text = content.decode("utf-8-sig")
    rows = [[field.strip() for field in row] for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    header = rows[0]
    records = [dict(zip(header, row)) for row in rows[1:]]
    sequences = {}
    for record in records:
        x = float(record["x"])
        flag = float(record["flag"]) if record["flag"][:1] not in list("tTfF") else record["flag"].lower() == "true"
        sequences.setdefault(record["id"], []).append((float(record["time"]), x, float(flag)))
    return {name: [list(step[1:]) for step in sorted(steps, key=lambda s: s[0])] for name, steps in sequences.items()}


@given(damaged(CSV))
@settings(promise, max_examples=400)
def test_a_damaged_csv_that_is_still_accepted_reads_as_any_csv_reader_would(tmp_path, content):
    dataset = answer(tmp_path / "hostile.csv", content, label="label", id="id", time="time", group="subject")
    if dataset is None or dataset.sequences.feature_names != ("x", "flag") or b"\r" in content or b"-" in content[-20:]:
        return
    got = {name: sequence.tolist() for name, sequence in zip(dataset.ids.tolist(), dataset.sequences)}
    assert got == plainly(content)


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".ts", b"@classLabel true a\n@data\n" + b"1," * 200_000 + b"1:a"),
        (".ts", b"@classLabel true a\n@data\n" + b":" * 500_000),
        (".ts", b"@" * 500_000),
        (".ts", b"@classLabel true " + b"a " * 300_000 + b"\n@data\n1:b"),
        (".csv", b"," * 20_000 + b"\n" + b"," * 20_000),
        (".csv", b"id,x,label\n" + b'"' * 300_001),
        (".csv", b"id,x,label\n" + b"a,1,u\n" * 50_000 + b'a,"1,u\n' + b"a,1,u\n" * 50_000),
        (".csv", b"id,x,label\na," + b"9" * 1_000_000 + b",u\n"),
        (".csv", b"id,x,label\n" + b"L" * 1_000_000 + b",1,u\n"),
        (".csv", b"x" * 1_000_000),
        (".csv", b"\n" * 1_000_000),
        (".tsv", b"\t" * 100_000),
        (".npz", b"PK\x05\x06" + b"\xff" * 18),
        (".parquet", b"PAR1" + b"\xff" * 1000 + b"PAR1"),
        (".parquet", b"PAR1" * 2),
    ],
)
@pytest.mark.timeout(60)
def test_large_nonsense_ends_soon(tmp_path, suffix, content):
    answer(tmp_path / f"hostile{suffix}", content)
