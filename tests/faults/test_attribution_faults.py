"""Faults planted in attribution, each of which our own tests must catch."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from elman.data import patches, preparation
from elman.insight import attribution_methods
from elman.insight.averaged import Averaged

TESTS = Path(__file__).parents[1]
_SPEC = importlib.util.spec_from_file_location("real_attribution", TESTS / "insight" / "test_attribution.py")
REAL = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(REAL)


def wrong_sign(patch):
    right = Averaged.gradient
    patch.setattr(Averaged, "gradient", lambda self, inputs: tuple(-each for each in right(self, inputs)))


def baseline_ignored(patch):
    right = attribution_methods.Explained.of.__func__

    def faulty(cls, *arguments):
        found = right(cls, *arguments)
        return cls(*arguments, found.log_proba, 0.0)

    patch.setattr(attribution_methods.Explained, "of", classmethod(faulty))


def input_left_out(patch):
    def faulty(explained):
        return explained.model.by_feature(explained.model.gradient(explained.inputs), explained.offsets)

    plant(patch, "gradient-x-input", faulty)


def mean_over_patches(patch):
    right = patches.by_step
    patch.setattr(preparation, "by_step", lambda values, offsets, size: np.asarray(right(values, offsets, size) / size))


def copies_of_the_last_step_forgotten(patch):
    def faulty(values, offsets, size):
        first = patches.patched_offsets(offsets, size)[:-1] * size
        rows = np.concatenate([np.arange(a, a + n) for a, n in zip(first, np.diff(offsets))])
        return values.reshape(len(values) * size, -1)[rows]

    patch.setattr(preparation, "by_step", faulty)


def one_member_alone(patch):
    right = Averaged.gradient
    patch.setattr(
        Averaged, "gradient", lambda self, inputs: (right(self, inputs)[0], *(0 * x for x in inputs.of_networks[1:]))
    )


def whole_loss_at_each_step_of_a_window(patch):
    right = attribution_methods.occlusion
    plant(patch, "occlusion", lambda explained: right(explained) * -(-explained.n_steps // 48))


def plant(patch, method, faulty):
    from elman.insight import attribution

    patch.setitem(attribution._METHODS, method, faulty)


CHECKS = [
    (wrong_sign, lambda: REAL.test_a_planted_motif_is_found("gradient-x-input")),
    (wrong_sign, lambda: REAL.test_gradient_x_input_is_the_slope_times_the_way_from_the_mean("gru")),
    (baseline_ignored, lambda: REAL.test_integrated_gradients_add_up_to_what_predictions_differ_by("gru", "last")),
    (input_left_out, lambda: REAL.test_gradient_x_input_is_the_slope_times_the_way_from_the_mean("gru")),
    (mean_over_patches, REAL.test_patches_are_explained_step_by_step),
    (copies_of_the_last_step_forgotten, REAL.test_patches_are_explained_step_by_step),
    (one_member_alone, REAL.test_members_are_explained_as_the_mean_of_their_probabilities),
    (
        whole_loss_at_each_step_of_a_window,
        REAL.test_windows_of_long_sequences_share_their_loss_among_their_steps,
    ),
]


@pytest.mark.parametrize(("fault", "check"), CHECKS, ids=[fault.__name__ for fault, _ in CHECKS])
def test_a_fault_in_attribution_is_caught(fault, check, monkeypatch):
    check()
    with monkeypatch.context() as patch:
        fault(patch)
        with pytest.raises(AssertionError):
            check()
