"""Does a fit on data larger than memory stay in bounded memory? Run it: python -m benchmarks.larger_than_memory.

It writes sequences to disk as `elman convert` does, and in a process of its own fits a small network to them for an
epoch and predicts them all. That process may hold no more private memory than the limit (RLIMIT_DATA; an allocation
beyond fails). Pages of mapped files are the system's to take back when it is short of memory; here a thread takes them
back as soon as they fill a quarter of the limit, so that all that is resident, mapped or not, can be counted.
"""

import argparse
import ctypes
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

N_FEATURES = 16
N_STEPS = 500  # of a sequence
BLOCK = 1 << 24  # bytes written at a time
MADV_DONTNEED = 4


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.larger_than_memory", description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of float32 data (default 4)")
    parser.add_argument("--limit", type=float, default=1.0, help="gigabytes of memory (default 1)")
    parser.add_argument("--hidden-size", type=int, default=8)
    parser.add_argument("--cell", default="gru")
    parser.add_argument("--folder", type=Path, default=None, help="room for three times the data (default: TMPDIR)")
    parser.add_argument("--ordinary", action="store_true", help="read the data into memory instead, to meet the limit")
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)  # set for the limited process
    options = parser.parse_args()
    if options.data is not None:
        print(json.dumps(fit_and_predict(options)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder, "data.npz")
        started = time.perf_counter()
        n_sequences = write_data(path, options.gigabytes)
        print(f"wrote {path.stat().st_size / 1e9:.2f} GB, {n_sequences:,} sequences, {passed(started)}", flush=True)
        command = [sys.executable, "-m", "benchmarks.larger_than_memory", *sys.argv[1:], "--data", str(path)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"the limited process failed with exit code {done.returncode}")
        report(json.loads(done.stdout), options.limit)


def write_data(path: Path, gigabytes: float) -> int:
    """Write noise in which every other sequence has a slow wave; return the number of sequences."""
    from elman.data.archive import Archive

    rng = np.random.default_rng(0)
    wave = 0.5 * np.sin(np.linspace(0, 20, N_STEPS, dtype=np.float32))[:, None]
    size = max(1, BLOCK // (4 * N_STEPS * N_FEATURES)) & ~1  # sequences of a block, an even number
    n_blocks = max(1, round(gigabytes * 1e9 / (4 * size * N_STEPS * N_FEATURES)))

    def blocks():
        for _ in range(n_blocks):
            block = rng.standard_normal((size, N_STEPS, N_FEATURES), dtype=np.float32)
            block[1::2] += wave
            yield block.reshape(-1, N_FEATURES)

    n = size * n_blocks
    with path.open("wb") as file, Archive(file) as archive:
        archive.write_rows("values", blocks())
        archive.write("offsets", np.arange(0, (n + 1) * N_STEPS, N_STEPS))
        archive.write("y", np.arange(n) % 2)
    return n


def fit_and_predict(options: argparse.Namespace) -> dict[str, float]:
    """Do it in this process under the limit; return seconds and peaks in gigabytes."""
    from elman import SequenceClassifier, read

    resource.setrlimit(resource.RLIMIT_DATA, (int(options.limit * 1e9),) * 2)
    found: dict[str, float] = {}
    with Watch(options.limit * 1e9) as watch:
        started = time.perf_counter()
        data = read(options.data, memory_map=not options.ordinary)
        X, y = data.sequences, data.labels
        found["read"] = time.perf_counter() - started
        classifier = SequenceClassifier(
            cell=options.cell, hidden_size=options.hidden_size, bidirectional=False, max_epochs=1, random_state=0
        ).fit(X, y)
        found["fit"] = time.perf_counter() - started - found["read"]
        found["epoch"] = classifier.history_[0]["seconds"]
        found["accuracy"] = float(np.mean(classifier.predict(X) == y))
        found["predict"] = time.perf_counter() - started - found["read"] - found["fit"]
    return {**found, "data": X.values.nbytes / 1e9, **watch.peaks}


class Watch:
    """A thread that notes the peaks of resident memory, and takes mapped pages back at a quarter of the limit."""

    def __init__(self, limit: float) -> None:
        self.peaks = {"VmRSS": 0.0, "RssAnon": 0.0, "RssFile": 0.0}
        self._limit, self._over = limit, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.005):
            now = resident()
            for name in self.peaks:
                self.peaks[name] = max(self.peaks[name], now[name] / 1e9)
            if now["RssFile"] > self._limit / 4:
                take_back_mapped_pages()


def resident() -> dict[str, int]:
    """Return what /proc says of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return {
        name: int(size.split()[0]) * 1024 for name, _, size in (line.partition(":") for line in lines) if "kB" in size
    }


def take_back_mapped_pages() -> None:
    """Do what the system does when memory is short: unload pages of large mapped files, which are read again."""
    libc = ctypes.CDLL(None)
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, rights, _, _, inode, *_ = line.split(maxsplit=5)
        start, stop = (int(address, 16) for address in place.split("-"))
        if rights == "r--s" and inode != "0" and stop - start > BLOCK:
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), MADV_DONTNEED)


def report(found: dict[str, float], limit: float) -> None:
    data = found["data"]
    print(f"data                                  {data:8.2f} GB of float32 values, limit {limit:.2f} GB")
    print(f"read (map and check)                  {found['read']:8.1f} s")
    print(f"fit, one epoch                        {found['fit']:8.1f} s, of which training {found['epoch']:.1f} s")
    print(f"predict                               {found['predict']:8.1f} s, accuracy {found['accuracy']:.3f}")
    print(f"peak resident, private (RssAnon)      {found['RssAnon']:8.3f} GB")
    print(f"peak resident, mapped files (RssFile) {found['RssFile']:8.3f} GB")
    print(f"peak resident, all (VmRSS)            {found['VmRSS']:8.3f} GB")
    verdict = "held" if found["VmRSS"] <= limit else "broken"
    print(f"the limit was {verdict}: {data / found['VmRSS']:.1f} times as much data as resident memory")


def passed(started: float) -> str:
    return f"{time.perf_counter() - started:.1f} s"


if __name__ == "__main__":
    main()
