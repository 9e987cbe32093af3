"""Network.input_gradient in float64 is the complex-step derivative of each sequence's loss by its own values."""

from dataclasses import replace

import numpy as np
import pytest

from cases import ATTENTION, CELLS, OPTIONS, Case, all_cases, draw
from comparisons import assert_close
from elman.errors import DataError
from elman.kernels import reference, reference_network
from engine import masks_of_the_engine, network_for, run_engine

MANY = (3, 9, 1, 14, 2, 2, 7, 30, 5, 1, 8, 40, 33, 6, 12, 4, 10, 25, 11, 28, 36)
STEP = 1e-200


def losses_of(case, batch, sequences, targets):
    """The loss of each row of logits by the reference's forward alone, a list of arrays: one for each sequence."""
    masks = masks_of_the_engine(case, None)
    runs = [
        reference_network.network_forward(x, batch.weights, **case.settings, masks=of_sequence)
        for x, of_sequence in zip(sequences, masks)
    ]
    cuts = np.cumsum([len(run.logits) for run in runs])[:-1]
    return [reference.cross_entropy(run.logits, wanted)[0] for run, wanted in zip(runs, np.split(targets, cuts))]


def complex_step_by_values(case, batch):
    """dL_n/dx = Im L_n(x + i e) / e, L_n the sum over the sequence's rows; all sequences take a step at a time."""
    gradient = [np.zeros(x.shape) for x in batch.sequences]
    for t in range(max(case.lengths)):
        for d in range(case.input_size):
            moved = [x.astype(complex) for x in batch.sequences]
            for x in moved:
                x[t : t + 1, d] += 1j * STEP
            for d_x, loss in zip(gradient, losses_of(case, batch, moved, batch.targets)):
                d_x[t : t + 1, d] = loss.sum().imag / STEP
    return np.concatenate(gradient)


def options():
    """One network of each option, and all of them together."""
    for cell in CELLS:
        for name in OPTIONS:
            yield Case(
                cell, 2, True, hidden_size=5, **{name: 0.3 if name in ("zoneout", "recurrent_dropout") else True}
            )
        yield Case(
            cell,
            2,
            True,
            *ATTENTION,
            hidden_size=5,
            residual=True,
            layer_norm=True,
            zoneout=0.2,
            learn_initial_state=True,
        )


@pytest.mark.parametrize("case", [*all_cases(), *options()], ids=str)
def test_gradient_by_the_values_is_the_complex_step_derivative(case):
    batch = draw(case)
    found = network_for(case, batch.weights).input_gradient(batch.values, batch.offsets, batch.targets)
    assert_close(found.d_values, complex_step_by_values(case, batch), 1e-12)
    assert_close(found.losses, np.concatenate(losses_of(case, batch, batch.sequences, batch.targets)), 1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_do_not_depend_on_batch_or_threads(cell, dtype):
    case = Case(cell, 2, True, "mean", lengths=MANY, hidden_size=9)
    batch = draw(case)
    network, values = network_for(case, batch.weights, dtype), batch.values.astype(dtype)
    together = network.input_gradient(values, batch.offsets, batch.targets, n_threads=4)
    for n, (start, stop) in enumerate(zip(batch.offsets[:-1], batch.offsets[1:])):
        alone = network.input_gradient(values[start:stop], np.array([0, stop - start]), batch.targets[n : n + 1])
        assert (alone.d_values == together.d_values[start:stop]).all()
        assert alone.losses == together.losses[n : n + 1]
    one_thread = network.input_gradient(values, batch.offsets, batch.targets, n_threads=1)
    assert (one_thread.d_values == together.d_values).all()


def test_float32_is_near_float64():
    case = Case("lstm", 2, True, lengths=MANY, hidden_size=9)
    batch = draw(case)
    exact = network_for(case, batch.weights).input_gradient(batch.values, batch.offsets, batch.targets)
    network = network_for(case, batch.weights, "float32")
    found = network.input_gradient(batch.values.astype(np.float32), batch.offsets, batch.targets)
    assert_close(found.d_values, exact.d_values, 3e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_column_of_codes_has_the_gradient_by_its_vector_times_the_vector(cell):
    case = Case(cell, 1, True, embeddings=((1, 6, 3), (4, 3, 2)))
    batch = draw(case)
    network = network_for(case, batch.weights)
    found = network.input_gradient(batch.values, batch.offsets, batch.targets)
    inputs = reference_network.embed(batch.values, batch.weights, case.embeddings)
    assert (network.first_inputs(batch.values) == inputs).all()

    plain = replace(case, embeddings=(), input_size=inputs.shape[1])
    sequences = np.split(inputs, batch.offsets[1:-1])
    d_inputs = complex_step_by_values(plain, replace(batch, sequences=sequences))
    assert_close(found.d_values[:, [0, 2, 3]], d_inputs[:, :3], 1e-12)
    assert_close(found.d_values[:, 1], (inputs * d_inputs)[:, 3:6].sum(axis=1), 1e-12)
    assert_close(found.d_values[:, 4], (inputs * d_inputs)[:, 6:].sum(axis=1), 1e-12)


def test_the_network_from_its_inputs_on_follows_the_parameters():
    case = Case("gru", embeddings=((1, 6, 3),))
    batch = draw(case)
    network = network_for(case, batch.weights)
    inner = network.from_inputs()
    network.parameters.vector[:] *= 0.5
    logits = inner.logits(network.first_inputs(batch.values), batch.offsets)
    assert (logits == network.logits(batch.values, batch.offsets)).all()


def test_steps_without_a_label_count_for_nothing():
    case = Case("gru", 1, True, loss_at="every_step")
    batch = draw(case)
    network = network_for(case, batch.weights)
    targets = np.full(len(batch.targets), -1)
    targets[1] = 2
    found = network.input_gradient(batch.values, batch.offsets, targets)
    only = complex_step_by_values(case, replace(batch, targets=np.where(targets < 0, 0, targets)))
    assert (found.losses != 0).tolist() == (targets >= 0).tolist()
    assert (found.d_values[3:] == 0).all()  # the other sequences
    assert np.abs(found.d_values[:3]).min() > 0
    assert np.abs(found.d_values[:3] - only[:3]).max() > 1e-3  # the whole sum is another thing


def test_asking_for_it_leaves_training_as_it_is():
    case = Case("lstm", 2, True, "mean")
    batch = draw(case)
    before = run_engine(case, batch)
    network = network_for(case, batch.weights)
    network.input_gradient(batch.values, batch.offsets, batch.targets)
    after = network.loss_and_gradient(batch.values, batch.offsets, batch.targets)
    named = network.parameters.named(after.gradient)
    assert all((named[name] == before.gradients[name]).all() for name in named)


@pytest.mark.parametrize("code", [-1.0, 6.0, 1.5, np.nan])
def test_what_is_no_code_is_refused(code):
    case = Case("gru", embeddings=((1, 6, 3),))
    batch = draw(case)
    values = batch.values.copy()
    values[2, 1] = code
    with pytest.raises(DataError, match=r"values column 1 must hold codes 0\.\.5, got"):
        network_for(case, batch.weights).input_gradient(values, batch.offsets, batch.targets)
