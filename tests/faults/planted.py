"""The faults: each function plants one in the engine, through a MonkeyPatch that takes it out again."""

from types import SimpleNamespace

import numpy as np
from elman.network.passes import ShardPass
from elman.network.shards import Cut, Shard

from elman.kernels import compiled
from elman.kernels.activations import sigmoid, tanh
from elman.kernels.cells import CELLS, Cell
from elman.kernels.compiled import ElementWise
from elman.network import network as network_module
from elman.network import readout, shards
from elman.network.layers import Direction
from elman.network.network import Network
from elman.training import optimizers
from elman.training import trainer as trainer_module
from elman.training.trainer import Trainer

# --- Faults in the weights --------------------------------------------------------------------------------------------


def see_weights_as(patch, change):
    """Let the engine compute with changed weights, and change their gradients back (`change` undoes itself).

    Forward and backward are wrong alike, so that the gradient is right for the loss: only an outsider can tell.
    """
    pack, unpack = Direction.pack, Direction.unpack

    def faulty_pack(self, parameters):
        pack(self, {name: change(self, name, values) for name, values in parameters.items()})

    def faulty_unpack(self, sums, gradient):
        own = {name: np.zeros_like(values) for name, values in gradient.items()}
        unpack(self, sums, own)
        for name, values in own.items():
            gradient[name][...] += change(self, name, values)

    patch.setattr(Direction, "pack", faulty_pack)
    patch.setattr(Direction, "unpack", faulty_unpack)


def two_gates_swapped(patch):
    def change(direction, name, values):
        if name.endswith("_out"):
            return values
        gates = np.split(values, len(direction.cell.gates))
        return np.concatenate([gates[1], gates[0], *gates[2:]])

    see_weights_as(patch, change)


def weight_hh_transposed(patch):
    def change(direction, name, values):
        if not name.startswith("weight_hh"):
            return values
        return np.concatenate([gate.T for gate in np.split(values, len(direction.cell.gates))])

    see_weights_as(patch, change)


def directions_swapped(patch):
    patch.setattr(Shard, "value_rows", lambda self, reverse=False: self.rows_from(self.offsets, not reverse))


def n_gate_bias_dropped(patch):
    pack = Direction.pack

    def faulty(self, parameters):
        parameters = {name: values.copy() for name, values in parameters.items()}
        parameters["bias_hh" + self.suffix][-self.hidden_size :] = 0
        pack(self, parameters)

    patch.setattr(Direction, "pack", faulty)


def a_bias_counted_twice(patch):
    pack = Direction.pack

    def faulty(self, parameters):
        pack(self, {name: values * 2 if name.startswith("bias_ih") else values for name, values in parameters.items()})

    patch.setattr(Direction, "pack", faulty)


# --- Faults in the gradient -------------------------------------------------------------------------------------------


def after_unpack(patch, spoil):
    unpack = Direction.unpack

    def faulty(self, sums, gradient):
        unpack(self, sums, gradient)
        spoil(self, gradient)

    patch.setattr(Direction, "unpack", faulty)


def sign_of_one_gradient_flipped(patch):
    def spoil(self, gradient):
        gradient["bias_hh" + self.suffix] *= -1

    after_unpack(patch, spoil)


def gradient_of_one_unit_lost(patch):
    def spoil(self, gradient):
        gradient["weight_hh_l0"][-1] = 0

    after_unpack(patch, spoil)


def gradient_summed_not_averaged(patch):
    loss = network_module.cross_entropy

    def faulty(logits, targets, n_classes, scale, d_logits):
        return loss(logits, targets, n_classes, 1.0, d_logits)

    patch.setattr(network_module, "cross_entropy", faulty)


def dropout_forgotten_on_the_way_back(patch):
    backward = ShardPass.backward

    def faulty(self, d_logits, sums):
        self._dropout_key = None
        backward(self, d_logits, sums)

    patch.setattr(ShardPass, "backward", faulty)


def gradient_carries_over_to_the_next_batch(patch):
    """The sums are not cleared between two shards' tasks."""
    patch.setattr(network_module.GradientSums, "clear", lambda self: None)
    patch.setattr(Network, "_worker", lambda self, number: self.__dict__.setdefault("_fault", new_worker(self)))


def new_worker(network):
    sums = network_module.GradientSums(network._layers)
    sums._all[:] = 0
    return network_module.Workspace(network.dtype), sums


# --- Faults in time ---------------------------------------------------------------------------------------------------


def readout_one_step_early(patch):
    last_states = readout.last_states

    def faulty(states, steps, lengths, width, column, features):
        last_states(states, steps, np.maximum(lengths - 1, 1), width, column, features)

    patch.setattr(readout, "last_states", faulty)


def state_off_by_one_step(patch):
    new_shard = shards.new_shard

    def faulty(places, lengths, offsets):
        shard = new_shard(places, lengths, offsets)
        n, previous = len(places), shard.steps.previous
        previous[:] = np.where(previous >= n, previous[np.maximum(previous - n, 0)], previous)  # h_{t-2} for h_{t-1}
        return shard

    patch.setattr(shards, "new_shard", faulty)


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


def reverse_direction_not_turned_back(patch):
    patch.setattr(Shard, "layer_rows", lambda self, reverse: self.steps.rows)


def mean_over_the_longest(patch):
    def faulty(outputs, shard, features):
        return readout.mean(
            outputs, SimpleNamespace(steps=shard.steps, lengths=np.full_like(shard.lengths, shard.lengths[0])), features
        )

    patch.setitem(readout.OVER_TIME, "mean", faulty)


# --- Faults in the shards ---------------------------------------------------------------------------------------------


def a_shard_counted_twice(patch):
    tasks = Cut.tasks
    patch.setattr(Cut, "tasks", lambda self: [*tasks(self), range(1)])


def a_shard_left_out(patch):
    tasks = Cut.tasks
    patch.setattr(Cut, "tasks", lambda self: tasks(self)[:-1])


def targets_in_the_order_of_the_shards(patch):
    patch.setattr(Network, "_wanted", lambda self, targets, chosen, shard: targets[: len(shard.places)])


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


# --- Faults in training -----------------------------------------------------------------------------------------------


def adam_without_bias_correction(patch):
    adam = optimizers.adam
    patch.setattr(optimizers, "adam", lambda *a: adam(*a[:11], type(a[11])(1), *a[12:]))


def adamw_decay_in_the_gradient(patch):
    create = optimizers.Adam.__init__
    patch.setattr(
        optimizers.Adam, "__init__", lambda self, *arguments, decoupled: create(self, *arguments, decoupled=False)
    )


def nesterov_ignored(patch):
    sgd = optimizers.sgd
    patch.setattr(optimizers, "sgd", lambda *a: sgd(*a[:5], False, *a[6:]))


def rmsprop_epsilon_under_the_root(patch):
    def faulty(w, g, square, velocity, rate, rho, rest, epsilon, momentum, decay):
        g = g + decay * w
        square[:] = rho * square + rest * g * g
        w -= rate * g / np.sqrt(square + epsilon)

    patch.setattr(optimizers, "rmsprop", faulty)


def clipping_forgotten(patch):
    patch.setattr(trainer_module, "clip_by_norm", lambda gradient, most: 0.0)


def clipping_part_by_part(patch):
    def faulty(gradient, most):
        for part in np.array_split(gradient, 5):
            part *= min(1.0, most / np.linalg.norm(part))

    patch.setattr(trainer_module, "clip_by_norm", faulty)


def validation_loss_ignored(patch):
    fit = Trainer.fit

    def faulty(self, training, validation=None, *, on_epoch=None, **options):
        latest = []

        def watch(record):
            latest[:] = [self.network.parameters.vector.copy()]
            on_epoch(record)

        history = fit(self, training, validation, on_epoch=watch, **options)
        self.network.parameters.vector[:] = latest[0]
        return history

    patch.setattr(Trainer, "fit", faulty)


def validation_on_the_training_data(patch):
    epoch = Trainer._epoch

    def faulty(self, number, training, validation, on_step):
        return epoch(self, number, training, training, on_step)

    patch.setattr(Trainer, "_epoch", faulty)
