"""Small tables of samples, by the generator of the study's data set or by scikit-learn's."""

from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification
from study_data import synthetic_classes
from study_data.synthetic_concepts import Shape
from synthetic_classifiers.layout import Features, Labels

HEADER = "feature_0,feature_1,target\n"


def made(rows: int, seed: int = 0, shape: Shape | None = None) -> bytes:
    """CSV of so many rows."""
    shape = Shape() if shape is None else shape
    return b"".join(map(bytes, synthetic_classes.blocks(rows, seed, shape=shape)))


def write_made(path: Path, rows: int, seed: int = 0, shape: Shape | None = None) -> Path:
    path.write_bytes(made(rows, seed, shape))
    return path


def classification(
    rows: int, classes: int = 2, seed: int = 0, redundant: int = 5
) -> tuple[Features, Labels]:
    """float32[rows, 10], int32[rows]"""
    features, labels = make_classification(
        rows, 10, n_informative=5, n_redundant=redundant, n_classes=classes, random_state=seed
    )
    return features.astype(np.float32), labels.astype(np.int32)
