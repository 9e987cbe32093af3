"""All parameters in one flat vector, named views into it, and how they start."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from elman.errors import ParameterError
from elman.kernels.cells import CELLS
from elman.network.architecture import Architecture

Array = np.ndarray[Any, Any]


class Parameters(Mapping[str, Array]):
    """A mapping from name to array, every array a view into `vector` (P,)."""

    def __init__(
        self, shapes: Mapping[str, tuple[int, ...]], dtype: np.dtype[Any], vector: Array | None = None
    ) -> None:
        """Lay parameters out in a vector of zeros, or in one that is there."""
        self._shapes = dict(shapes)
        size = sum(math.prod(shape) for shape in shapes.values())
        self._vector: Array = np.zeros(size, dtype) if vector is None else vector
        self._views = self.named(self._vector)

    @property
    def vector(self) -> Array:
        """All parameters end to end (P,); change it in place, for what computes with it holds this very array."""
        return self._vector

    def named(self, vector: Array) -> dict[str, Array]:
        """Return views into a vector (P,) laid out like the parameters: a gradient, a moment."""
        views, at = {}, 0
        for name, shape in self._shapes.items():
            size = math.prod(shape)
            views[name] = vector[at : at + size].reshape(shape)
            at += size
        return views

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the vector."""
        return tuple(self._shapes)

    def weight_slices(self) -> list[slice]:
        """Return where weights and embeddings lie in the vector: all but biases, gains and initial states."""
        slices: list[slice] = []
        at = 0
        for name, shape in self._shapes.items():
            stop = at + math.prod(shape)
            if name.startswith("weight_"):
                joins = bool(slices) and slices[-1].stop == at
                slices.append(slice(slices.pop().start if joins else at, stop))
            at = stop
        return slices

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __getstate__(self) -> dict[str, Any]:
        return {"shapes": self._shapes, "vector": self._vector}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._shapes = state["shapes"]
        self._vector = np.require(state["vector"], requirements=["C", "W", "A"])  # joblib may hand out mapped memory
        self._views = self.named(self._vector)


def initialise(
    parameters: Parameters,
    architecture: Architecture,
    rng: np.random.Generator,
    scheme: str,
    forget_bias: float | None,
    longest: int | None = None,
) -> None:
    """Draw the start of every parameter.

    scheme : one of INITIALISATIONS.
        "uniform": all of U(-1/sqrt(H), 1/sqrt(H)), as PyTorch;
        "glorot": weights of U(-a, a), a = sqrt(6 / (inputs + outputs)) a gate, biases 0 (Glorot & Bengio 2010);
        "orthogonal": recurrent weights orthogonal a gate, the others as "glorot" (Saxe et al. 2014);
        "identity": recurrent weights the identity, inputs of N(0, 0.001^2), for cells of one gate (Le et al. 2015);
        "chrono": as "orthogonal", with the biases of the gates that keep the state of log U(1, longest - 1), so that
        memories reach over 1 to `longest` steps, and an LSTM's input gate at their negative (Tallec & Ollivier 2018);
        "mixed": a quarter of the units as "chrono", the others as "orthogonal".
    Embeddings start at N(0, 1 / size), vectors of about the length of a one-hot code, as fairseq's (Ott et al. 2019);
    with "uniform" at N(0, 1), as PyTorch's. Shorter vectors overfit later: on words by their letters, validation losses
    were 1 to 3 % below those of N(0, 1), for GRU and LSTM and sizes 8 and 32.
    The weight of attention starts as a linear layer's from the features with "uniform", else at 0: the mean over time.

    forget_bias : start of an LSTM's forget gate, whole in bias_ih (Jozefowicz et al. 2015); None: as the scheme has it.
        "chrono" draws it.
    longest : steps of the longest sequence, for "chrono"
    """
    cell = CELLS[architecture.cell]
    if scheme in _REMEMBERING and (cell.name not in _KEEPING or longest is None):
        raise ParameterError(
            f"The 'initialisation' parameter {scheme!r} is for cells with gates that keep their state, "
            f"{' and '.join(_KEEPING)}, and needs the steps of the longest sequence. "
            f"Got cell='{cell.name}' and longest={longest}; use 'orthogonal' instead."
        )
    if scheme == "identity" and len(cell.gates) > 1:
        raise ParameterError(
            f"The 'initialisation' parameter 'identity' is for cells of one gate, elman_relu above all. "
            f"Got it with cell='{cell.name}'; use 'orthogonal' instead."
        )
    for name, values in parameters.items():
        is_of_layer = "_l" in name
        size = architecture.hidden_sizes[layer_of(name)] if is_of_layer else architecture.n_features
        if name.startswith("weight_embedding"):
            values[...] = rng.standard_normal(values.shape) * (1 if scheme == "uniform" else values.shape[1] ** -0.5)
        elif name.startswith("gain_"):
            values[...] = 1
        elif name.startswith(_STARTS):
            values[...] = 0
        elif scheme == "uniform":
            values[...] = rng.uniform(-1 / math.sqrt(size), 1 / math.sqrt(size), values.shape)
        elif values.ndim == 2:
            _WEIGHTS[scheme](name, values, size if is_of_layer else len(values), rng)
        else:
            values[...] = 0
    if forget_bias is not None and "f" in cell.gates:
        gate = cell.gates.index("f")
        for name, values in parameters.items():
            if name.startswith("bias_") and not name.endswith("_out"):
                size = architecture.hidden_sizes[layer_of(name)]
                values[gate * size : (gate + 1) * size] = forget_bias if name.startswith("bias_ih") else 0
    if scheme in _REMEMBERING and longest is not None:
        _remember(parameters, architecture, rng, longest, _REMEMBERING[scheme])


def _remember(
    parameters: Parameters, architecture: Architecture, rng: np.random.Generator, longest: int, share: float
) -> None:
    """Set the biases of the gates that decide how long a state is kept, for a share of the units of each layer.

    Both halves' sum counts, so one is set and the other is 0.
    """
    cell = CELLS[architecture.cell]
    keep = cell.gates.index(_KEEPING[cell.name])
    for layer, suffix in architecture.suffixes():
        size = architecture.hidden_sizes[layer]
        chosen = slice(0, math.ceil(share * size))
        gates = parameters[f"bias_ih{suffix}"].reshape(len(cell.gates), size)[:, chosen]
        gates[keep] = np.log(rng.uniform(1, max(longest - 1, 1), gates.shape[1]))
        parameters[f"bias_hh{suffix}"].reshape(len(cell.gates), size)[keep, chosen] = 0
        if "i" in cell.gates:
            gates[cell.gates.index("i")] = -gates[keep]


_STARTS = ("h_0_", "c_0_")
_REMEMBERING = {"chrono": 1.0, "mixed": 0.25}  # the share of the units that start with a long memory
_KEEPING = {"lstm": "f", "gru": "z"}  # the gate that keeps the state: c = f c + i g;  h = z h + (1 - z) n


def layer_of(name: str) -> int:
    """Return the layer of a parameter such as weight_ih_l1_reverse."""
    return int(name.partition("_l")[2].partition("_")[0])


def _glorot(name: str, weight: Array, rows: int, rng: np.random.Generator) -> None:
    bound = math.sqrt(6 / (rows + weight.shape[1]))
    weight[...] = rng.uniform(-bound, bound, weight.shape)


def _orthogonal(name: str, weight: Array, rows: int, rng: np.random.Generator) -> None:
    if not name.startswith("weight_hh"):
        _glorot(name, weight, rows, rng)
        return
    for gate in range(len(weight) // rows):
        q, r = np.linalg.qr(rng.standard_normal((rows, rows)))
        weight[gate * rows : (gate + 1) * rows] = q * np.where(np.diag(r) < 0, -1, 1)  # uniform over all rotations


def _identity(name: str, weight: Array, rows: int, rng: np.random.Generator) -> None:
    if name.startswith("weight_hh"):
        weight[...] = np.eye(rows)
    elif name.startswith("weight_ih"):
        weight[...] = rng.normal(0, 0.001, weight.shape)
    else:
        _glorot(name, weight, rows, rng)


_WEIGHTS: dict[str, Callable[[str, Array, int, np.random.Generator], None]] = {
    "glorot": _glorot,
    "orthogonal": _orthogonal,
    "identity": _identity,
    "chrono": _orthogonal,
    "mixed": _orthogonal,
}
INITIALISATIONS = ("uniform", *_WEIGHTS)
