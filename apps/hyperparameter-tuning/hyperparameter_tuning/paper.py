"""What the paper printed: the trials of its figures 3 and 4, its tables 1 and 2."""

from dataclasses import dataclass

from hyperparameter_tuning.jobs import Configuration

BREAST_CANCER, CIFAR10 = "breast-cancer", "cifar10"


@dataclass(frozen=True)
class Depth:
    """A row of figure 3."""

    max_depth: int
    iterations: int
    seconds: float
    train_log_loss: float
    train_error: float
    validation_log_loss: float


@dataclass(frozen=True)
class Network:
    """A row of figure 4."""

    learning_rate: float
    dropout: float
    accuracy: float
    iterations: int
    seconds: float


FIGURE_3 = (
    Depth(50, 31, 33.872, 0.0108854, 0.0, 0.047455),
    Depth(5, 31, 22.8771, 0.0103782, 0.0, 0.0403975),
    Depth(1, 31, 18.6195, 0.0795789, 0.0154525, 0.0848822),
    Depth(1, 31, 16.2519, 0.0795789, 0.0154525, 0.0848822),
    Depth(100, 31, 17.2518, 0.0108854, 0.0, 0.047455),
)
FIGURE_4 = (
    Network(0.0001, 0.25, 0.09375, 30, 105.455),
    Network(0.0001, 0.5, 0.09375, 30, 99.8423),
    Network(0.01, 0.25, 0.078125, 30, 102.604),
    Network(0.01, 0.5, 0.078125, 30, 99.8899),
    Network(0.0001, 0.25, 0.078125, 30, 101.015),
    Network(0.0001, 0.5, 0.078125, 30, 106.417),
    Network(0.01, 0.25, 0.0859375, 30, 102.299),
    Network(0.01, 0.5, 0.0859375, 30, 104.154),
    Network(0.0001, 0.25, 0.0859375, 30, 101.566),
    Network(0.0001, 0.5, 0.0859375, 30, 104.369),
    Network(0.01, 0.25, 0.0859375, 30, 104.354),
    Network(0.01, 0.5, 0.0859375, 30, 105.956),
    Network(0.0001, 0.25, 0.101562, 30, 103.912),
    Network(0.0001, 0.5, 0.109375, 30, 105.862),
    Network(0.01, 0.25, 0.109375, 30, 102.69),
    Network(0.01, 0.5, 0.109375, 30, 106.756),
)
ITERATIONS = 30
"""Rounds of a tree, by the text; iterations of a network, by figure 4."""
TEST_PICTURES = 128
"""All accuracies of figure 4 are multiples of 1/128."""
CHANCE = 0.1
REPORTED: Configuration = {
    "epochs": 25,
    "batch_size": 64,
    "learning_rate": 0.0001,
    "decay": 1e-6,
    "dropout": 0.0,
}
"""The best configuration that the paper reports, below figure 4."""
FAULTS = {
    BREAST_CANCER: (
        "Depth 1 is there twice, with the same figures: the grid had an equal point.",
        "Depths 50 and 100 are the same trees: no tree of so few rows becomes as deep.",
        "31 iterations are shown for 30 rounds.",
    ),
    CIFAR10: (
        "Every accuracy may be chance: one in ten, on 128 pictures.",
        "The best trial's row has a dropout of 0.5, the reported best configuration 0.0.",
        "30 iterations a trial are shown, 25 epochs and 400 in all are said.",
    ),
}
"""What is wrong with the figure of each study, in words."""


def rows(study: str) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of figure 3 or 4, with the paper's own digits."""
    if study == BREAST_CANCER:
        names = "max_depth", "iter", "total time (s)", "train-logloss", "train-error"
        return [*names, "valid-logloss"], [
            [f"{value:.6g}" for value in vars(row).values()] for row in FIGURE_3
        ]
    names = "learning_rate", "dropout", "acc", "iter", "total time (s)"
    return list(names), [[f"{value:.7g}" for value in vars(row).values()] for row in FIGURE_4]
