"""What was answered, as `outputs` writes it and the page shows it, for any model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from studykit.run import Run

from digits_knn_cnn.layout import Digits, Labels, Pixels
from digits_knn_cnn.nearest import Places

NAMES = {"cnn": "the CNN", "resnet18": "ResNet18"}


def why_no_model(model: str, method: str) -> str | None:
    """Why a run hands back no network to be kept; None where it does."""
    if model not in NAMES:
        return "nearest neighbours have no model file: their model is the training part itself"
    return None if method == "exact" else f"--method {method} hands back no model to be kept"


@dataclass(frozen=True)
class Answered:
    """What was read on the test pictures, and `quality` with its figures.

    pixels [n, side²], labels uint8[n], places int64[n] of the test pictures; `predicted`:
    {"1": uint8[n], …} by k, or {model: uint8[n]}; `network` makes the file of one.
    """

    run: Run
    pixels: Pixels
    labels: Labels
    places: Places
    predicted: Mapping[str, Labels]
    quality: Mapping[str, Any]
    network: Callable[[], bytes] | None = None

    @classmethod
    def of_network(
        cls,
        run: Run,
        tests: Digits,
        predicted: Labels,
        quality: Mapping[str, Any],
        network: Callable[[], bytes] | None = None,
    ) -> "Answered":
        """Of the one network of a run."""
        by_model = {run.parameters.model: predicted}
        places = np.arange(len(tests))
        return cls(run, tests.pixels, tests.labels, places, by_model, quality, network)

    @property
    def best(self) -> str:
        """The network, or the k with the most right test pictures, the smallest of equals."""
        right = {name: int(np.sum(own == self.labels)) for name, own in self.predicted.items()}
        return max(right, key=lambda name: right[name])

    @property
    def title(self) -> str:
        """What `best` is, for people."""
        best = self.best
        return f"the nearest neighbours with k = {best}" if best.isdigit() else NAMES[best]

    @property
    def seconds(self) -> dict[str, float]:
        """{what: seconds of this run}, its start apart."""
        spent = self.run.phases.seconds
        answer = sum(spent.get(name, 0.0) for name in ("load", "compute", "communicate"))
        return {"start": spent.get("start", 0.0), "load, compute, communicate": answer}
