"""What a table of samples is here: the forms that all other files speak of."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from studykit import pages

Features = npt.NDArray[np.float32]
"""float32[samples, features], a sample's numbers side by side."""
Column = npt.NDArray[np.float32]
"""float32[samples], of one feature."""
Labels = npt.NDArray[np.int32]
"""Classes from 0, int32[samples]."""
RowNumbers = npt.NDArray[np.int64]
"""Of samples in the whole table, from 0, over all its files in their order."""
Probabilities = npt.NDArray[np.float64]
"""float64[samples, classes]"""

SKIPPED, LABEL, FIRST_FEATURE = 0, 1, 2
"""Roles of a file's columns; feature number i has the role FIRST_FEATURE + i."""


@dataclass(frozen=True)
class Samples:
    """Some rows of the table, in the order of their numbers."""

    rows: RowNumbers
    features: Features
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def room(cls, count: int, columns: int) -> "Samples":
        """For so many samples, to be written."""
        return cls(
            pages.empty((count,), np.int64),
            pages.empty((count, columns), np.float32),
            pages.empty((count,), np.int32),
        )

    def part(self, begin: int, end: int) -> "Samples":
        """The same memory."""
        return Samples(self.rows[begin:end], self.features[begin:end], self.labels[begin:end])


@dataclass(frozen=True)
class Asked:
    """What of the table is read: the label's column, the features' (all others where None), how
    many classes there may be, and whether a feature may be missing."""

    label: str
    features: tuple[str, ...] | None
    classes: int
    missing: bool


@dataclass(frozen=True)
class SampleFormat:
    """How one file is laid out: the names in its header, and where its first row can begin."""

    names: tuple[str, ...]
    body: int
    label: str
    features: tuple[str, ...]
    classes: int
    missing: bool

    @cached_property
    def roles(self) -> npt.NDArray[np.int64]:
        """What each column of the file is."""
        known = {name: FIRST_FEATURE + place for place, name in enumerate(self.features)}
        known[self.label] = LABEL
        return np.array([known.get(name, SKIPPED) for name in self.names])


def features_of(names: Sequence[str], asked: Asked) -> tuple[str, ...]:
    """Those asked for, or all but the label."""
    return asked.features or tuple(name for name in names if name != asked.label)
