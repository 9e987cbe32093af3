import math

import numpy as np
import pytest

from elman.kernels.activations import relu, sigmoid, tanh
from elman.kernels.compiled import kernel

FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")
HAS_EXTENDED = np.finfo(np.longdouble).nmant > 60


def over_arrays(function, name, dtype):
    """Compile the loop in which cells meet an activation; returns f(x) on arrays."""
    compiled = function.compiled(dtype)

    @kernel(f"test_{name}")
    def loop(x, y):
        for i in range(x.size):
            y[i] = compiled(x[i])

    def run(x):
        y = np.empty_like(x)
        loop(x, y)
        return y

    return run


@pytest.fixture(scope="module")
def activations():
    functions = {"tanh": tanh, "sigmoid": sigmoid, "relu": relu}
    return {
        (name, dtype): over_arrays(function, name, dtype)
        for name, function in functions.items()
        for dtype in (FLOAT32, FLOAT64)
    }


def grid(dtype):
    """Dense where tanh bends, logarithmic down to the smallest number and up to the largest, and random bits."""
    limits = np.finfo(dtype)
    dense = np.linspace(-24, 24, 400_001)
    small = np.geomspace(float(limits.smallest_normal), float(limits.max) / 2, 100_001)
    bits = np.random.default_rng(0).integers(0, 256, 200_000 * dtype.itemsize, dtype=np.uint8).view(dtype)
    x = np.concatenate([dense, small, -small, bits[np.isfinite(bits)]]).astype(dtype)
    return np.concatenate([x, np.array([0, -0.0, limits.max, -limits.max, limits.tiny], dtype)])


def exact_tanh(x):
    return np.tanh(x.astype(np.longdouble if HAS_EXTENDED else np.float64))


def units_in_the_last_place(found, exact):
    # Below the normal numbers, a unit is that of the smallest one.
    spacing = np.spacing(np.abs(exact.astype(found.dtype)))
    return np.abs(found - exact) / np.maximum(spacing, np.finfo(found.dtype).smallest_subnormal)


def test_tanh_in_float32_is_within_3e_7_and_5_units_in_the_last_place(activations):
    x = grid(FLOAT32)
    y, exact = activations["tanh", FLOAT32](x), exact_tanh(x)
    assert np.abs(y - exact).max() <= 3e-7
    normal = np.abs(x) >= np.finfo(FLOAT32).smallest_normal
    assert units_in_the_last_place(y, exact)[normal].max() <= 5


def test_tanh_in_float64_is_within_4e_16_and_5_units_in_the_last_place(activations):
    x = grid(FLOAT64)
    y, exact = activations["tanh", FLOAT64](x), exact_tanh(x)
    assert np.abs(y - exact).max() <= 4e-16
    normal = np.abs(x) >= np.finfo(FLOAT64).smallest_normal
    assert units_in_the_last_place(y, exact)[normal].max() <= 5


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
def test_tanh_never_leaves_the_interval_and_is_odd_to_the_last_bit(activations, dtype):
    x = grid(dtype)
    y = activations["tanh", dtype](x)
    assert np.abs(y).max() == 1
    assert np.array_equal(activations["tanh", dtype](-x), -y)
    assert np.array_equal(np.signbit(y), np.signbit(x))  # -0 stays -0


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
def test_tanh_rises_wherever_its_argument_does_to_within_rounding(activations, dtype):
    y = activations["tanh", dtype](np.linspace(-10, 10, 1_000_001).astype(dtype))
    assert np.diff(y).min() >= -2 * np.finfo(dtype).eps


def test_sigmoid_in_float32_is_within_2e_7_and_stays_between_0_and_1(activations):
    x = grid(FLOAT32)
    y = activations["sigmoid", FLOAT32](x)
    exact = 0.5 * np.tanh(0.5 * x.astype(np.float64)) + 0.5
    assert np.abs(y - exact).max() <= 2e-7
    assert y.min() >= 0
    assert y.max() <= 1


def test_sigmoid_in_float64_is_within_4e_16_and_stays_between_0_and_1(activations):
    x = grid(FLOAT64)
    y = activations["sigmoid", FLOAT64](x)
    with np.errstate(over="ignore"):
        exact = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    assert np.abs(y - exact).max() <= 4e-16
    assert y.min() >= 0
    assert y.max() <= 1


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
def test_relu_is_exact(activations, dtype):
    x = grid(dtype)
    assert np.array_equal(activations["relu", dtype](x), np.maximum(x, 0))


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
def test_nan_comes_out_as_nan_whatever_its_place_in_the_vector(activations, name, dtype):
    for length in (1, 7, 16, 33):
        for place in {0, length // 2, length - 1}:
            x = np.linspace(-2, 2, length).astype(dtype)
            x[place] = math.nan
            assert np.array_equal(np.isnan(activations[name, dtype](x)), np.isnan(x))


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
def test_infinity_saturates(activations, dtype):
    x = np.array([math.inf, -math.inf], dtype)
    assert activations["tanh", dtype](x).tolist() == [1, -1]
    assert activations["sigmoid", dtype](x).tolist() == [1, 0]
    assert activations["relu", dtype](x).tolist() == [math.inf, 0]


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64], ids=str)
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
def test_a_value_has_the_same_bits_in_the_vector_body_and_in_the_remainder(activations, name, dtype):
    x = np.random.default_rng(1).standard_normal(67).astype(dtype)
    together = activations[name, dtype](x)
    alone = np.concatenate([activations[name, dtype](x[i : i + 1].copy()) for i in range(x.size)])
    assert np.array_equal(together, alone)


@pytest.mark.parametrize(("function", "name"), [(tanh, "tanh"), (sigmoid, "sigmoid"), (relu, "relu")])
def test_the_numpy_form_takes_complex_numbers_and_has_the_right_derivative(function, name):
    x = np.array([-1.3, -0.2, 0.4, 2.1])
    y = function(x)
    slope = {"tanh": 1 - y * y, "sigmoid": y * (1 - y), "relu": (x > 0) * 1.0}[name]
    assert np.allclose(np.imag(function(x + 1e-200j)) / 1e-200, slope, rtol=1e-14, atol=0)
