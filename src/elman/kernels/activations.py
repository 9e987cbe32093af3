"""tanh, sigmoid and relu, without a branch, so that a loop over them becomes vector instructions.

With y = -2|x| and m = exp(y) - 1 in [-1, 0]:   tanh |x| = -m / (2 + m),   sigmoid(x) = (1 + tanh(x / 2)) / 2.

m keeps its relative precision near 0, so tanh does too: 1 to 2 units in the last place in either precision, odd,
never beyond 1, NaN for NaN. exp(y) - 1 comes from y = k ln 2 + r with |r| <= ln(2) / 2 and a polynomial in r, whose
coefficients are the minimax fit of (exp(r) - 1 - r) / r^2 on that interval (relative error 2e-8 and 5e-19).

Source: the range reduction is that of W. J. Cody and W. Waite, "Software Manual for the Elementary Functions" (1980).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from elman.kernels.compiled import ElementWise, inlined
from elman.kernels.lanes import fma, power_of_two, with_sign

_MINIMAX = {
    np.dtype("float32"): (0.5, 0.16666576989698776, 0.041666554617204574, 0.0083631790527225774, 0.0013926183587713495),
    np.dtype("float64"): (
        0.5,
        0.16666666666666671,
        0.04166666666666667,
        0.0083333333333261351,
        0.0013888888888883748,
        0.00019841269874820625,
        2.4801587325547741e-5,
        2.7557255400206424e-6,
        2.7557273643110295e-7,
        2.5105217004720745e-8,
        2.0914686968086877e-9,
    ),
}
_LOWEST = {np.dtype("float32"): -20.0, np.dtype("float64"): -44.0}  # below it exp(y) - 1 is -1 to the last bit
_MAGIC = {np.dtype("float32"): 1.5 * 2.0**23, np.dtype("float64"): 1.5 * 2.0**52}  # adding it rounds to an integer


def _horner(dtype: np.dtype[Any]) -> Any:
    """Compile the polynomial in r for one precision; its loop over a constant tuple is unrolled by LLVM."""
    coefficients = tuple(dtype.type(c) for c in reversed(_MINIMAX[dtype]))
    first, rest = coefficients[0], coefficients[1:]

    @inlined(f"horner_{dtype}")
    def horner(r: Any) -> Any:
        total = first
        for c in rest:
            total = fma(total, r, c)
        return total

    return horner


def _compiled_tanh(dtype: np.dtype[Any]) -> Any:
    number = dtype.type
    two, lowest, magic = number(2), number(_LOWEST[dtype]), number(_MAGIC[dtype])
    per_ln2, ln2_high = number(1 / math.log(2)), number(math.log(2))
    ln2_low = number(float.fromhex("0x1.abc9e3b39803fp-56")) if dtype == np.float64 else number(math.log(2) - ln2_high)
    one, horner = number(1), _horner(dtype)

    @inlined(f"tanh_{dtype}")
    def tanh(x: Any) -> Any:
        y = -two * abs(x)
        y = lowest if y < lowest else y  # false for NaN, which goes through
        shifted = fma(y, per_ln2, magic)
        k = shifted - magic
        r = fma(-k, ln2_low, fma(-k, ln2_high, y))
        scale = power_of_two(shifted)
        m = fma(scale, fma(horner(r), r * r, r), scale - one)
        return with_sign(-m / (two + m), x)

    return tanh


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


@ElementWise
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), written so that it never overflows."""
    return 0.5 * tanh(0.5 * x) + 0.5


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
