"""How tests compare: signed values, one array at a time, relative to the size of what is expected."""

from collections.abc import Mapping

import numpy as np


def relative_error(found, expected) -> float:
    """Return |found - expected| / |expected|, Euclidean norms; an expected 0 must be met exactly."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"shape {found.shape}, expected {expected.shape}"
    difference, size = np.linalg.norm(found - expected), np.linalg.norm(expected)
    return float(difference / size) if size > 0 else float(np.inf if difference > 0 else 0)


def assert_close(found, expected, bound: float, what: str = "values") -> None:
    """Assert that two arrays are equal to within `bound`, relative to the norm of the expected one."""
    error = relative_error(found, expected)
    assert error <= bound, f"{what}: relative error {error:.3g}, at most {bound:.3g} allowed"


def assert_same_gradients(found: Mapping, expected: Mapping, bound: float) -> None:
    """Assert that two sets of gradients are equal, each parameter by itself, and that no parameter is left untested."""
    assert list(found) == list(expected)
    for name in expected:
        assert np.linalg.norm(expected[name]) > 0, f"the gradient of {name} is zero: this case does not test it"
    errors = {name: relative_error(found[name], expected[name]) for name in expected}
    too_large = {name: f"{error:.3g}" for name, error in errors.items() if not error <= bound}
    assert not too_large, f"relative errors above {bound:.3g}: {too_large}"
