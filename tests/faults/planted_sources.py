"""The faults that a change in a source file plants: (file, right, wrong, the test that has to fail).

What is compiled cannot be patched from outside, so the whole package is copied, changed, and tested in a process of its
own.
"""

GRADIENTS, ORACLE = "tests/network/test_gradients.py", "tests/oracle/test_torch_fixtures.py"
BITS, THREADS = "tests/network/test_bit_identity.py", "tests/network/test_threads.py"
OPTIONS = "tests/network/test_options.py::test_gradient_through_every_option_is_the_complex_step_derivative"
PREPARATION = "tests/data/test_preparation.py"
COMPLEX_STEP = f"{GRADIENTS}::test_gradient_is_the_complex_step_derivative"
WEIGHTED = "tests/network/test_target_weights.py::test_weighted_gradient_is_the_complex_step_derivative"
EMBEDDINGS = "tests/network/test_embeddings.py"
FLOW = "tests/network/test_gradient_flow.py::test_norms_are_those_of_complex_step_derivatives_by_the_states"
SEVERAL_SHARDS = f"{GRADIENTS}::test_several_shards_with_dropout_equal_the_textbook"
PYTORCH = f"{ORACLE}::test_forward_and_every_gradient_equal_what_pytorch_computed"

SOURCE_FAULTS = {
    "gradient summed, not averaged": (
        "kernels/loss.py",
        "part_of_loss = weight / scored",
        "part_of_loss = weight",
        f"{COMPLEX_STEP}[gru-1-one-steps]",
    ),
    "weights in the order of the shards": (
        "kernels/loss.py",
        "        weight = weights[rows[r]] if weights.size else 1.0\n",
        "        weight = weights[r] if weights.size else 1.0\n",
        f"{WEIGHTED}[gru-1-one-last-weighted]",
    ),
    "a code's gradient in the place of the code met before": (
        "kernels/embedding.py",
        "at + (place_of[code] - 1) * size",
        "at + max(place_of[code] - 2, 0) * size",
        f"{EMBEDDINGS}::test_gradient_of_embeddings_is_the_complex_step_derivative[gru-1-one-last-embeddings]",
    ),
    "dropout forgotten on the way back": (
        "kernels/passes.py",
        "            if layer > 0 and job.dropout_key >= 0 and plan.drop_out != 0:\n",
        "            if layer > 9 and job.dropout_key >= 0 and plan.drop_out != 0:\n",
        f"{GRADIENTS}::test_gradient_through_dropout_is_the_complex_step_derivative[gru-2-one-last-dropout]",
    ),
    "what zoneout carries past the cell forgotten": (
        "kernels/hooks.py",
        "d_states[k, r, j] += context.d_kept[k, r, j]",
        "d_states[k, r, j] += 0 * context.d_kept[k, r, j]",
        f"{OPTIONS}[gru-1-one-last-zoneout-2-training]",
    ),
    "recurrent mask forgotten on the way back": (
        "kernels/hooks.py",
        "d_states[0, r, j] += context.masks[r, j] * extras.d_hidden[r, j]",
        "d_states[0, r, j] += extras.d_hidden[r, j]",
        f"{OPTIONS}[gru-1-both-last-recurrent_dropout-2-training]",
    ),
    "residual connection forgotten on the way back": (
        "kernels/passes.py",
        "residual(plan.residual, (ALL_STEPS, d_x, d_outputs, *of))",
        "pass",
        f"{OPTIONS}[gru-2-one-steps-dropout-residual-2-training]",
    ),
    "the gradient looked at without what comes from above": (
        "kernels/sweep.py",
        "                    _add_rows(d_output, order, row, d_column, d_states, alive, width)\n",
        "                    if watch.observer == 0:\n"
        "                        _add_rows(d_output, order, row, d_column, d_states, alive, width)\n",
        f"{FLOW}[elman-2-both-mean]",
    ),
    "sums of the gradient not cleared": (
        "kernels/passes.py",
        "            setup.sums[number] = 0\n",
        "            pass\n",
        f"{BITS}::test_training_leaves_nothing_behind_that_changes_the_next_pass",
    ),
    "directions swapped": (
        "kernels/jobs.py",
        "order_rows(lengths, steps, offsets, False, numbers[5])",
        "order_rows(lengths, steps, offsets, True, numbers[5])",
        f"{PYTORCH}[gru-1-one-last-float64]",
    ),
    "reverse direction not turned back": (
        "kernels/jobs.py",
        "order_rows(lengths, steps, ints[:0], True, numbers[7])",
        "order_rows(lengths, steps, ints[:0], False, numbers[7])",
        f"{COMPLEX_STEP}[gru-2-both-last]",
    ),
    "readout one step early": (
        "kernels/outputs.py",
        "row = steps.current[steps.starts[lengths[r] - 1] + r]",
        "row = steps.current[steps.starts[max(lengths[r] - 2, 0)] + r]",
        f"{COMPLEX_STEP}[gru-1-one-last]",
    ),
    "state off by one step": (
        "kernels/shards.py",
        "        before = row\n",
        "        before = max(0, row - alive)\n",
        f"{COMPLEX_STEP}[gru-1-one-last]",
    ),
    "mean over the longest": (
        "kernels/over_time.py",
        "        length = features.dtype.type(lengths[r])",
        "        length = features.dtype.type(lengths[0])",
        f"{COMPLEX_STEP}[gru-1-one-mean]",
    ),
    "a shard left out": (
        "kernels/passes.py",
        "(number + 1) * n_shards // job.tasks)",
        "(number + 1) * n_shards // job.tasks - (1 if number > 0 else 0))",
        f"{SEVERAL_SHARDS}[gru-1-one-last-dropout]",
    ),
    "a task counted twice": (
        "kernels/updates.py",
        "    for n in range(1, parts.shape[0]):",
        "    for n in range(parts.shape[0]):",
        f"{SEVERAL_SHARDS}[gru-1-one-last-dropout]",
    ),
    "targets in the order of the shards": (
        "kernels/passes.py",
        "else chosen[shard.places[r]]",
        "else chosen[r]",
        f"{COMPLEX_STEP}[gru-1-one-last]",
    ),
    "a live state not carried over": (
        "kernels/live.py",
        "                    own[state, 0, j] = own[state, 1, j]\n",
        "                    pass\n",
        "tests/network/test_live.py::test_after_each_step_the_scores_are_those_of_the_sequence_so_far[gru-float64-1]",
    ),
    "a row of the tile's remainder left out": (
        "kernels/tile.py",
        "            tile(i, size)\n",
        "            tile(i, max(1, size - 1))\n",
        "tests/kernels/test_products.py::test_multiply_is_start_plus_the_product_at_any_size[3-float64]",
    ),
    "both products from one factor": (
        "kernels/tile.py",
        "self.matrix(argument), self.pointer(argument + 2)",
        "self.matrix(6), self.pointer(argument + 2)",
        "tests/kernels/test_products.py::test_both_products_at_once_are_the_bits_of_one_after_the_other[float64]",
    ),
    "a value carried into the next sequence": (
        "data/missing.py",
        "    return np.where(last >= starts, last, -1)\n",
        "    return last\n",
        f"{PREPARATION}::test_the_last_value_is_carried_forward_and_the_training_mean_stands_at_the_start",
    ),
    "the unknown taken for the most frequent name": (
        "data/vocabulary.py",
        "self._id_of.get(name, 0)",
        "self._id_of.get(name, 1)",
        f"{PREPARATION}::test_tokens_are_embedded_however_few",
    ),
    "names numbered by name alone": (
        "data/vocabulary.py",
        "key=lambda name: (-totals[name], name)",
        "key=lambda name: name",
        f"{PREPARATION}::test_names_are_numbered_by_falling_frequency_and_then_by_name",
    ),
    "a task taken by two threads": (
        "kernels/team.py",
        "        if exchange_if(board, _OPEN, word, word - 1):",
        "        atomic_store(board, _OPEN, word - 1)\n        if True:",
        f"{THREADS}::test_every_task_is_done_once[100000-2]",
    ),
}

ALONE = ("a task taken by two threads",)  # shows only where two cores are free: the last, after all others
