"""Backpropagation through time in three steps: a recurrent network small enough to print.

The task: a bell is struck three times, each time the low one or the high one,
and heard in four bands of frequency. Is the third stroke the same bell as the
first? No stroke by itself tells, so the network has to carry the first one in
its hidden state past the second: that is what the recurrence is for.

    forward    h_0 = 0;  h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)
               y_t = softmax(W_out h_t + b_out)
    loss       L = -log y_3[class]
    backward   dL/dh_3 comes from the loss,  dL/dh_{t-1} from dL/dh_t:
               dL/da_t = dL/dh_t (1 - h_t^2),   dL/dh_{t-1} = W_hh^T dL/da_t
               and each weight gathers its gradient over the steps:
               dL/dW_hh = sum over t of  dL/da_t h_{t-1}^T,  and so on
    update     W <- W - learning_rate * dL/dW,  and again

`elman.kernels.reference` has these lines as plain NumPy, and is worth reading
beside this. At the end the compiled engine trains the same network.

Run it:  python examples/three_steps.py
See it:  elman unroll --output unrolled.html
"""

from dataclasses import dataclass

import numpy as np

from elman.kernels import reference
from elman.network.architecture import Architecture
from elman.network.network import Network

STEPS, BANDS, HIDDEN, CLASSES = 3, 4, 5, 2  # T, D, H, C
BELLS = np.array([[0.9, 0.6, 0.1, 0.0], [0.0, 0.2, 0.7, 0.8]])  # how loud in each band: the low one, the high one
NAMES = ("another", "the same")
N_SEQUENCES, EPOCHS, LEARNING_RATE = 32, 200, 1.0


@dataclass(frozen=True)
class Result:
    """What the walk found out."""

    losses: np.ndarray  # the loss before each update (EPOCHS,)
    accuracy: float  # on fresh sequences
    d_h_norms: np.ndarray  # |dL/dh_t| at t = 1, 2, 3 for the sequence shown, before training
    engine_losses: np.ndarray
    largest_difference: float  # between any weight of the two trainings


def draw_task(rng, n):
    """Return sequences (n, T, D) of strokes, with noise, and their classes (n,): 1 if the first bell comes back."""
    bells = rng.integers(0, 2, (n, STEPS))
    sequences = BELLS[bells] + 0.1 * rng.standard_normal((n, STEPS, BANDS))
    return sequences, (bells[:, 0] == bells[:, 2]).astype(np.int64)


def initialise(rng):
    """Draw the weights, U(-1/sqrt(H), 1/sqrt(H)) as PyTorch does."""
    bound = 1 / np.sqrt(HIDDEN)
    shapes = {
        "weight_ih_l0": (HIDDEN, BANDS),
        "weight_hh_l0": (HIDDEN, HIDDEN),
        "bias_ih_l0": (HIDDEN,),
        "bias_hh_l0": (HIDDEN,),
        "weight_out": (CLASSES, HIDDEN),
        "bias_out": (CLASSES,),
    }
    return {name: rng.uniform(-bound, bound, shape) for name, shape in shapes.items()}


def forward(x, weights):
    """Return h (T, H), the class scores at every step (T, C), and the tape."""
    layer = [weights[name] for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")]
    h, tape = reference.forward(x, *layer, cell="elman")
    return h, h @ weights["weight_out"].T + weights["bias_out"], tape


def backward(h, logits, tape, target, weights):
    """Return the loss at the last step, its gradient by every weight, and dL/dh_t at every step (T, H)."""
    losses, d_logits = reference.cross_entropy(logits[-1:], np.array([target]))
    d_output = np.zeros_like(h)
    d_output[-1] = d_logits[0] @ weights["weight_out"]  # the loss looks at h_3 only
    found = reference.backward(d_output, tape, weights["weight_ih_l0"], weights["weight_hh_l0"], cell="elman")
    gradient = {
        "weight_ih_l0": found.d_weight_ih,
        "weight_hh_l0": found.d_weight_hh,
        "bias_ih_l0": found.d_bias_ih,
        "bias_hh_l0": found.d_bias_hh,
        "weight_out": np.outer(d_logits[0], h[-1]),
        "bias_out": d_logits[0],
    }
    return losses[0], gradient, found.d_h


def train(sequences, targets, weights):
    """Update the weights in place, EPOCHS times; return the loss before each update."""
    history = np.zeros(EPOCHS)
    for epoch in range(EPOCHS):
        mean = {name: np.zeros_like(weight) for name, weight in weights.items()}
        for x, target in zip(sequences, targets):
            loss, gradient, _ = backward(*forward(x, weights), target, weights)
            history[epoch] += loss / len(sequences)
            for name in mean:
                mean[name] += gradient[name] / len(sequences)
        for name, weight in weights.items():
            weight -= LEARNING_RATE * mean[name]
    return history


def train_by_the_engine(sequences, targets, weights):
    """Do the same with the compiled engine: all sequences at once, all parameters in one vector."""
    architecture = Architecture(BANDS, CLASSES, cell="elman", hidden_size=HIDDEN, bidirectional=False)
    network = Network(architecture, dtype="float64")
    for name, weight in weights.items():
        network.parameters[name][...] = weight
    values = sequences.reshape(-1, BANDS)  # all sequences end to end,
    offsets = np.arange(len(sequences) + 1) * STEPS  # and where each begins
    history = np.zeros(EPOCHS)
    for epoch in range(EPOCHS):
        found = network.loss_and_gradient(values, offsets, targets)
        history[epoch] = found.loss
        network.parameters.vector[:] -= LEARNING_RATE * found.gradient
    return history, network.parameters


def table(title, rows):
    """Print one row a time step."""
    print(f"  {title}")
    for t, row in enumerate(rows, start=1):
        print(f"    t = {t}  " + " ".join(f"{value:8.4f}" for value in row))
    print()


def show(x, target, weights):
    """Print one sequence's way forward and back; return the norms of dL/dh_t."""
    h, logits, tape = forward(x, weights)
    loss, _, d_h = backward(h, logits, tape, target, weights)
    table("x_t: how loud the bell is in each band", x)
    table("h_t: what the network remembers after step t", h)
    table(f"y_t = softmax(W_out h_t + b_out): P({NAMES[0]}), P({NAMES[1]})", reference.softmax(logits))
    print(f"  Only y_3 counts. The answer is '{NAMES[target]}':")
    print(f"    L = -log y_3[{target}] = {loss:.4f}\n")
    table("dL/dh_t: how the loss would change with each h_t, from t = 3 back", d_h)
    norms = np.linalg.norm(d_h, axis=1)
    print("  Its length at t = 1, 2, 3: " + ", ".join(f"{norm:.4f}" for norm in norms) + "\n")
    return norms


def follow_one_weight(x, target, weights, i=0, j=1):
    """Print how one weight of W_hh gathers its gradient over the steps, and what a nudge to it does to the loss."""
    h, logits, tape = forward(x, weights)
    _, gradient, d_h = backward(h, logits, tape, target, weights)
    d_a = d_h * (1 - h**2)
    h_before = np.vstack([np.zeros(HIDDEN), h[:-1]])  # h_0, h_1, h_2
    w = weights["weight_hh_l0"][i, j]
    print(f"  One weight, from unit {j + 1} to unit {i + 1}: w = W_hh[{i + 1},{j + 1}] = {w:.4f}")
    for t in range(STEPS, 0, -1):
        slope, before = d_a[t - 1, i], h_before[t - 1, j]
        product = f"{slope:7.4f} x {before:7.4f} = {slope * before:9.6f}"
        print(f"    t = {t}:  dL/da_{t}[{i + 1}] h_{t - 1}[{j + 1}] = {product}")
    total = gradient["weight_hh_l0"][i, j]
    print(f"    their sum over the steps is dL/dw              = {total:9.6f}")
    nudge, losses = 1e-4, []
    for sign in (1, -1):
        nudged = {name: weight.copy() for name, weight in weights.items()}
        nudged["weight_hh_l0"][i, j] += sign * nudge
        losses.append(backward(*forward(x, nudged), target, nudged)[0])
    measured = (losses[0] - losses[1]) / (2 * nudge)
    print(f"    a nudge to w changes the loss at the rate of     {measured:9.6f}")
    print(f"    gradient descent would set w to {w - LEARNING_RATE * total:.4f}\n")
    return total, measured


def main():
    """Walk through the training of the network, printing what happens; return a Result."""
    rng = np.random.default_rng(3)
    sequences, targets = draw_task(rng, N_SEQUENCES)

    print(f"1. Initialise: {BANDS} inputs, {HIDDEN} hidden units, {CLASSES} classes\n")
    weights = initialise(rng)
    for name, weight in weights.items():
        print(f"    {name:12s} {weight.shape}")
    print("\n  W_hh, which carries h_{t-1} into h_t:")
    for row in weights["weight_hh_l0"]:
        print("    " + " ".join(f"{value:8.4f}" for value in row))
    start = {name: weight.copy() for name, weight in weights.items()}

    print("\n2. Forward, loss, and backward through time, before any training\n")
    norms = show(sequences[0], targets[0], weights)
    print("  On its way from step 3 to step 1 the gradient passes W_hh^T and")
    print("  tanh' = 1 - h_t^2 twice. It shrinks: over many steps it would vanish.\n")

    follow_one_weight(sequences[0], targets[0], weights)

    print(f"3. Update, repeat: {EPOCHS} times, W <- W - {LEARNING_RATE} dL/dW,")
    print(f"   with the gradient's mean over {N_SEQUENCES} sequences\n")
    losses = train(sequences, targets, weights)
    for epoch in [*range(0, EPOCHS, EPOCHS // 10), EPOCHS - 1]:
        print(f"    epoch {epoch + 1:4d}   loss {losses[epoch]:.4f}  " + "#" * round(50 * losses[epoch]))

    print("\n4. The same sequence after training\n")
    show(sequences[0], targets[0], weights)
    print("  The loss never looked at y_1 and y_2: what they say is no answer. y_3 knows,")
    print("  because h_2 still holds the first stroke.\n")

    fresh, answers = draw_task(rng, 500)
    found = np.array([forward(x, weights)[1][-1].argmax() for x in fresh])
    accuracy = float(np.mean(found == answers))
    print(f"5. On {len(fresh)} fresh sequences: accuracy {accuracy:.3f}\n")

    print("6. The same training by the compiled engine (compiled first, if new here)\n", flush=True)
    engine_losses, engine_weights = train_by_the_engine(sequences, targets, start)
    largest = max(np.abs(engine_weights[name] - weights[name]).max() for name in weights)
    print(f"    last loss, textbook   {losses[-1]:.15f}")
    print(f"    last loss, engine     {engine_losses[-1]:.15f}")
    print(f"    largest difference between any two weights after {EPOCHS} updates: {largest:.1e}")
    return Result(losses, accuracy, norms, engine_losses, float(largest))


if __name__ == "__main__":
    main()
