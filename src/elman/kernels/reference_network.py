"""The textbook, continued: layers, both directions, dropout, readout and loss over a ragged list of sequences.

    x = a sequence (T, D), its codes replaced: x_t = [numeric columns | E_0[code_0] | E_1[code_1] | ...]
    for each layer:  x = [forward(x) | reverse(forward(reverse(x)))]  (T, F), plus x itself with residual connections
                     between layers of one size, times a dropout mask except after the last
    features = h at each direction's own last step, the mean of h or its maximum over time, or attention: sum of a_t h_t
               with a = softmax over time of h_t . w_attention;  or h_t at every step
    logits = W_out features + b_out,   L = mean of the cross-entropy over sequences, or over all steps of all sequences

The reverse direction starts at the sequence's own end. Shapes and names as in `reference`; N sequences, S steps in all,
R rows of logits for a sequence: one, or one a step.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from elman.kernels.reference import CELLS, Array, cross_entropy, softmax
from elman.kernels.reference_options import Options, Tape, backward, forward

_DIRECTIONS = (("", 1), ("_reverse", -1))  # what PyTorch appends to the names, and the way that time is read
Embeddings = Sequence[tuple[int, int, int]]
_PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_GAINS = ("gain_ih", "gain_hh")


class Masks(NamedTuple):
    """What is drawn for one sequence; empty: nothing is."""

    between: Sequence[
        Array
    ] = ()  # what the output of each layer but the last is multiplied by (T, F): 0, 1 / (1 - rate)
    recurrent: Sequence[Array] = ()  # what h_{t-1} is multiplied by (H,), for each layer and direction in turn
    zoneout: Sequence[Array] = ()  # how much of each state stays (T, K, H), likewise, in the order in which it reads


_NOTHING_DRAWN = Masks()


class Run(NamedTuple):
    """What a forward run of one sequence leaves for backward."""

    values: Array  # (T, D) the sequence as it came
    tapes: list[list[Tape]]  # one for each layer and direction
    options: list[list[Options]]  # likewise
    adds_input: list[bool]  # of each layer
    masks: Sequence[Array]  # see Masks.between
    h: Array  # (T, F) the last layer's output
    share: Array | None  # how much each h_t weighs in the features (T, F); None: logits at every step
    features: Array  # (R, F)
    logits: Array  # (R, C)


class Way(NamedTuple):
    """What a backward run of one sequence came by."""

    found: list[list[dict[str, Array]]]  # by `reference_options.backward`, for each layer and direction
    d_h: Array  # (T, F) what the last layer's output received from the readout
    d_features: Array  # (R, F)
    d_score: Array | None  # (T,) dL/d(h_t . w_attention)
    d_x: Array  # (T, .) dL/d(input of the first layer), codes replaced

    @property
    def d_states(self) -> list[list[Array]]:
        """The total derivative by the states of each layer and direction, (T, K, H) in the sequence's own order."""
        return [[found["d_states"][::way] for found, (_, way) in zip(layer, _DIRECTIONS)] for layer in self.found]


def network_forward(
    x: Array,
    weights: Mapping[str, Array],
    *,
    cell: str,
    num_layers: int = 1,
    bidirectional: bool = False,
    readout: str = "last",
    loss_at: str = "last",
    residual: bool = False,
    masks: Masks = _NOTHING_DRAWN,
    embeddings: Embeddings = (),
) -> Run:
    """Run one sequence x (T, D) through all layers and the readout."""
    h, tapes, all_options, adds_input = embed(x, weights, embeddings), [], [], []
    directions = _DIRECTIONS if bidirectional else _DIRECTIONS[:1]
    for layer in range(num_layers):
        outputs, layer_tapes, layer_options = [], [], []
        for end, (suffix, way) in enumerate(directions):
            options = options_of(weights, f"_l{layer}{suffix}", cell, masks, layer * len(directions) + end)
            weight_ih, weight_hh, bias_ih, bias_hh = (weights[f"{name}_l{layer}{suffix}"] for name in _PARAMETERS)
            output, tape = forward(h[::way], weight_ih, weight_hh, bias_ih, bias_hh, options, cell=cell)
            outputs.append(output[::way])
            layer_tapes.append(tape)
            layer_options.append(options)
        output = np.concatenate(outputs, axis=1)
        adds_input.append(residual and layer > 0 and output.shape == h.shape)
        h = output + h if adds_input[-1] else output
        if layer < len(masks.between):
            h = h * masks.between[layer]
        tapes.append(layer_tapes)
        all_options.append(layer_options)
    share = None
    if loss_at == "last" and readout == "attention":
        share = softmax(h @ weights["weight_attention"])[:, None]
    elif loss_at == "last":
        share = readout_share(h, readout, bidirectional=bidirectional)
    features = h if share is None else (share * h).sum(axis=0, keepdims=True)
    logits = features @ weights["weight_out"].T + weights["bias_out"]
    return Run(x, tapes, all_options, adds_input, masks.between, h, share, features, logits)


def options_of(weights: Mapping[str, Array], suffix: str, cell: str, masks: Masks, direction: int) -> Options:
    """Return the options of one layer in one direction: what has parameters is on."""
    start: tuple[Array, ...] = tuple(
        weights[state + suffix] for state in ("h_0", "c_0")[: CELLS[cell].states] if state + suffix in weights
    )
    gain_ih, gain_hh = (weights.get(name + suffix) for name in _GAINS)
    mask, zoneout = (of[direction] if of else None for of in (masks.recurrent, masks.zoneout))
    return Options(start or None, gain_ih, gain_hh, mask, zoneout)


def embed(values: Array, weights: Mapping[str, Array], embeddings: Embeddings) -> Array:
    """Return the input of the first layer: the columns that hold no codes, then the vectors of the codes."""
    if not embeddings:
        return values
    columns = [column for column, _, _ in embeddings]
    codes = np.real(values[:, columns]).astype(int)
    vectors = [weights[f"weight_embedding_{k}"][codes[:, k]] for k in range(len(embeddings))]
    return np.concatenate([np.delete(values, columns, axis=1), *vectors], axis=1)


def embed_backward(d_x: Array, values: Array, gradients: dict[str, Array], embeddings: Embeddings) -> None:
    """Add dL/dx_t (T, .) of the first layer's input to the gradients of the vectors it was made of."""
    at = values.shape[1] - len(embeddings)
    for k, (column, _, size) in enumerate(embeddings):
        codes = np.real(values[:, column]).astype(int)
        np.add.at(gradients[f"weight_embedding_{k}"], codes, d_x[:, at : at + size])
        at += size


def network_backward(
    d_logits: Array,
    run: Run,
    weights: Mapping[str, Array],
    gradients: dict[str, Array],
    *,
    cell: str,
    embeddings: Embeddings = (),
) -> Way:
    """Carry dL/d(logits) (R, C) back to all weights of the network, adding to their gradients."""
    gradients["weight_out"] += d_logits.T @ run.features
    gradients["bias_out"] += d_logits.sum(axis=0)
    d_features = d_logits @ weights["weight_out"]
    d_h = d_features if run.share is None else run.share * d_features
    d_score = None
    if run.share is not None and "weight_attention" in weights:
        d_share = run.h @ d_features[0]
        d_score = run.share[:, 0] * (d_share - run.share[:, 0] @ d_share)
        gradients["weight_attention"] += d_score @ run.h
        d_h = d_h + np.outer(d_score, weights["weight_attention"])
    d_readout, all_found = d_h, list[list[dict[str, Array]]]()
    for layer in reversed(range(len(run.tapes))):
        if layer < len(run.masks):
            d_h = d_h * run.masks[layer]
        halves = np.split(d_h, len(run.tapes[layer]), axis=1)
        d_x = [d_h] if run.adds_input[layer] else []
        all_found.insert(0, [])
        for (suffix, way), tape, options, d_half in zip(_DIRECTIONS, run.tapes[layer], run.options[layer], halves):
            weight_ih, weight_hh = (weights[f"{name}_l{layer}{suffix}"] for name in ("weight_ih", "weight_hh"))
            found = backward(d_half[::way], tape, weight_ih, weight_hh, options, cell=cell)
            for name in (*_PARAMETERS, *(_GAINS if options.gain_ih is not None else ())):
                gradients[f"{name}_l{layer}{suffix}"] += found[f"d_{name}"]
            if options.start is not None:
                for state, d_start in zip(("h_0", "c_0"), found["d_start"]):
                    gradients[f"{state}_l{layer}{suffix}"] += d_start
            all_found[0].append(found)
            d_x.append(found["d_x"][::way])
        d_h = sum(d_x[1:], start=d_x[0])
    embed_backward(d_h, run.values, gradients, embeddings)
    return Way(all_found, d_readout, d_features, d_score, d_h)


def readout_share(h: Array, readout: str, *, bidirectional: bool) -> Array:
    """Return how much each h_t weighs in the features (T, F): features = sum over t of share_t h_t.

    last: all on the step at which each direction ends; mean: 1 / T each; max: all on the largest, feature by feature.
    """
    steps, width = h.shape
    share = np.zeros(h.shape, np.real(h).dtype)
    if readout == "mean":
        share[:] = 1 / steps
    elif readout == "max":
        share[np.real(h).argmax(axis=0), np.arange(width)] = 1
    else:
        forward_width = width // 2 if bidirectional else width
        share[-1, :forward_width] = 1
        share[0, forward_width:] = 1
    return share


def loss_and_gradient(
    sequences: Sequence[Array],
    targets: Array,
    weights: Mapping[str, Array],
    *,
    cell: str,
    num_layers: int = 1,
    bidirectional: bool = False,
    readout: str = "last",
    loss_at: str = "last",
    residual: bool = False,
    masks: Sequence[Masks] | None = None,
    embeddings: Embeddings = (),
    target_weights: Array | None = None,
    label_smoothing: float = 0.0,
) -> tuple[Array, dict[str, Array], Array]:
    """Return the loss, its gradient by every weight, and the logits.

    Parameters
    ----------
    sequences : N arrays (T_n, D)
    targets : int array (N,), or (S,) with loss_at="every_step"
        Class codes 0, ..., C - 1; one for each step of each sequence in turn if the loss is at every step;
        -1 where there is no label.
    weights : mapping of name to array
        weight_ih_l0 (G, D), weight_hh_l0 (G, H), bias_ih_l0 (G,), bias_hh_l0 (G,), ..._l0_reverse, ..._l1 with D = F
        and so on, as PyTorch names them; weight_out (C, F), bias_out (C,). Where there are gain_ih_l0 (G,) and
        gain_hh_l0 (G,), a layer normalises; where there is h_0_l0 (H,), and for an LSTM c_0_l0, it starts from there.
    cell : "elman", "elman_relu", "lstm", "gru"
    readout : "last", "mean", "max", "attention"
        Not used with loss_at="every_step".
    loss_at : "last", "every_step"
    residual : whether a layer adds its input to its output, where both are of one size
    masks : N Masks
        What dropout, recurrent dropout and zoneout drew for each sequence.
    embeddings : (column, codes, size) of each column of the sequences that holds codes, columns rising
        Their vectors are weight_embedding_0 (codes, size), ..._1 and so on.
    target_weights : float array, one for each target
        How much each counts; default 1 each.
    label_smoothing : float
        The share of each target that is spread evenly over all classes.

    Returns
    -------
    loss : scalar
        Mean over the sequences, or over all steps of all sequences, weighted: see `shares_of_loss`.
    gradients : dict of arrays, names and shapes as `weights`
    logits : array (N, C), or (S, C) with loss_at="every_step"
    """
    runs = [
        network_forward(
            x,
            weights,
            cell=cell,
            num_layers=num_layers,
            bidirectional=bidirectional,
            readout=readout,
            loss_at=loss_at,
            residual=residual,
            masks=_NOTHING_DRAWN if masks is None else masks[n],
            embeddings=embeddings,
        )
        for n, x in enumerate(sequences)
    ]
    logits = np.concatenate([run.logits for run in runs])
    losses, d_logits = cross_entropy(logits, targets, label_smoothing)
    shares = shares_of_loss(targets, target_weights).astype(np.real(losses).dtype)
    gradients = {name: np.zeros(weight.shape, logits.dtype) for name, weight in weights.items()}
    ends = np.cumsum([len(run.logits) for run in runs])
    for run, d_rows in zip(runs, np.split(shares[:, None] * d_logits, ends[:-1])):
        network_backward(d_rows, run, weights, gradients, cell=cell, embeddings=embeddings)
    return shares @ losses, gradients, logits


def shares_of_loss(targets: Array, target_weights: Array | None = None) -> Array:
    """Return how much each target's loss weighs in the loss of the batch: w / sum(w), and 0 where there is no label."""
    counted = np.where(targets < 0, 0.0, 1.0 if target_weights is None else target_weights)
    total = counted.sum()
    return counted / total if total > 0 else counted
