"""The paper's figures of one model, and what was really timed under that name.

Waldron, Harge, Zhu and Hussein (2024): table 2 has accuracies by k, table 3 times; what its
notebooks ran is told in the README.
"""

from typing import NamedTuple

from study_data import published

STUDY = "digits-knn-cnn"
TASKS = {"knn": "knn", "cnn": "resnet18", "resnet18": "resnet18"}
"""What table 3 calls the times to be held beside a model's."""
TRAIN_ROWS = 1437
TIMED = {
    ("knn", "ray"): "ten searches, one for every k, each waited for before the next",
    ("knn", "dask"): "scikit-learn in the client on half of the rows, the plots included",
    ("resnet18", "ray"): "four small CNNs, each on all the data, with the start of their processes",
    ("resnet18", "dask"): "a small CNN in the client on half of the rows, the plots included",
}
"""{(task, engine): what a notebook ran}. None trained a ResNet18, as table 3 has it."""


class Time(NamedTuple):
    engine: str
    workers: int
    seconds: float
    of: str
    """What it is the time of."""


def times(model: str) -> list[Time]:
    """Table 3's, in its order."""
    task = TASKS[model]
    return [
        Time(row["engine"], row["workers"], row["value"], TIMED[task, row["engine"]])
        for row in published.rows(STUDY)
        if row["dataset_or_task"] == task
        and row["metric"] == "wall_s"
        and isinstance(row["value"], float)
        and row["workers"] is not None
    ]


def accuracies_by_k(part: str) -> dict[int, float]:
    """{k: accuracy} on the `test` or `train` part, to two digits, as table 2 prints it."""
    return {
        int(row["dataset_or_task"].removeprefix("knn k=")): row["value"]
        for row in published.rows(STUDY)
        if row["dataset_or_task"].startswith("knn k=")
        and row["metric"] == f"{part}_accuracy"
        and isinstance(row["value"], float)
    }
