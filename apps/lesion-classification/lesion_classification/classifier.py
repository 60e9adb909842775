"""One classifier: what its inputs are scaled by, learned from some images, and its network.

An image's inputs are its 2,048 features and the encoded columns of its line of the table, both
standardised by what is known of the images that are learned from. They are put together a batch at
a time, so that there is no second copy of all features, however many folds are trained at once.

Training is on one thread, and all that is drawn is of the seed and the fold: the same fold has the
same weights on every engine, worker and number of threads. Threads train folds side by side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lesion_classification.layout import Lesions
from lesion_classification.perceptron import Perceptron, Weights
from lesion_classification.table_features import Encoding, Rows

Features = npt.NDArray[Any]
"""float32 or float16 [n, 2048]."""
Scores = npt.NDArray[np.float64]
"""How likely each image is malignant, 0 … 1."""

BLOCK = 512
"""Rows of features that are in memory as doubles, or scored, at once."""


@dataclass(frozen=True)
class Settings:
    """`as_published`: numbers and texts fitted on all rows, tested ones too; features unscaled."""

    epochs: int = 10
    batch_size: int = 32
    seed: int = 42
    as_published: bool = False


@dataclass(frozen=True)
class Model:
    """All that a score depends on: inputs are (features − means) · scales, then `encoding`'s."""

    encoding: Encoding
    means: npt.NDArray[np.float32]
    scales: npt.NDArray[np.float32]
    weights: Weights


@dataclass(frozen=True)
class Trained:
    model: Model
    losses: Sequence[float]
    """Of each epoch, the mean over its images while it learned."""
    scores: Scores
    """Of the tested images."""


@dataclass(frozen=True)
class Inputs:
    """A network's inputs of all images, from which a batch is made."""

    features: Tensor
    means: Tensor
    scales: Tensor
    table: Tensor
    _raw: dict[int, Tensor] = field(default_factory=dict)
    """Batches of features by their size: memory for the next one."""

    @property
    def columns(self) -> int:
        return self.features.shape[1] + self.table.shape[1]

    def batch(self, rows: Tensor, out: Tensor) -> Tensor:
        """Written into `out` [at least len(rows), columns]; what of it was written."""
        own, split = out[: len(rows)], self.features.shape[1]
        raw = self._raw.setdefault(
            len(rows), torch.empty(len(rows), split, dtype=self.features.dtype)
        )
        torch.index_select(self.features, 0, rows, out=raw)
        torch.sub(raw, self.means, out=own[:, :split]).mul_(self.scales)
        own[:, split:] = self.table[rows]
        return own


def train(
    features: Features, lesions: Lesions, train_rows: Rows, test_rows: Rows, settings: Settings,
    fold: int,
) -> Trained:  # fmt: skip
    """Learn from some images, score others; on this thread alone."""
    fitted_on = np.arange(len(lesions)) if settings.as_published else train_rows
    encoding = Encoding.fitted(lesions, fitted_on)
    means, scales = _scaling(features, train_rows, settings)
    inputs = Inputs(
        torch.from_numpy(features),
        torch.from_numpy(means),
        torch.from_numpy(scales),
        torch.from_numpy(encoding.encoded(lesions)),
    )
    generator = np.random.default_rng([settings.seed % 2**64, fold])
    network = Perceptron(inputs.columns, generator, settings.batch_size + 1)
    labels = torch.from_numpy(lesions.labels.astype(np.float32))
    out = torch.empty(settings.batch_size + 1, inputs.columns)
    losses = []
    for _ in range(settings.epochs):
        total = 0.0
        for rows in _batches(generator.permutation(train_rows), settings.batch_size):
            total += len(rows) * network.step(inputs.batch(rows, out), labels[rows])
        losses.append(total / len(train_rows))
    model = Model(encoding, means, scales, network.weights())
    return Trained(model, losses, _scores(network, inputs, test_rows))


def _batches(rows: Rows, size: int) -> Iterator[Tensor]:
    """Of so many rows; a last one alone, of which there is no variance, goes with those before."""
    starts = list(range(0, len(rows), size))
    if len(starts) > 1 and len(rows) - starts[-1] == 1:
        starts.pop()
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        yield torch.from_numpy(rows[start:stop])


def _scaling(
    features: Features, rows: Rows, settings: Settings
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Means, and 1 / standard deviation, of each feature over some rows; of one that is always the
    same, 1."""
    width = features.shape[1]
    if settings.as_published:
        return np.zeros(width, np.float32), np.ones(width, np.float32)
    total = np.zeros(width)
    for block in _blocks(rows):
        total += features[block].sum(axis=0, dtype=np.float64)
    means = total / len(rows)
    squares = np.zeros(width)
    for block in _blocks(rows):
        squares += np.square(features[block] - means).sum(axis=0)
    deviations = np.sqrt(squares / len(rows))
    deviations[deviations == 0] = 1.0
    return means.astype(np.float32), (1 / deviations).astype(np.float32)


def _blocks(rows: Rows) -> Iterator[Rows]:
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))


def _scores(network: Perceptron, inputs: Inputs, rows: Rows) -> Scores:
    out = torch.empty(min(BLOCK, len(rows)), inputs.columns)
    found = [np.empty(0, np.float32)]
    for block in _blocks(rows):
        found.append(network.logits(inputs.batch(torch.from_numpy(block), out)).numpy())
    scores: Scores = 1 / (1 + np.exp(-np.concatenate(found).astype(np.float64)))
    return scores
