"""Breast tumours by 30 numbers, divided and normalised: what the boosted trees learn from.

    parts = diagnoses.divided(diagnoses.read("data.csv"), seed=42)

Divided by scikit-learn's `train_test_split(test_size=0.2, random_state=seed)`, which is what the
paper names (it names no seed; it does not stratify), and normalised, mean 0 and deviation 1, by
the training part alone. Trees ask only which of two values is larger, so normalising changes
nothing but how thresholds are written; it is done because the paper does it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from studykit import storage
from studykit.errors import DataError

from hyperparameter_tuning import diagnosis_table
from hyperparameter_tuning.diagnosis_table import Features, Labels

TEST_SHARE = 0.2
FOLDS = 5
CLASSES = ("benign", "malignant")
"""By label."""


@dataclass(frozen=True)
class Diagnoses:
    """features float32[n, d]; labels uint8[n], 1 for malignant; the features' names [d]."""

    features: Features
    labels: Labels
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def chance(self) -> float:
        """The accuracy of always saying what is more frequent here."""
        return float(np.bincount(self.labels).max() / len(self.labels))

    def at(self, places: npt.NDArray[np.int64]) -> "Diagnoses":
        return replace(self, features=self.features[places], labels=self.labels[places])


@dataclass(frozen=True)
class Divided:
    """Both parts, normalised by the first: raw = value · deviation + mean, each [d]."""

    train: Diagnoses
    test: Diagnoses
    mean: Features
    deviation: Features


def read(uri: str, split_bytes: int = diagnosis_table.SPLIT_BYTES) -> Diagnoses:
    """In pieces of so many bytes, which changes nothing but memory.

    DataError where a row or a column is wrong, or either diagnosis comes fewer than ten times:
    five folds of four fifths need that many."""
    features, labels = diagnosis_table.read(uri, split_bytes)
    counts = np.bincount(labels, minlength=len(CLASSES))
    for name, count in zip(CLASSES, counts, strict=True):
        if count == 0:
            other = CLASSES[1 - CLASSES.index(name)]
            reason = f"one class only: all rows are {other}, there is nothing to tell apart"
            raise DataError(reason, uri=storage.absolute(uri))
        if count < 2 * FOLDS:
            reason = f"{count} rows are {name}: {2 * FOLDS} or more are needed for {FOLDS} folds"
            raise DataError(reason, uri=storage.absolute(uri))
    return Diagnoses(features, labels, diagnosis_table.FEATURES)


def divided(diagnoses: Diagnoses, seed: int) -> Divided:
    """DataError where chance leaves a part too few of one diagnosis; another seed may not."""
    # Here, because the study of pictures needs none of it.
    from sklearn.model_selection import train_test_split

    places = np.arange(len(diagnoses))
    train, test = train_test_split(places, test_size=TEST_SHARE, random_state=seed % 2**32)
    fewest = np.bincount(diagnoses.labels[train], minlength=len(CLASSES)).min()
    if fewest < FOLDS:
        raise DataError(
            f"{fewest} rows of one diagnosis in the training part, {FOLDS} are needed: --seed"
        )
    raw = diagnoses.features[train].astype(np.float64)
    mean, deviation = raw.mean(axis=0), raw.std(axis=0)
    deviation[deviation == 0] = 1  # A constant column stays one.

    def normalised(part: Diagnoses) -> Diagnoses:
        features = ((part.features.astype(np.float64) - mean) / deviation).astype(np.float32)
        return replace(part, features=features)

    return Divided(
        normalised(diagnoses.at(train)),
        normalised(diagnoses.at(test)),
        mean.astype(np.float32),
        deviation.astype(np.float32),
    )
