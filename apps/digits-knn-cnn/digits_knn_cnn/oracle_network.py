"""The check of a trained network: by bare torch in doubles, from an independent reading.

Nothing of `studytrain` is used: no ranks, batches, joint gradients or batch norm of its own. Two
things are asked. Does the network that was handed back read the test pictures as the answer says?
And is the loss of the first steps what one process comes to that takes the same steps?

Single floats round otherwise than doubles. So pictures whose two best classes are as good as equal
may be read otherwise. And Adam steps as far along a gradient that is nothing but rounding as along
any other: ResNet18's loss is off by 1e-7 at the first step, by 1e-4 to 1e-3 at the second, by 3e-3
at the third, by a tenth at the tenth, also between one thread and two. So of that only the first
two can be compared; the CNN's stays within 1e-6 for an epoch, which is compared where it is a
matter of seconds.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from sklearn.metrics import confusion_matrix
from studykit.records import Check
from studykit.run import Run
from torch import Tensor, nn

from digits_knn_cnn import networks, oracle_rows
from digits_knn_cnn.layout import CLASSES, Labels
from digits_knn_cnn.training import Trained

FIRST_BATCHES = 2
MOST_OPERATIONS = 2e12
"""Of what is learned again: half a minute of one core."""
MOST_READ = 2000
"""Test pictures that are read again: all of the digits five times; of more, the first."""
NEAR = 1e-3
"""Logits nearer to each other may change places; they are of the order of 10."""
LOSS_TOLERANCE = {"cnn": 1e-3, "resnet18": 2e-3}
"""Relative. One step of ResNet18 along rounding has been seen to change the next loss by 1.5e-3."""


def check(run: Run, trained: Trained, quality: dict[str, Any]) -> Check:
    asked = run.parameters
    right = oracle_rows.read(run.dataset.uri, asked.resolution, asked.max_pixel)
    labels, predicted = right.test_labels, trained.predictions
    passed = (
        quality["train_rows"] == len(right.train_labels)
        and len(labels) == len(predicted) == quality["test_rows"]
        and len(trained.history) == asked.epochs
    )
    detail: dict[str, Any] = {"train_rows": len(right.train_labels), "test_rows": len(labels)}
    if passed:
        confused = confusion_matrix(labels, predicted, labels=range(CLASSES)).tolist()
        share = int(np.count_nonzero(labels == predicted)) / len(labels)
        passed = (
            quality["confusion"][asked.model] == confused
            and trained.history[-1]["test_accuracy"] == share
        )
        side = asked.resolution
        model = networks.NETWORKS[asked.model](side).double()
        model.load_state_dict(dict(trained.state))
        differing = _differing(
            model, _pictures(right.test_pixels[:MOST_READ], side, right.max_pixel), predicted
        )
        detail |= {"pictures_read_again": min(len(labels), MOST_READ), "differing": differing}
        passed = passed and differing == 0
        differences = _differences(run, trained, right)
        detail |= {f"{name}_differs_by": value for name, value in differences.items()}
        passed = passed and all(one <= LOSS_TOLERANCE[asked.model] for one in differences.values())
    return Check(
        passed=bool(passed),
        oracle="bare torch in doubles, over an independent reading",
        detail=detail,
    )


def _pictures(pixels: npt.NDArray[np.float64], side: int, max_pixel: int) -> Tensor:
    """[n, side²] → float64[n, 1, side, side] of 0 … 1."""
    return torch.from_numpy(pixels / max_pixel).view(-1, 1, side, side)


@torch.no_grad()
def _differing(model: nn.Module, pictures: Tensor, predicted: Labels) -> int:
    """Pictures that the model reads otherwise, with a margin."""
    logits = torch.cat([model.eval()(block) for block in pictures.split(256)])
    taken = torch.from_numpy(predicted[: len(pictures)]).long()
    behind = logits.max(dim=1).values - logits.gather(1, taken[:, None])[:, 0]
    return int((behind > NEAR).sum())


def _differences(run: Run, trained: Trained, right: oracle_rows.Divided) -> dict[str, float]:
    """{figure of the first epoch: its relative difference}, of those that are in reach."""
    asked, found = run.parameters, trained.history[0]
    operations = networks.operations(asked.model, asked.resolution)
    steps = learned(run, right)
    differences = {}
    first: list[tuple[float, int]] = []
    if operations * FIRST_BATCHES * asked.batch_size <= MOST_OPERATIONS:
        first += itertools.islice(steps, FIRST_BATCHES)
        expected = sum(loss for loss, _ in first) / len(first)
        differences["loss_of_first_batches"] = abs(found["loss_of_first_batches"] / expected - 1)
    if asked.model == "cnn" and operations * len(right.train_labels) <= MOST_OPERATIONS:
        every = [*first, *steps]
        expected = sum(loss * rows for loss, rows in every) / len(right.train_labels)
        differences["loss"] = abs(found["loss"] / expected - 1)
    return differences


def learned(run: Run, right: oracle_rows.Divided) -> Iterator[tuple[float, int]]:
    """Learn from the batches of the first epoch, one by one: mean loss, rows."""
    asked, seed = run.parameters, run.options.seed
    labels = torch.from_numpy(right.train_labels)
    model = networks.NETWORKS[asked.model](asked.resolution, seed).double().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    order = np.random.default_rng([seed % 2**64, 1]).permutation(len(labels))
    batches = [order[at : at + asked.batch_size] for at in range(0, len(order), asked.batch_size)]
    if asked.model == "resnet18" and len(batches) > 1 and len(batches[-1]) == 1:
        # Of one picture there is no variance.
        batches[-2:] = [np.concatenate(batches[-2:])]
    for batch in batches:
        pictures = _pictures(right.train_pixels[batch], asked.resolution, right.max_pixel)
        loss = F.cross_entropy(model(pictures), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item(), len(batch)
