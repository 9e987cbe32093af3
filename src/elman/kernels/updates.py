"""Passes over the flat parameter vector: gradients summed in fixed order, their norm, the update rules.

Scalars are rounded to the precision of the vectors. `scale` multiplies the gradient first, which is how it is clipped.
The rules are PyTorch's, with its names and its order of operations.
"""

import math

import numpy as np

from elman.kernels.compiled import kernel, part
from elman.kernels.lanes import prefetch_to_write

_MOST_CLAIMED = 1 << 16  # numbers that fit the cache


@part("claim")
def claim(vector):
    """Ask for the cache lines of a vector that another core has read, all at once, before it is written.

    Written without that, each line is waited for in turn, about a tenth of a microsecond.
    """
    if vector.size <= _MOST_CLAIMED:
        for p in range(0, vector.size, 64 // vector.itemsize):
            prefetch_to_write(vector, p)


@kernel("sum_gradients")
def sum_gradients(parts):
    """Add up parts (n, P) in the order of n, in place: parts[0] becomes the sum."""
    total = parts[0]
    for n in range(1, parts.shape[0]):
        part = parts[n]
        for p in range(total.size):
            total[p] += part[p]


@kernel("norm", allocates=True)
def norm(vector):
    """Return the Euclidean norm, summed in float64 in eight interleaved partial sums."""
    sums = np.zeros(8)
    whole = vector.size // 8 * 8
    for p in range(0, whole, 8):
        for lane in range(8):
            value = np.float64(vector[p + lane])
            sums[lane] += value * value
    for p in range(whole, vector.size):
        value = np.float64(vector[p])
        sums[0] += value * value
    return math.sqrt(sums.sum())


@kernel("sgd")
def sgd(parameters, gradient, scale, velocity, learning_rate, momentum, nesterov, weight_decay, first):
    """w -= lr * g, with v = momentum * v + g in place of g, or g + momentum * v if `nesterov`."""
    claim(parameters)
    number = parameters.dtype.type
    scale, learning_rate, momentum, weight_decay = (
        number(scale),
        number(learning_rate),
        number(momentum),
        number(weight_decay),
    )
    for p in range(parameters.size):
        g = scale * gradient[p] + weight_decay * parameters[p]
        if momentum != 0:
            velocity[p] = g if first else momentum * velocity[p] + g
            g = g + momentum * velocity[p] if nesterov else velocity[p]
        parameters[p] -= learning_rate * g


@kernel("rmsprop")
def rmsprop(
    parameters, gradient, scale, square, velocity, learning_rate, rho, one_minus_rho, epsilon, momentum, weight_decay
):
    """s = rho * s + (1 - rho) * g^2;  w -= lr * g / (sqrt(s) + epsilon), with momentum on the step."""
    claim(parameters)
    number = parameters.dtype.type
    scale, learning_rate, rho, one_minus_rho, epsilon, momentum, weight_decay = (
        number(scale),
        number(learning_rate),
        number(rho),
        number(one_minus_rho),
        number(epsilon),
        number(momentum),
        number(weight_decay),
    )
    for p in range(parameters.size):
        g = scale * gradient[p] + weight_decay * parameters[p]
        square[p] = rho * square[p] + one_minus_rho * g * g
        change = g / (math.sqrt(square[p]) + epsilon)
        if momentum != 0:
            velocity[p] = momentum * velocity[p] + change
            change = velocity[p]
        parameters[p] -= learning_rate * change


@kernel("adam")
def adam(
    parameters, gradient, scale, mean, square, step_size, shrink, decay, beta_1, beta_2, rest_1, rest_2, root_2, epsilon
):
    """m = b1 m + (1 - b1) g;  s = b2 s + (1 - b2) g^2;  w -= step_size * m / (sqrt(s) / root_2 + epsilon).

    rest_1, rest_2 : 1 - beta_1, 1 - beta_2
    step_size, root_2 : lr / (1 - beta_1^t) and sqrt(1 - beta_2^t), the corrections for the start from zero
    shrink : added to the gradient times w (Adam's weight decay); decay : w is first multiplied by it (AdamW's)
    """
    claim(parameters)
    number = parameters.dtype.type
    scale, step_size, shrink, decay, beta_1, beta_2, rest_1, rest_2, root_2, epsilon = (
        number(scale),
        number(step_size),
        number(shrink),
        number(decay),
        number(beta_1),
        number(beta_2),
        number(rest_1),
        number(rest_2),
        number(root_2),
        number(epsilon),
    )
    for p in range(parameters.size):
        w = parameters[p] * decay
        g = scale * gradient[p] + shrink * w
        mean[p] = beta_1 * mean[p] + rest_1 * g
        square[p] = beta_2 * square[p] + rest_2 * g * g
        parameters[p] = w - step_size * mean[p] / (math.sqrt(square[p]) / root_2 + epsilon)
