"""A network as the paper's notebooks trained it, in torch for Keras: nothing is seeded."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from digits_knn_cnn import networks
from digits_knn_cnn.layout import Digits
from digits_knn_cnn.published import BATCH_SIZE
from digits_knn_cnn.reports import Figures
from digits_knn_cnn.training import EPSILON, LEARNING_RATE


@dataclass(frozen=True)
class Network:
    """Figures of every epoch; seconds of importing torch, and of training and evaluating."""

    history: Sequence[Figures]
    import_seconds: float
    seconds: float


def train(data: Digits, tests: Digits, epochs: int, import_seconds: float = 0.0) -> Network:
    """First weights and orders come from the operating system; pixels stay as they are."""
    began = time.monotonic()
    generator = torch.Generator()
    model = networks.cnn(data.side, seed=generator.seed())
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, eps=EPSILON)
    pixels, labels = as_they_are(data)
    shown, right = as_they_are(tests)
    history = []
    for _ in range(epochs):
        loss = correct = 0.0
        for rows in torch.randperm(len(labels), generator=generator).split(BATCH_SIZE):
            logits = model(pixels[rows])
            of_batch = F.cross_entropy(logits, labels[rows])
            optimizer.zero_grad()
            of_batch.backward()
            optimizer.step()
            loss += of_batch.item() * len(rows)
            correct += int((logits.argmax(dim=1) == labels[rows]).sum())
        history.append(
            {
                "loss": loss / len(labels),
                "train_accuracy": correct / len(labels),
                "test_accuracy": accuracy(model, shown, right),
            }
        )
    return Network(history, import_seconds, time.monotonic() - began)


@torch.no_grad()
def accuracy(model: nn.Module, pixels: Tensor, labels: Tensor) -> float:
    right = sum(
        int((model(some).argmax(dim=1) == own).sum())
        for some, own in zip(pixels.split(256), labels.split(256), strict=True)
    )
    return right / len(labels)


def as_they_are(part: Digits) -> tuple[Tensor, Tensor]:
    """float32[n, 1, side, side], of which the CNN gives its layers 0 … max_pixel; int64[n]."""
    pixels = torch.tensor(part.pixels, dtype=torch.float32) / networks.FULL
    return pixels.view(-1, 1, part.side, part.side), torch.tensor(part.labels, dtype=torch.int64)
