"""The Wisconsin table as files, made of scikit-learn's own."""

import numpy as np
from sklearn.datasets import load_breast_cancer

MEASURES = [
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
    "concave points", "symmetry", "fractal_dimension",
]  # fmt: skip
NAMES = [f"{measure}_{kind}" for kind in ("mean", "se", "worst") for measure in MEASURES]


def table():
    """(features float32[569, 30], 1 where malignant)."""
    data = load_breast_cancer()
    return data.data.astype(np.float32), (data.target == 0).astype(np.uint8)


def rows(count=569):
    """Fields of each row: the diagnosis, then 30 numbers."""
    data = load_breast_cancer()
    return [
        ["MB"[target], *map(repr, values)]
        for values, target in zip(data.data[:count].tolist(), data.target[:count], strict=True)
    ]


def made(count=569):
    """As the catalogue's data set has it."""
    lines = [["diagnosis", *NAMES], *rows(count)]
    return "".join(",".join(line) + "\n" for line in lines)


def kaggle(count=569, end="", quotes=True):
    """As on Kaggle: quoted names, ids, a comma at the header's end; rows end by `end`."""
    header = ["id", "diagnosis", *NAMES]
    if quotes:
        header = [f'"{name}"' for name in header]
    lines = [",".join(header) + ","]
    lines += [",".join([str(842302 + place), *row]) + end for place, row in enumerate(rows(count))]
    return "\n".join(lines) + "\n"
