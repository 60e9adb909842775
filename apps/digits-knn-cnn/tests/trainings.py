"""Trainings of networks on the published split, without a command."""

from types import SimpleNamespace
from typing import Any

import published_split
from digits_knn_cnn.layout import Digits
from studykit.phases import Phases
from studykit.run import Run

Having: Any = SimpleNamespace
"""What a run is asked for here, and no more."""


def parts() -> tuple[Digits, Digits]:
    """Training and test part."""
    train, test, train_labels, test_labels = published_split.parts()
    return Digits(train, train_labels, 16), Digits(test, test_labels, 16)


def asked(seed: int = 42, **parameters: Any) -> Run:
    """On plain, if nothing else is asked the CNN for 10 epochs."""
    defaults = {"model": "cnn", "batch_size": 32, "epochs": 10, "checkpoint": None, "resume": False}
    return Run(
        Having(), "plain", Having(seed=seed), Having(**defaults | parameters), Having(), Phases(),
        quiet=True,
    )  # fmt: skip
