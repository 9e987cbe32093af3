"""A network fed one time step at a time, with its states carried over: the class scores after each step."""

from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from elman.errors import DataError, ParameterError
from elman.kernels.cells import CELLS
from elman.kernels.jobs import CONTEXT
from elman.kernels.lanes import padded
from elman.kernels.live import SIZES_DIFFER, WRONG_CODE, Stream, live
from elman.kernels.shards import Steps
from elman.network.layers import aligned
from elman.network.network import Network
from elman.network.workplace import not_a_code

Array = np.ndarray[Any, Any]
_empty = np.empty  # looked up once: a step takes little longer than such things


class LiveSequence:
    """One sequence on its way through a network; `step` takes the next time step.

    The network of a classifier with a ``patch_size`` above 1 takes a patch a step, as its ``preparation_`` makes them.

    After t steps the scores are, to the bit, those that `Network.logits` gives for the first t steps.

    Parameters
    ----------
    network : Network
        With one direction and the readout "last", or a loss at every step; its parameters are those of this moment.

    Raises
    ------
    ParameterError
        If the network needs steps that have not come yet.

    Examples
    --------
    A trained classifier, fed step by step; its standardiser holds the scale of each feature:

    >>> from elman import SequenceClassifier
    >>> X = np.random.default_rng(0).standard_normal((40, 12, 2))
    >>> y = X.sum(axis=(1, 2)) > 0
    >>> classifier = SequenceClassifier(bidirectional=False, max_epochs=5, random_state=0).fit(X, y)
    >>> sequence = LiveSequence(classifier.network_)
    >>> standardiser = classifier.preparation_.standardiser
    >>> for x in (X[0] - standardiser.mean) / standardiser.scale:
    ...     scores = sequence.step(x)
    >>> bool(classifier.classes_[scores.argmax()] == classifier.predict(X[:1])[0])
    True
    """

    def __init__(self, network: Network) -> None:
        if not isinstance(network, Network):
            raise ParameterError(
                f"A live sequence needs a Network, such as the network_ of a trained SequenceClassifier. "
                f"Got {type(network).__name__} instead."
            )
        architecture = network.architecture
        if architecture.bidirectional or (architecture.loss_at == "last" and architecture.readout != "last"):
            raise ParameterError(
                "A live sequence needs a network that looks back alone: bidirectional=False, and readout='last' or "
                f"loss_at='every_step'. Got bidirectional={architecture.bidirectional}, "
                f"readout={architecture.readout!r}, loss_at={architecture.loss_at!r}."
            )
        self._dtype, self._input_size, self._n_classes = network.dtype, architecture.input_size, architecture.n_classes
        kernels, plan = live(network.dtype), network.plan
        ints = [np.array(numbers) for numbers in ([0, 1], [0, 1], [0], [0], [0], [0], [1])]
        self._stream = Stream(
            plan=plan,
            packed=network.packed_weights(),
            steps=Steps(*ints),
            tape=aligned((1, plan.tape_stride), network.dtype),
            states=aligned((plan.n_layers, plan.n_states, 2, plan.state_stride), network.dtype),
            proposals=aligned((plan.n_states, 2, plan.state_stride), network.dtype),
            parts=aligned((1 if plan.parts_stride else 0, plan.parts_stride), network.dtype),
            spare=aligned((3 * plan.gates * plan.most_width,), network.dtype, zero=True),
            context=np.zeros(CONTEXT, np.int64),
            outputs=aligned((plan.n_layers, plan.state_stride), network.dtype),
            features=aligned((1, padded(architecture.hidden_sizes[-1], network.dtype)), network.dtype),
            padded=aligned((1, plan.score_width), network.dtype),
            embeddings=network.parameters.vector[: plan.embedded].copy(),
            inputs=aligned((1, int(plan.table[0, 0])), network.dtype),
        )
        self._start = np.zeros_like(self._stream.states)
        if architecture.learn_initial_state:
            for layer, suffix in architecture.suffixes():
                for state, name in enumerate(CELLS[architecture.cell].states):
                    values = network.parameters[f"{name}_0{suffix}"]
                    self._start[layer, state, 1, : len(values)] = values
        self._where = np.zeros(kernels.room, np.int64)
        kernels.put_stream(self._where, self._stream)
        self._at, self._step = int(self._where.__array_interface__["data"][0]), kernels.step
        self.reset()

    def __reduce__(self) -> NoReturn:
        raise TypeError("A live sequence cannot be copied or pickled. Make another one from the network.")

    def reset(self) -> None:
        """Begin a new sequence."""
        self._stream.states[:] = self._start

    def step(self, x: ArrayLike) -> Array:
        """Take the next time step x (D,); return the class scores (C,) after it.

        An array in the network's dtype is taken as it is; anything else is converted first.

        Raises
        ------
        DataError
            If x is not a vector of D finite numbers, or holds no code where it should; the sequence stays where it was.
        """
        scores = _empty(self._n_classes, self._dtype)
        try:
            wrong = self._step(self._at, x, scores)
        except Exception:  # not an array as the kernel takes it, which Numba tells in many ways
            wrong = self._step(self._at, self._converted(x), scores)
        if wrong == WRONG_CODE:
            raise DataError(self._wrong_code(self._converted(x)))
        if wrong:
            found = f"shape {np.shape(x)}" if wrong == SIZES_DIFFER else f"{np.asarray(x).tolist()}"
            raise DataError(f"A time step must be a vector of {self._input_size} finite numbers. Got {found}.")
        return scores

    def _wrong_code(self, x: Array) -> str:
        """Say which value of a time step is not a code."""
        columns = ((column, n_codes) for column, n_codes, *_ in self._stream.plan.embeddings)
        column, n_codes = next((column, n) for column, n in columns if x[column] not in range(n))
        return not_a_code(column, n_codes, x[column])

    def _converted(self, x: ArrayLike) -> Array:
        contract = f"A time step must be a vector of {self._input_size} finite numbers."
        try:
            values = np.asarray(x)
        except ValueError as error:  # lists of several lengths
            raise DataError(f"{contract} {error}.") from None
        if values.dtype.kind not in "biuf" or values.ndim != 1:
            raise DataError(f"{contract} Got {values.dtype} of shape {values.shape}.")
        with np.errstate(over="ignore"):  # what does not fit the precision is refused as infinite
            return np.array(values, self._dtype)
