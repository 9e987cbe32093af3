"""Passes over the flat parameter vector: gradients summed in fixed order, their norm, the update rules.

Scalars are rounded to the precision of the vectors. `scale` multiplies the gradient first, which is how it is clipped.
The rules are PyTorch's, with its names and its order of operations; where it has none, the paper's.
"""

import math

import numpy as np

from elman.kernels.compiled import in_precision_of, kernel, part
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


@kernel("update_ratio", allocates=True)
def update_ratio(parameters, before):
    """Return |parameters - before| / |before|, Euclidean, in one pass; 0 where all of `before` are 0."""
    changes, sizes = np.zeros(8), np.zeros(8)
    whole = before.size // 8 * 8
    for p in range(0, whole, 8):
        for lane in range(8):
            size = np.float64(before[p + lane])
            change = np.float64(parameters[p + lane]) - size
            sizes[lane] += size * size
            changes[lane] += change * change
    for p in range(whole, before.size):
        size = np.float64(before[p])
        change = np.float64(parameters[p]) - size
        sizes[0] += size * size
        changes[0] += change * change
    size = sizes.sum()
    return math.sqrt(changes.sum() / size) if size > 0 else 0.0


@kernel("sgd")
def sgd(parameters, gradient, scale, velocity, learning_rate, momentum, nesterov, first):
    """w -= lr * g, with v = momentum * v + g in place of g, or g + momentum * v if `nesterov`."""
    claim(parameters)
    scale, learning_rate, momentum = in_precision_of(parameters, (scale, learning_rate, momentum))
    for p in range(parameters.size):
        g = scale * gradient[p]
        if momentum != 0:
            velocity[p] = g if first else momentum * velocity[p] + g
            g = g + momentum * velocity[p] if nesterov else velocity[p]
        parameters[p] -= learning_rate * g


@kernel("rmsprop")
def rmsprop(parameters, gradient, scale, square, mean, velocity, learning_rate, rho, one_minus_rho, epsilon, momentum):
    """s = rho * s + (1 - rho) * g^2;  w -= lr * g / (sqrt(s) + epsilon), with momentum on the step.

    mean : the running mean of g, whose square is taken from s under the root; empty: RMSProp is not centred
    """
    claim(parameters)
    scale, learning_rate, rho, one_minus_rho, epsilon, momentum, zero = in_precision_of(
        parameters, (scale, learning_rate, rho, one_minus_rho, epsilon, momentum, 0.0)
    )
    for p in range(parameters.size):
        g = scale * gradient[p]
        square[p] = rho * square[p] + one_minus_rho * g * g
        spread = square[p]
        if mean.size:
            mean[p] += one_minus_rho * (g - mean[p])
            spread = max(spread - mean[p] * mean[p], zero)  # which rounding takes below 0 if g stays as it is
        change = g / (math.sqrt(spread) + epsilon)
        if momentum != 0:
            velocity[p] = momentum * velocity[p] + change
            change = velocity[p]
        parameters[p] -= learning_rate * change


@kernel("adagrad")
def adagrad(parameters, gradient, scale, total, learning_rate, epsilon):
    """s += g^2;  w -= lr * g / (sqrt(s) + epsilon)."""
    claim(parameters)
    scale, learning_rate, epsilon = in_precision_of(parameters, (scale, learning_rate, epsilon))
    for p in range(parameters.size):
        g = scale * gradient[p]
        total[p] += g * g
        parameters[p] -= learning_rate * g / (math.sqrt(total[p]) + epsilon)


@kernel("adadelta")
def adadelta(parameters, gradient, scale, square, change, learning_rate, rho, one_minus_rho, epsilon):
    """s = rho * s + (1 - rho) * g^2;  d = g * sqrt(c + epsilon) / sqrt(s + epsilon);  w -= lr * d.

    change : c, the running mean of d^2
    """
    claim(parameters)
    scale, learning_rate, rho, one_minus_rho, epsilon = in_precision_of(
        parameters, (scale, learning_rate, rho, one_minus_rho, epsilon)
    )
    for p in range(parameters.size):
        g = scale * gradient[p]
        square[p] = rho * square[p] + one_minus_rho * g * g
        d = math.sqrt(change[p] + epsilon) / math.sqrt(square[p] + epsilon) * g
        change[p] = rho * change[p] + one_minus_rho * d * d
        parameters[p] -= learning_rate * d


@kernel("adam")
def adam(parameters, gradient, scale, mean, square, step_size, beta_1, beta_2, rest_1, rest_2, root_2, epsilon):
    """m = b1 m + (1 - b1) g;  s = b2 s + (1 - b2) g^2;  w -= step_size * m / (sqrt(s) / root_2 + epsilon).

    rest_1, rest_2 : 1 - beta_1, 1 - beta_2
    step_size, root_2 : lr / (1 - beta_1^t) and sqrt(1 - beta_2^t), the corrections for the start from zero
    """
    claim(parameters)
    scale, step_size, beta_1, beta_2, rest_1, rest_2, root_2, epsilon = in_precision_of(
        parameters, (scale, step_size, beta_1, beta_2, rest_1, rest_2, root_2, epsilon)
    )
    for p in range(parameters.size):
        g = scale * gradient[p]
        mean[p] = beta_1 * mean[p] + rest_1 * g
        square[p] = beta_2 * square[p] + rest_2 * g * g
        parameters[p] -= step_size * mean[p] / (math.sqrt(square[p]) / root_2 + epsilon)


@kernel("amsgrad")
def amsgrad(
    parameters, gradient, scale, mean, square, largest, step_size, beta_1, beta_2, rest_1, rest_2, root_2, epsilon
):
    """As `adam`, with the largest s so far in the place of s."""
    claim(parameters)
    scale, step_size, beta_1, beta_2, rest_1, rest_2, root_2, epsilon = in_precision_of(
        parameters, (scale, step_size, beta_1, beta_2, rest_1, rest_2, root_2, epsilon)
    )
    for p in range(parameters.size):
        g = scale * gradient[p]
        mean[p] = beta_1 * mean[p] + rest_1 * g
        square[p] = beta_2 * square[p] + rest_2 * g * g
        largest[p] = max(largest[p], square[p])
        parameters[p] -= step_size * mean[p] / (math.sqrt(largest[p]) / root_2 + epsilon)


@kernel("nadam")
def nadam(
    parameters, gradient, scale, mean, square, of_gradient, of_mean, beta_1, beta_2, rest_1, rest_2, root_2, epsilon
):
    """As `adam`, but for the step:  w -= (of_gradient * g + of_mean * m) / (sqrt(s) / root_2 + epsilon)."""
    claim(parameters)
    scale, of_gradient, of_mean, beta_1, beta_2, rest_1, rest_2, root_2, epsilon = in_precision_of(
        parameters, (scale, of_gradient, of_mean, beta_1, beta_2, rest_1, rest_2, root_2, epsilon)
    )
    for p in range(parameters.size):
        g = scale * gradient[p]
        mean[p] = beta_1 * mean[p] + rest_1 * g
        square[p] = beta_2 * square[p] + rest_2 * g * g
        parameters[p] -= (of_gradient * g + of_mean * mean[p]) / (math.sqrt(square[p]) / root_2 + epsilon)


@kernel("lion")
def lion(parameters, gradient, scale, mean, learning_rate, beta_1, beta_2, rest_1, rest_2):
    """w -= lr * sign(b1 m + (1 - b1) g), and then  m = b2 m + (1 - b2) g."""
    claim(parameters)
    scale, learning_rate, beta_1, beta_2, rest_1, rest_2 = in_precision_of(
        parameters, (scale, learning_rate, beta_1, beta_2, rest_1, rest_2)
    )
    for p in range(parameters.size):
        g = scale * gradient[p]
        direction = beta_1 * mean[p] + rest_1 * g
        if direction != 0:
            parameters[p] -= math.copysign(learning_rate, direction)
        mean[p] = beta_2 * mean[p] + rest_2 * g
