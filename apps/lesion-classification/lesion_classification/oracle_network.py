"""A fold again, in doubles: its scores by NumPy from the weights, its first epoch by bare torch.

Nothing of `perceptron` or `table_features` is used, but for the order in which numbers are drawn:
first weights layer by layer, then for each epoch the order of its images, and for each batch what
dropout keeps. The derivatives are autograd's, the steps torch.optim's.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import Tensor, nn

from lesion_classification.cross_validation import Data, FoldResult

UNITS = (256, 128, 64, 32)
RATES = (0.4, 0.3, 0.3, 0.2)

Matrix = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def inputs(data: Data, train_rows: Rows, rows: Rows) -> Matrix:
    """Of the network: float64[rows, columns], scaled by those that it was trained on."""
    lesions, published = data.lesions, data.settings.as_published
    fitted_on = np.arange(len(lesions)) if published else train_rows
    parts = []
    images = data.features
    if published:
        parts.append(images[rows].astype(np.float64))
    else:
        parts.append(_scaler(images[train_rows]).transform(images[rows].astype(np.float64)))
    if lesions.numbers:
        numbers = np.stack(list(lesions.numbers.values()), axis=1)
        parts.append(_scaler(numbers[fitted_on]).transform(numbers[rows]))
    if lesions.categories:
        texts = np.array([list(column) for column in lesions.categories.values()], object).T
        encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
        parts.append(encoder.fit(texts[fitted_on]).transform(texts[rows]))
    return np.hstack(parts)


def _scaler(fitted_on: npt.NDArray[Any]) -> StandardScaler:
    return StandardScaler().fit(fitted_on.astype(np.float64))


def scores(result: FoldResult, data: Data) -> Matrix:
    """Of the images that the fold tests."""
    train_rows = np.setdiff1d(np.arange(len(data.lesions)), result.rows)
    units = inputs(data, train_rows, result.rows)
    weights = {name: own.astype(np.float64) for name, own in result.model.weights.items()}
    for at in range(len(UNITS)):
        units = units @ weights[f"linear{at}.weight"].T
        units -= weights[f"norm{at}.running_mean"]
        units *= weights[f"norm{at}.weight"] / np.sqrt(weights[f"norm{at}.running_var"] + 1e-5)
        units = np.maximum(units + weights[f"norm{at}.bias"], 0.0)
    logits = units @ weights["out.weight"] + weights["out.bias"]
    found: Matrix = 1 / (1 + np.exp(-logits))
    return found


class _Dropped(nn.Module):
    """Multiplies by what it is given before each batch."""

    kept: Tensor

    def forward(self, units: Tensor) -> Tensor:
        return units * self.kept


def first_loss(result: FoldResult, data: Data) -> float:
    """The mean loss of the first epoch, learned again by torch's layers, autograd and Adam."""
    settings = data.settings
    train_rows = np.setdiff1d(np.arange(len(data.lesions)), result.rows)
    examples = torch.from_numpy(inputs(data, train_rows, train_rows))
    labels = torch.from_numpy(data.lesions.labels[train_rows].astype(np.float64))
    drawn = np.random.default_rng([settings.seed % 2**64, result.fold])
    network, dropped = _network(examples.shape[1], drawn)
    adam = torch.optim.Adam(network.parameters(), 1e-3)
    order, total = drawn.permutation(len(train_rows)), 0.0
    for batch in _batches(order, settings.batch_size):
        uniform = torch.from_numpy(drawn.random((len(batch), sum(UNITS)), np.float32))
        for layer, rate, own in zip(dropped, RATES, uniform.split(UNITS, dim=1), strict=True):
            layer.kept = (own >= torch.tensor(rate, dtype=torch.float32)).double() / (1 - rate)
        logits = network(examples[batch])[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels[batch])
        adam.zero_grad()
        loss.backward()
        adam.step()
        total += loss.item() * len(batch)
    return total / len(train_rows)


def _network(columns: int, drawn: np.random.Generator) -> tuple[nn.Module, list[_Dropped]]:
    def linear(below: int, width: int, bias: bool) -> nn.Linear:
        made = nn.Linear(below, width, bias=bias)
        for own in made.parameters():
            bound = below**-0.5
            uniform = torch.from_numpy(drawn.random(tuple(own.shape), np.float32))
            own.data = uniform.mul_(2 * bound).sub_(bound)
        return made

    layers: list[nn.Module] = []
    below = columns
    for width in UNITS:
        layers += [linear(below, width, False), nn.BatchNorm1d(width), nn.ReLU(), _Dropped()]
        below = width
    layers.append(linear(below, 1, True))
    network = nn.Sequential(*layers).double().train()
    return network, [layer for layer in layers if isinstance(layer, _Dropped)]


def _batches(order: Rows, size: int) -> Iterator[Rows]:
    """A last one of one image, of which there is no variance, goes with the one before."""
    cuts = list(range(size, len(order), size))
    if cuts and len(order) - cuts[-1] == 1:
        cuts.pop()
    yield from np.split(order, cuts)
