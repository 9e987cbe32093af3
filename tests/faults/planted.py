"""The faults that a MonkeyPatch plants in the engine and takes out again; see also `planted_sources`."""

from dataclasses import replace

import numpy as np

from elman.kernels import compiled, flow
from elman.kernels.activations import sigmoid, tanh
from elman.kernels.cells import CELLS, Cell
from elman.kernels.compiled import ElementWise
from elman.network import network as networks
from elman.network.network import Network
from elman.network.parameters import Parameters
from elman.training import augmentation, optimizers, updater
from elman.training.callbacks import Callback
from elman.training.trainer import Trainer

# --- Faults in the weights --------------------------------------------------------------------------------------------


def see_weights_as(patch, change):
    """Let the engine compute with changed weights, and change their gradients back (`change` undoes itself).

    Forward and backward are wrong alike, so that the gradient is right for the loss: only an outsider can tell.
    """
    run = Network.loss_and_gradient

    def changed(network, vector):
        named = network.parameters.named(vector)
        gates = len(CELLS[network.architecture.cell].gates)
        for name, values in named.items():
            if not name.endswith("_out"):
                values[...] = change(name, np.split(values.copy(), gates))
        return vector

    def faulty(self, *arguments, **options):
        vector = self.parameters.vector
        kept = vector.copy()
        changed(self, vector)
        found = run(self, *arguments, **options)
        vector[:] = kept
        changed(self, found.gradient)
        return found

    patch.setattr(Network, "loss_and_gradient", faulty)


def two_gates_swapped(patch):
    see_weights_as(patch, lambda name, gates: np.concatenate([gates[1], gates[0], *gates[2:]]))


def weight_hh_transposed(patch):
    see_weights_as(
        patch, lambda name, gates: np.concatenate([g.T if name.startswith("weight_hh") else g for g in gates])
    )


def spoil_weights(patch, spoil):
    """Let the engine compute with spoilt weights."""
    run = Network.loss_and_gradient

    def faulty(self, *arguments, **options):
        kept = self.parameters.vector.copy()
        spoil(self, self.parameters)
        found = run(self, *arguments, **options)
        self.parameters.vector[:] = kept
        return found

    patch.setattr(Network, "loss_and_gradient", faulty)


def n_gate_bias_dropped(patch):
    def spoil(network, parameters):
        for name in parameters:
            if name.startswith("bias_hh"):
                parameters[name][-network.architecture.hidden_size :] = 0

    spoil_weights(patch, spoil)


def a_bias_counted_twice(patch):
    def spoil(network, parameters):
        for name in parameters:
            if name.startswith("bias_ih"):
                parameters[name][...] *= 2

    spoil_weights(patch, spoil)


# --- Faults in the gradient -------------------------------------------------------------------------------------------


def spoil_gradient(patch, spoil):
    run = Network.loss_and_gradient

    def faulty(self, *arguments, **options):
        found = run(self, *arguments, **options)
        spoil(self.parameters.named(found.gradient))
        return found

    patch.setattr(Network, "loss_and_gradient", faulty)


def sign_of_one_gradient_flipped(patch):
    def spoil(gradient):
        gradient["bias_hh_l0"] *= -1

    spoil_gradient(patch, spoil)


def gradient_of_one_unit_lost(patch):
    def spoil(gradient):
        gradient["weight_hh_l0"][-1] = 0

    spoil_gradient(patch, spoil)


def gradient_of_attention_too_small(patch):
    def spoil(gradient):
        gradient["weight_attention"] *= 0.999

    spoil_gradient(patch, spoil)


def gradient_of_one_code_lost(patch):
    def spoil(gradient):
        gradient["weight_embedding_1"][-1] = 0

    spoil_gradient(patch, spoil)


# --- Faults in what a batch holds -------------------------------------------------------------------------------------


def spoil_batch(patch, spoil):
    """Let the engine see other values, targets or weights than those of the batch."""
    run = Network.loss_and_gradient

    def faulty(self, values, offsets, targets, *, weights=None, **options):
        values, targets, weights = spoil(self.architecture, values, targets, weights)
        return run(self, values, offsets, targets, weights=weights, **options)

    patch.setattr(Network, "loss_and_gradient", faulty)


def weights_of_targets_forgotten(patch):
    spoil_batch(patch, lambda architecture, values, targets, weights: (values, targets, None))


def targets_without_a_label_counted(patch):
    spoil_batch(patch, lambda architecture, values, targets, weights: (values, np.abs(targets), weights))


def codes_one_too_high(patch):
    """Forward and backward are wrong alike: only an outsider, or the textbook, can tell."""

    def spoil(architecture, values, targets, weights):
        values = values.copy()
        for column, n_codes, _ in architecture.embeddings:
            values[:, column] = (values[:, column] + 1) % n_codes
        return values, targets, weights

    spoil_batch(patch, spoil)


def attention_turned_round(patch):
    def spoil(network, parameters):
        np.negative(parameters["weight_attention"], out=parameters["weight_attention"])

    spoil_weights(patch, spoil)


# --- Faults in time ---------------------------------------------------------------------------------------------------


def lengths_ignored(patch):
    """Every sequence is filled up with zeros to the longest, and the padding read as data."""
    run = Network.loss_and_gradient

    def faulty(self, values, offsets, targets, **options):
        lengths = np.diff(offsets)
        padded = np.zeros((len(lengths), lengths.max(), values.shape[1]), values.dtype)
        for n, length in enumerate(lengths):
            padded[n, :length] = values[offsets[n] : offsets[n + 1]]
        every = np.arange(len(lengths) + 1) * lengths.max()
        return run(self, padded.reshape(-1, values.shape[1]), every, targets, **options)

    patch.setattr(Network, "loss_and_gradient", faulty)


# --- Faults in the equations ------------------------------------------------------------------------------------------


@ElementWise
def gru_turned_round(r, z, n, n_hidden, h_prev):
    """GRU with the update gate as in its first paper: z lets the new state in, not the old one through."""
    r, z = sigmoid(r), sigmoid(z)
    n = tanh(n + r * n_hidden)
    return (r, z, n, n_hidden), (z * n + (1 - z) * h_prev,)


@ElementWise
def gru_turned_round_backward(r, z, n, n_hidden, h_prev, h, d_h):
    """Its own true derivative."""
    d_n = d_h * z * (1 - n * n)
    d_z = d_h * (n - h_prev) * z * (1 - z)
    d_r = d_n * n_hidden * r * (1 - r)
    return (d_r, d_z, d_n, d_n * r), (d_h * (1 - z),)


@ElementWise
def gru_with_a_flipped_sign(r, z, n, n_hidden, h_prev, h, d_h):
    """GRU whose update gate learns the wrong way."""
    d_n = d_h * (1 - z) * (1 - n * n)
    d_z = d_h * (n - h_prev) * z * (1 - z)
    d_r = d_n * n_hidden * r * (1 - r)
    return (d_r, d_z, d_n, d_n * r), (d_h * z,)


@ElementWise
def elman_without_its_slope(h_kept, h_prev, h, d_h):
    """Elman cell that forgets tanh'."""
    return (d_h,), (0.0,)


def use_cell(patch, name, forward, backward):
    """Let the engine take these equations for the cell `name`; what is compiled for them is not kept on disk."""

    def nowhere(*_):
        raise OSError

    right = CELLS[name]
    wrong = Cell(f"faulty_{name}", right.gates, right.states, forward, backward, right.apart)
    patch.setattr(compiled, "KernelCache", nowhere)
    patch.setitem(CELLS, name, wrong)
    patch.setitem(CELLS, wrong.name, wrong)


def update_gate_turned_round(patch):
    use_cell(patch, "gru", gru_turned_round, gru_turned_round_backward)


def sign_flipped_in_the_cell(patch):
    use_cell(patch, "gru", CELLS["gru"].forward, gru_with_a_flipped_sign)


def slope_forgotten(patch):
    use_cell(patch, "elman", CELLS["elman"].forward, elman_without_its_slope)


# --- Faults in what looks on ------------------------------------------------------------------------------------------


def use_observer(patch, name, **changes):
    """Let the gradient's flow through an LSTM be observed by other equations; these are not kept on disk."""

    def nowhere(*_):
        raise OSError

    patch.setattr(compiled, "KernelCache", nowhere)
    patch.setattr(flow, "CELLS", {**CELLS, "lstm": replace(CELLS["lstm"], name=f"faulty_lstm_{name}", **changes)})
    patch.setattr(networks, "observer", flow.observer.__wrapped__)


def dc_without_what_comes_through_h(patch):
    use_observer(patch, "without_h", through_h=None)


def flow_one_step_off(patch):
    @compiled.part("column_one_step_off")
    def column_of(watch, r, t):
        step = (t + 1) % watch.lengths[r]
        return watch.starts[r] + (watch.lengths[r] - 1 - step if watch.is_reverse else step)

    patch.setattr(flow, "_column_of", column_of)
    use_observer(patch, "one_step_off")


# --- Faults in training -----------------------------------------------------------------------------------------------


def adam_without_bias_correction(patch):
    adam = optimizers.adam
    patch.setattr(optimizers, "adam", lambda *a: adam(*a[:10], 1.0, *a[11:]))


def adamw_decay_in_the_gradient(patch):
    patch.setattr(optimizers.AdamW, "decoupled", False)


def nesterov_ignored(patch):
    sgd = optimizers.sgd
    patch.setattr(optimizers, "sgd", lambda *a: sgd(*a[:6], False, *a[7:]))


def rmsprop_epsilon_under_the_root(patch):
    def faulty(w, g, scale, square, mean, velocity, rate, rho, rest, epsilon, momentum):
        g = scale * g
        square[:] = rho * square + rest * g * g
        w -= rate * g / np.sqrt(square + epsilon)

    patch.setattr(optimizers, "rmsprop", faulty)


def decay_of_biases(patch):
    patch.setattr(Parameters, "weight_slices", lambda self: [slice(0, None)])


def steps_forgotten_in_the_state(patch):
    patch.setattr(optimizers.Optimizer, "numbers", ())


def smoothing_forgotten(patch):
    run = Network.loss_and_gradient

    def faulty(self, *arguments, label_smoothing=0.0, **options):
        return run(self, *arguments, **options)

    patch.setattr(Network, "loss_and_gradient", faulty)


def clipping_forgotten(patch):
    patch.setattr(updater, "clip_scale", lambda before, most: 1.0)


def clipping_part_by_part(patch):
    make = updater.make_optimizer

    def faulty(settings, parameters):
        optimizer = make(settings, parameters)
        step = optimizer.step

        def by_parts(parameters, gradient, rate, scale):
            for part in np.array_split(gradient, 5):
                part *= min(1.0, settings.clip_norm / np.linalg.norm(part))
            step(parameters, gradient, rate, 1.0)

        optimizer.step = by_parts
        return optimizer

    patch.setattr(updater, "make_optimizer", faulty)


def validation_loss_ignored(patch):
    fit = Trainer.fit

    def faulty(self, training, validation=None, callbacks=(), **options):
        latest, watch = [], Callback()
        watch.on_epoch_end = lambda record: latest.__setitem__(slice(None), [self.network.parameters.vector.copy()])
        history = fit(self, training, validation, [watch, *callbacks], **options)
        self.network.parameters.vector[:] = latest[0]
        return history

    patch.setattr(Trainer, "fit", faulty)


def validation_on_the_training_data(patch):
    fit = Trainer.fit

    def faulty(self, training, validation=None, *callbacks, **options):
        return fit(self, training, training, *callbacks, **options)

    patch.setattr(Trainer, "fit", faulty)


def noise_by_place_in_the_batch(patch):
    right = augmentation.hashed
    patch.setattr(augmentation, "hashed", lambda key, use, chosen: right(key, use, np.arange(len(chosen))))


def kinds_distorted(patch):
    distort = augmentation.Augmentation._distort

    def faulty(self, *arguments):
        distort(replace(self, quantities=None), *arguments)

    patch.setattr(augmentation.Augmentation, "_distort", faulty)


def labels_of_steps_not_warped(patch):
    right = augmentation.Augmentation.augmented

    def faulty(self, samples, chosen, key):
        still = right(replace(self, time_warp=0.0), samples, chosen, key)
        return right(self, samples, chosen, key)._replace(targets=still.targets)

    patch.setattr(augmentation.Augmentation, "augmented", faulty)
