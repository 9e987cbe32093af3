"""tanh, sigmoid and relu, without a branch, so that a loop over them becomes vector instructions.

Both come from one power of two, 2^y = 2^k 2^f with k a whole number and |f| <= 1/2, and a polynomial for (2^f - 1) / f:

    tanh |x| = -m / (2 + m) with m = 2^y - 1 and y = -2 |x| / ln 2        sigmoid(x) = 1 / (1 + 2^y) with y = -x / ln 2

m keeps its relative precision near 0, so tanh does too: within 5 units in the last place in either precision, odd,
never beyond 1, NaN for NaN. The coefficients are the minimax fit on [-1/2, 1/2] (relative error 1e-8 and 2e-19). Steps
are chosen for the core's units: sums go to the adders while the multipliers, which are the bottleneck, go on.

Source: the range reduction is that of W. J. Cody and W. Waite, "Software Manual for the Elementary Functions" (1980),
whose second constant is not needed where the base is 2.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from elman.kernels.compiled import ElementWise, inlined
from elman.kernels.lanes import fma, power_of_two, with_sign

_MINIMAX = {
    np.dtype("float32"): (
        0.69314718792669222785,
        0.24022649794966480019,
        0.055503574336349425874,
        0.0096182374937354842505,
        0.0013390735478179358677,
        0.00015403512759642426868,
    ),
    np.dtype("float64"): (
        0.69314718055994530926,
        0.24022650695910071286,
        0.055504108664821626543,
        0.009618129107628436947,
        0.0013333558146406629734,
        0.00015403530393466171508,
        0.000015252733841378527356,
        1.3215486721354754266e-6,
        1.0178057169259904606e-7,
        7.0549322734705810387e-9,
        4.4558048588994870353e-10,
        2.5678425964875205233e-11,
    ),
}
_VANISHING = {np.dtype("float32"): -30.0, np.dtype("float64"): -60.0}  # below it 2^y - 1 is -1 to the last bit
_ONE_FROM = {np.dtype("float32"): 87.0, np.dtype("float64"): 708.0}  # from it on sigmoid(x) is 1; exp(-x) is normal
_OVERFLOW = {np.dtype("float32"): 128.0, np.dtype("float64"): 1024.0}  # from it on 2^y is infinite
_MAGIC = {np.dtype("float32"): 1.5 * 2.0**23, np.dtype("float64"): 1.5 * 2.0**52}  # adding it rounds to an integer


def _power(dtype: np.dtype[Any]) -> Any:
    """Compile y -> (2^k, 2^f - 1); the polynomial's loop over a constant tuple is unrolled by LLVM."""
    coefficients = tuple(dtype.type(c) for c in reversed(_MINIMAX[dtype]))
    first, rest, magic = coefficients[0], coefficients[1:], dtype.type(_MAGIC[dtype])

    @inlined(f"power_{dtype}")
    def power(y: Any) -> Any:
        shifted = y + magic
        f = y - (shifted - magic)
        total = first
        for c in rest:
            total = fma(total, f, c)
        return power_of_two(shifted), f * total

    return power


def _compiled_tanh(dtype: np.dtype[Any]) -> Any:
    number = dtype.type
    one, two, per_ln2, lowest = number(1), number(2), number(-2 / math.log(2)), number(_VANISHING[dtype])
    power = _power(dtype)

    @inlined(f"tanh_{dtype}")
    def tanh(x: Any) -> Any:
        y = abs(x) * per_ln2
        y = lowest if y < lowest else y  # false for NaN, which goes through
        scale, rest = power(y)
        m = fma(scale, rest, scale - one)
        return with_sign(m / (two + m), x)

    return tanh


def _compiled_sigmoid(dtype: np.dtype[Any]) -> Any:
    number = dtype.type
    one, per_ln2 = number(1), number(-1 / math.log(2))
    most, highest = number(_ONE_FROM[dtype]), number(_OVERFLOW[dtype])
    power = _power(dtype)

    @inlined(f"sigmoid_{dtype}")
    def sigmoid(x: Any) -> Any:
        x = most if x > most else x  # one limit before the product and one after it: an instruction each
        y = x * per_ln2
        y = highest if y > highest else y
        scale, rest = power(y)
        return one / fma(scale, one + rest, one)

    return sigmoid


class Activation(ElementWise):
    """A function with one form in NumPy, for any dtype, and one compiled for float32 and float64."""

    def __init__(self, function: Callable[..., Any], compile_for: Callable[[np.dtype[Any]], Any]) -> None:
        super().__init__(function)
        self._compile_for = compile_for

    def compiled(self, dtype: np.dtype[Any]) -> Any:
        """Return the function compiled for float32 or float64."""
        if dtype not in self._compiled:
            self._compiled[dtype] = self._compile_for(dtype)
        return self._compiled[dtype]


def _tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    return np.tanh(x)


tanh = Activation(_tanh, _compiled_tanh)


def _sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), written so that it never overflows."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


sigmoid = Activation(_sigmoid, _compiled_sigmoid)


def _relu(x: Any) -> Any:
    """Return x where its real part is positive, else 0."""
    return np.where(np.real(x) > 0, x, 0 * x)


def _compiled_relu(dtype: np.dtype[Any]) -> Any:
    zero = dtype.type(0)

    @inlined(f"relu_{dtype}")
    def relu(x: Any) -> Any:
        return zero if x <= zero else x  # false for NaN, which goes through

    return relu


relu = Activation(_relu, _compiled_relu)
