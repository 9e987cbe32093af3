"""How data gets in: files and arrays become `Sequences`, are scaled, and are split into training and validation."""

from elman.data.conversion import Converted, convert
from elman.data.forms import as_sequences
from elman.data.preparation import Preparation
from elman.data.readers import Dataset, from_frame, read
from elman.data.sequences import Sequences
from elman.data.splits import split_by_class, split_by_group, split_plain
from elman.data.standardiser import Standardiser
from elman.data.subjects import Subjects, find_subjects

__all__ = [
    "Converted",
    "Dataset",
    "Preparation",
    "Sequences",
    "Standardiser",
    "Subjects",
    "as_sequences",
    "convert",
    "find_subjects",
    "from_frame",
    "read",
    "split_by_class",
    "split_by_group",
    "split_plain",
]
