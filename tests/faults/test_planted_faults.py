"""Faults planted in the engine, each of which our own tests must catch: a check that no fault trips is decoration.

Beside each fault stands the real test that has to fail. The same test passes without the fault, here as well, so that
what it catches is the fault and nothing else.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import planted
import pytest
from planted_sources import ALONE, SOURCE_FAULTS

import stored
from cases import Case
from trajectories import CASE

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src" / "elman"


def real_tests(path: str) -> SimpleNamespace:
    """Return the functions of one of our test files."""
    spec = importlib.util.spec_from_file_location(f"real_{Path(path).stem}", TESTS / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GRADIENTS = real_tests("network/test_gradients.py")
FLOW = real_tests("network/test_gradient_flow.py")
ORACLE = real_tests("oracle/test_torch_fixtures.py")
TRAINER = real_tests("training/test_trainer.py")
AUGMENTATION = real_tests("training/test_augmentation.py")
UPDATER = real_tests("training/test_updater.py")
COMPILED = real_tests("kernels/test_compiled.py")


def complex_step(*kind, **options):
    case = Case(*kind, **options)
    return lambda: GRADIENTS.test_gradient_is_the_complex_step_derivative(case)


def flow_norms(case):
    return lambda: FLOW.test_norms_are_those_of_complex_step_derivatives_by_the_states(case)


def attention(cell):
    return complex_step(cell, readout="attention")


def embedded(cell):
    return complex_step(cell, embeddings=((1, 4, 3), (3, 3, 2)))


def weighted(cell, **options):
    return complex_step(cell, weighted=True, **options)


def pytorch(name):
    (case,) = (case for case in stored.CASES if str(case) == name)
    return lambda: ORACLE.test_forward_and_every_gradient_equal_what_pytorch_computed(case, "float64")


def ten_updates(name):
    return lambda: ORACLE.test_ten_updates_equal_what_pytorch_computed(name, "float64")


def augmented(check):
    return lambda: check(AUGMENTATION.ALL)


depends_on_number_alone = AUGMENTATION.test_what_becomes_of_a_sequence_depends_on_key_and_number_alone


def halves(optimizer):
    return lambda: UPDATER.test_ten_steps_are_five_and_five_from_a_state_to_the_bit(optimizer, "constant")


keeps_best_epoch = TRAINER.test_the_epoch_with_the_lowest_validation_loss_is_kept

CAUGHT_BY = [
    (planted.two_gates_swapped, pytorch("gru-2-both-last")),
    (planted.two_gates_swapped, complex_step("lstm")),
    (planted.weight_hh_transposed, pytorch("lstm-1-one-last")),
    (planted.weight_hh_transposed, complex_step("elman", 1, True)),
    (planted.n_gate_bias_dropped, pytorch("gru-1-one-last")),
    (planted.n_gate_bias_dropped, complex_step("gru", 3, True)),
    (planted.a_bias_counted_twice, complex_step("elman_relu")),
    (planted.sign_of_one_gradient_flipped, pytorch("elman-2-one-steps")),
    (planted.sign_of_one_gradient_flipped, complex_step("lstm", 2)),
    (planted.gradient_of_one_unit_lost, complex_step("gru")),
    (planted.gradient_of_attention_too_small, attention("gru")),
    (planted.attention_turned_round, attention("lstm")),
    (planted.attention_turned_round, pytorch("gru-1-both-attention")),
    (planted.gradient_of_one_code_lost, embedded("gru")),
    (planted.codes_one_too_high, pytorch("lstm-2-both-steps-embeddings")),
    (planted.codes_one_too_high, embedded("elman")),
    (planted.weights_of_targets_forgotten, pytorch("gru-1-both-steps-weighted")),
    (planted.weights_of_targets_forgotten, weighted("gru")),
    (planted.targets_without_a_label_counted, weighted("gru", loss_at="every_step")),
    (planted.targets_without_a_label_counted, pytorch("gru-1-both-last-weighted")),
    (planted.lengths_ignored, complex_step("gru")),
    (planted.lengths_ignored, pytorch("gru-1-both-max")),
    (planted.update_gate_turned_round, pytorch("gru-1-one-last")),
    (planted.sign_flipped_in_the_cell, complex_step("gru")),
    (planted.slope_forgotten, complex_step("elman")),
    (planted.dc_without_what_comes_through_h, flow_norms(Case("lstm"))),
    (planted.flow_one_step_off, flow_norms(Case("lstm"))),
    (planted.adam_without_bias_correction, ten_updates("adam")),
    (planted.adamw_decay_in_the_gradient, ten_updates("adamw_decay")),
    (planted.nesterov_ignored, ten_updates("sgd_nesterov")),
    (planted.rmsprop_epsilon_under_the_root, ten_updates("rmsprop")),
    (planted.decay_of_biases, ten_updates("adamw_decay")),
    (planted.decay_of_biases, ten_updates("adagrad_decay")),
    (planted.steps_forgotten_in_the_state, halves("adam")),
    (planted.smoothing_forgotten, complex_step("gru", label_smoothing=0.3)),
    (planted.clipping_forgotten, ten_updates("clip_norm")),
    (planted.clipping_part_by_part, ten_updates("clip_norm")),
    (planted.clipping_part_by_part, ten_updates("clip_adam")),
    (planted.validation_loss_ignored, keeps_best_epoch),
    (planted.validation_on_the_training_data, keeps_best_epoch),
    (planted.noise_by_place_in_the_batch, augmented(depends_on_number_alone)),
    (planted.kinds_distorted, AUGMENTATION.test_columns_that_are_no_quantities_keep_their_values),
    (planted.labels_of_steps_not_warped, augmented(AUGMENTATION.test_labels_and_weights_of_steps_follow_them)),
]


@pytest.mark.parametrize(("fault", "check"), CAUGHT_BY, ids=lambda item: getattr(item, "__name__", ""))
def test_fault_is_caught(fault, check):
    check()
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        with pytest.raises(AssertionError):
            check()


# --- Faults in what is compiled ---


def package_with(tmp_path, file, right, wrong):
    """Copy the package, with a change in one file; return where it lies."""
    shutil.copytree(SOURCE, tmp_path / "elman", ignore=shutil.ignore_patterns("__pycache__"))
    COMPILED.change(tmp_path / "elman" / file, right, wrong)
    return tmp_path


def trial(name, folder):
    """Run the check of a fault on a package that has it; all kernels are compiled anew."""
    file, right, wrong, check = SOURCE_FAULTS[name]
    environment = {**os.environ, "PYTHONPATH": str(package_with(folder, file, right, wrong))}
    environment.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", check]
    return subprocess.run(command, env=environment, cwd=TESTS.parent, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """All trials, begun in their order, one a core: compiling takes a core each."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        names = [name for name in SOURCE_FAULTS if name not in ALONE]
        yield {name: pool.submit(trial, name, tmp_path_factory.mktemp("package")) for name in names}
        pool.shutdown(cancel_futures=True)


@pytest.mark.alone
@pytest.mark.parametrize("name", SOURCE_FAULTS)
def test_fault_in_a_source_is_caught(name, trials, tmp_path):
    done = trials[name].result() if name in trials else trial(name, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    assert "AssertionError" in done.stdout or "assert " in done.stdout, done.stdout


def test_the_same_checks_pass_without_the_faults():
    checks = sorted({check for *_, check in SOURCE_FAULTS.values()})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(checks)} passed" in done.stdout


# --- Faults in the cache of compiled kernels ---

STALE = {
    "sources not looked at": (
        "compiled.py",
        "    return digest.hexdigest()",
        '    return "always the same"',
        COMPILED.test_a_change_in_another_file_is_never_met_with_a_stale_kernel,
    ),
    "vector width not in the key": (
        "compiled.py",
        "codegen.magic_tuple(), VECTOR_BYTES,",
        "codegen.magic_tuple(),",
        COMPILED.test_no_process_meets_a_kernel_of_another_vector_width,
    ),
    "symbols by counter": (
        "compiled.py",
        "    function.__qualname__ = name",
        "    pass",
        COMPILED.test_functions_of_one_factory_compiled_by_different_processes_stay_apart,
    ),
}


@pytest.mark.parametrize("name", STALE)
def test_stale_or_foreign_kernel_is_caught(name, tmp_path):
    file, right, wrong, check = STALE[name]
    package = COMPILED.make_package(tmp_path)
    COMPILED.change(package[0] / file, right, wrong)
    with pytest.raises(AssertionError):
        check(package)


def test_the_trajectories_are_long_enough_to_tell_optimizers_apart():
    batch, adam = stored.load_trajectory(CASE, "adam")
    for other in ("adamw_decay", "adam_all", "rmsprop", "sgd"):
        _, trajectory = stored.load_trajectory(CASE, other)
        assert np.linalg.norm(trajectory[0] - adam[0]) > 1e-3
    assert len(batch.sequences) == len(CASE.lengths)
