"""The networks on which the engine is compared with others: every kind, ragged, random weights, all sizes distinct."""

import functools
import itertools
from dataclasses import dataclass, field, replace

import numpy as np

from elman.kernels import reference, reference_network

CELLS = ("elman", "elman_relu", "lstm", "gru")
ATTENTION = ("attention", "last")
HEADS = (("last", "last"), ("mean", "last"), ("max", "last"), ("last", "every_step"))  # (readout, loss_at)


OPTIONS = ("learn_initial_state", "recurrent_dropout", "zoneout", "layer_norm")  # beside those that the reference takes


@dataclass(frozen=True)
class Case:
    """A kind of network and the sizes of a batch for it."""

    cell: str = "gru"
    num_layers: int = 1
    bidirectional: bool = False
    readout: str = "last"
    loss_at: str = "last"
    dropout: float = 0.0
    lengths: tuple[int, ...] = (3, 1, 6)
    input_size: int = 5
    hidden_size: int | tuple[int, ...] = 2
    n_classes: int = 4
    residual: bool = False
    learn_initial_state: bool = False
    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    layer_norm: bool = False
    embeddings: tuple[tuple[int, int, int], ...] = ()  # (column, codes, size)
    weighted: bool = False  # targets that count more or less, and some without a label
    label_smoothing: float = 0.0
    seed: int = 103  # leaves no gradient at zero, even where the largest output of every unit is at the first step

    def __str__(self) -> str:
        directions = "both" if self.bidirectional else "one"
        head = "steps" if self.loss_at == "every_step" else self.readout
        names = ("dropout", "embeddings", "weighted", "label_smoothing", "residual", *OPTIONS)
        options = [name for name in names if getattr(self, name)]
        if isinstance(self.hidden_size, tuple):
            options.append("widths")
        return "-".join([self.cell, str(self.num_layers), directions, head, *options])

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """The units of each layer in one direction."""
        return self.hidden_size if isinstance(self.hidden_size, tuple) else (self.hidden_size,) * self.num_layers

    @property
    def directions(self) -> int:
        """How many directions a layer has."""
        return 2 if self.bidirectional else 1

    @property
    def states(self) -> tuple[str, ...]:
        """The states of the cell."""
        return ("h", "c") if self.cell == "lstm" else ("h",)

    @property
    def settings(self) -> dict:
        """The options that the reference and an Architecture share."""
        names = ("cell", "num_layers", "bidirectional", "readout", "loss_at", "embeddings", "residual")
        return {name: getattr(self, name) for name in names}

    @property
    def architecture(self) -> dict:
        """The arguments of an Architecture."""
        names = ("input_size", "n_classes", "hidden_size", "dropout", *OPTIONS)
        return {**self.settings, **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True)
class Batch:
    """Sequences, targets and weights, float64, for a case."""

    sequences: list = field(repr=False)
    targets: np.ndarray = field(repr=False)
    weights: dict = field(repr=False)
    target_weights: np.ndarray | None = field(default=None, repr=False)

    @property
    def values(self):
        """All sequences end to end (S, D)."""
        return np.concatenate(self.sequences)

    @property
    def offsets(self):
        """Where each sequence begins in `values` (N + 1,)."""
        return np.concatenate([[0], np.cumsum([len(x) for x in self.sequences])]).astype(np.int64)


def all_cases(**changes) -> list[Case]:
    """Every cell, depth, direction, readout and place of the loss."""
    kinds = itertools.product(CELLS, (1, 2, 3), (False, True), HEADS)
    return [
        replace(Case(cell, num_layers, bidirectional, readout, loss_at), **changes)
        for cell, num_layers, bidirectional, (readout, loss_at) in kinds
    ]


def parameter_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """The names and shapes that PyTorch gives to the parameters, then the readout's."""
    gates = {"elman": 1, "elman_relu": 1, "lstm": 4, "gru": 3}[case.cell]
    shapes: dict[str, tuple[int, ...]] = {}
    for k, (_, n_codes, size) in enumerate(case.embeddings):
        shapes[f"weight_embedding_{k}"] = (n_codes, size)
    first_inputs = case.input_size + sum(size - 1 for _, _, size in case.embeddings)
    for layer, suffix in itertools.product(range(case.num_layers), ("", "_reverse")[: case.directions]):
        hidden, rows = case.hidden_sizes[layer], gates * case.hidden_sizes[layer]
        inputs = first_inputs if layer == 0 else case.hidden_sizes[layer - 1] * case.directions
        shapes[f"weight_ih_l{layer}{suffix}"] = (rows, inputs)
        shapes[f"weight_hh_l{layer}{suffix}"] = (rows, hidden)
        shapes[f"bias_ih_l{layer}{suffix}"] = (rows,)
        shapes[f"bias_hh_l{layer}{suffix}"] = (rows,)
        if case.layer_norm:
            shapes[f"gain_ih_l{layer}{suffix}"] = (rows,)
            shapes[f"gain_hh_l{layer}{suffix}"] = (rows,)
        if case.learn_initial_state:
            shapes |= {f"{state}_0_l{layer}{suffix}": (hidden,) for state in case.states}
    features = case.hidden_sizes[-1] * case.directions
    if case.readout == "attention" and case.loss_at == "last":
        shapes["weight_attention"] = (features,)
    return {**shapes, "weight_out": (case.n_classes, features), "bias_out": (case.n_classes,)}


def draw(case: Case) -> Batch:
    """Draw a batch and weights for a case; a relu is moved upwards so that its units live."""
    rng = np.random.default_rng(case.seed)
    sequences = [rng.standard_normal((length, case.input_size)) for length in case.lengths]
    for column, n_codes, _ in case.embeddings:
        codes = np.split(rng.permutation(np.arange(sum(case.lengths)) % n_codes), np.cumsum(case.lengths)[:-1])
        for sequence, of_sequence in zip(sequences, codes):
            sequence[:, column] = of_sequence
    rows = sum(case.lengths) if case.loss_at == "every_step" else len(case.lengths)
    targets = rng.permutation(np.arange(rows) % case.n_classes)  # every class, as often as the others
    weights = {}
    for name, shape in parameter_shapes(case).items():
        weights[name] = rng.standard_normal(shape) * (0.8 / np.sqrt(shape[-1]) if len(shape) == 2 else 0.5)
        if case.cell == "elman_relu" and name.startswith("bias_ih"):
            weights[name] += 1
    if not case.weighted:
        return Batch(sequences, targets, weights)
    targets[1::3] = -1
    return Batch(sequences, targets, weights, rng.uniform(0.2, 3, rows))


def draw_masks(case: Case) -> list[reference_network.Masks]:
    """Draw what dropout between layers multiplies by, for every sequence."""
    rng = np.random.default_rng(case.seed + 1)
    width = case.hidden_sizes[0] * case.directions
    return [
        reference_network.Masks(
            [(rng.random((length, width)) >= case.dropout) / (1 - case.dropout) for _ in range(case.num_layers - 1)]
        )
        for length in case.lengths
    ]


def complex_step_gradient(case: Case, batch: Batch, masks=None) -> dict[str, np.ndarray]:
    """Return dL/dw = Im L(w + i e) / e for every weight: the derivative of the reference's forward, exact to rounding.

    Source: Squire & Trapp, "Using complex variables to estimate derivatives of real functions" (1998).
    """
    gradients = {}
    for name, weight in batch.weights.items():
        gradients[name] = np.zeros(weight.shape)
        for place in np.ndindex(weight.shape):
            moved = weight.astype(complex)
            moved[place] += 1e-200j
            loss = _loss(case, batch, {**batch.weights, name: moved}, masks)
            gradients[name][place] = loss.imag / 1e-200
    return gradients


@functools.cache
def cached_complex_step_gradient(case: Case) -> dict[str, np.ndarray]:
    """Return complex_step_gradient of the case's own batch, without dropout."""
    return complex_step_gradient(case, draw(case))


def _loss(case, batch, weights, masks):
    """The loss by the reference's forward alone."""
    masks = [reference_network.Masks()] * len(batch.sequences) if masks is None else masks
    runs = [
        reference_network.network_forward(x, weights, **case.settings, masks=of_sequence)
        for x, of_sequence in zip(batch.sequences, masks)
    ]
    logits = np.concatenate([run.logits for run in runs])
    losses, _ = reference.cross_entropy(logits, batch.targets, case.label_smoothing)
    return reference_network.shares_of_loss(batch.targets, batch.target_weights) @ losses
