"""How data gets in: files and arrays become `Sequences`, are scaled, and are split into training and validation."""

from elman.data.preparation import Standardiser
from elman.data.readers import Dataset, read
from elman.data.sequences import Sequences, as_sequences
from elman.data.splits import split_by_class, split_by_group, split_plain

__all__ = [
    "Dataset",
    "Sequences",
    "Standardiser",
    "as_sequences",
    "read",
    "split_by_class",
    "split_by_group",
    "split_plain",
]
