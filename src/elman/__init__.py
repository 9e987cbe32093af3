"""elman: classify sequences with recurrent neural networks, trained by backpropagation through time.

>>> from elman import SequenceClassifier, read  # doctest: +SKIP
>>> training = read("vowels.csv")  # doctest: +SKIP
>>> classifier = SequenceClassifier(random_state=0).fit(training.sequences, training.labels)  # doctest: +SKIP
>>> classifier.save("vowels.safetensors")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from elman.errors import (
    CheckpointError,
    DataError,
    ElmanError,
    FileError,
    InputError,
    MissingExtraError,
    ModelFileError,
    OutputError,
    ParameterError,
    TrainingError,
)

if TYPE_CHECKING:
    from elman.data import Sequences, as_sequences, from_frame, read
    from elman.estimators.classifier import SequenceClassifier
    from elman.estimators.rates import range_test
    from elman.estimators.saved import load
    from elman.estimators.tagger import SequenceTagger

__version__ = "0.1.0"

__all__ = [
    "CheckpointError",
    "DataError",
    "ElmanError",
    "FileError",
    "InputError",
    "MissingExtraError",
    "ModelFileError",
    "OutputError",
    "ParameterError",
    "SequenceClassifier",
    "SequenceTagger",
    "Sequences",
    "TrainingError",
    "__version__",
    "as_sequences",
    "from_frame",
    "load",
    "range_test",
    "read",
]

# Imported when first asked for, so that `import elman` loads neither scikit-learn nor Numba nor polars.
_HOMES = {
    "SequenceClassifier": "elman.estimators.classifier",
    "SequenceTagger": "elman.estimators.tagger",
    "Sequences": "elman.data",
    "as_sequences": "elman.data",
    "from_frame": "elman.data",
    "load": "elman.estimators.saved",
    "range_test": "elman.estimators.rates",
    "read": "elman.data",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
