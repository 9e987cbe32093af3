"""The work as PyTorch does it, at its best: one thread and all of them, fused paths, no gradients without need."""

import importlib.util
from collections.abc import Callable

import numpy as np

from benchmarks.timing import Step


def _for_threads(threads: int, make: Callable[[], Step], name: str = "torch") -> dict[str, Step]:
    """Return the step with one thread and with `threads`; nothing if PyTorch is not installed."""
    if not importlib.util.find_spec("torch"):
        return {}
    return {f"{name}, {count} thread{'s' * (count > 1)}": _limited(count, make()) for count in sorted({1, threads})}


def _limited(threads: int, step: Step) -> Step:
    import torch

    def limited() -> None:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        step()

    return limited


def training(
    cell: str, n: int, t: int, d: int, h: int, classes: int, threads: int, dtype: str = "float32"
) -> dict[str, Step]:
    """nn.RNN, nn.GRU or nn.LSTM, cross-entropy on the last output, backward, Adam."""

    def make() -> Step:
        import torch

        learn = _learner(cell, d, h, classes, dtype)
        x, y = torch.randn(n, t, d, dtype=getattr(torch, dtype)), torch.randint(0, classes, (n,))
        return lambda: learn(x, y)

    return _for_threads(threads, make)


def _learner(cell: str, d: int, h: int, classes: int, dtype: str = "float32", *, both: bool = False) -> Callable:
    """Return learn(x, y), one update; x may be a packed sequence."""
    import torch

    torch.manual_seed(0)
    layer = getattr(torch.nn, cell)(d, h, batch_first=True, bidirectional=both, dtype=getattr(torch, dtype))
    head = torch.nn.Linear(h * (1 + both), classes, dtype=getattr(torch, dtype))
    adam = torch.optim.Adam([*layer.parameters(), *head.parameters()])

    def learn(x: object, y: object) -> None:
        adam.zero_grad(set_to_none=True)
        _, state = layer(x)
        last = state[0] if isinstance(state, tuple) else state
        features = torch.cat([last[-2], last[-1]], 1) if both else last[-1]
        torch.nn.functional.cross_entropy(head(features), y).backward()
        adam.step()

    return learn


def ragged(cell: str, lengths: np.ndarray, d: int, h: int, classes: int, threads: int) -> dict[str, Step]:
    """Packed sequences, sorted beforehand; and the batch padded to its longest, whose last states are wrong."""

    def packed() -> Step:
        import torch
        from torch.nn.utils.rnn import pack_sequence

        learn = _learner(cell, d, h, classes)
        x = pack_sequence([torch.randn(int(length), d) for length in sorted(lengths, reverse=True)])
        y = torch.randint(0, classes, (len(lengths),))
        return lambda: learn(x, y)

    def padded() -> Step:
        import torch

        learn = _learner(cell, d, h, classes)
        x, y = torch.randn(len(lengths), int(lengths.max()), d), torch.randint(0, classes, (len(lengths),))
        return lambda: learn(x, y)

    return {**_for_threads(threads, packed, "torch packed"), **_for_threads(threads, padded, "torch padded")}


def prediction(cell: str, n: int, t: int, d: int, h: int, classes: int, threads: int) -> dict[str, Step]:
    """Forward under inference_mode."""

    def make() -> Step:
        import torch

        layer, head = getattr(torch.nn, cell)(d, h, batch_first=True).eval(), torch.nn.Linear(h, classes)
        x = torch.randn(n, t, d)

        def step() -> None:
            with torch.inference_mode():
                head(layer(x)[0][:, -1])

        return step

    return _for_threads(threads, make)


def live(cell: str, d: int, h: int) -> dict[str, Step]:
    """nn.LSTMCell or nn.GRUCell under inference_mode, one thread."""

    def make() -> Step:
        import torch

        layer, x = getattr(torch.nn, f"{cell}Cell")(d, h).eval(), torch.randn(1, d)
        state = [torch.zeros(1, h)] * 2 if cell == "LSTM" else torch.zeros(1, h)

        def step() -> None:
            nonlocal state
            with torch.inference_mode():
                state = layer(x, state)

        return step

    return _for_threads(1, make)


def epoch(cell: str, n: int, t: int, d: int, h: int, classes: int, threads: int) -> dict[str, Step]:
    """An update for each batch of 64, in a new order, both directions."""

    def make() -> Step:
        import torch

        learn = _learner(cell, d, h, classes, both=True)
        x, y = torch.randn(n, t, d), torch.randint(0, classes, (n,))

        def step() -> None:
            for chosen in torch.randperm(n).split(64):
                learn(x[chosen], y[chosen])

        return step

    return _for_threads(threads, make)
