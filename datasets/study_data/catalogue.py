"""All data sets by name, for the command line. A study names its own, as an object."""

from collections.abc import Iterator

from studykit.errors import UsageError

from study_data import (
    breast_cancer,
    cifar_like,
    digits,
    follower_graph,
    keeping,
    lesion_images,
    synthetic_classes,
    twitter7,
    uniform_rows,
    yellow_taxi,
    yellow_trips,
)
from study_data.as_parquet import as_parquet, is_table
from study_data.dataset import Dataset

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        follower_graph.DATASET,
        twitter7.DATASET,
        uniform_rows.DATASET,
        synthetic_classes.DATASET,
        synthetic_classes.dataset(concept="published"),
        yellow_taxi.DATASET,
        yellow_trips.DATASET,
        digits.DATASET,
        digits.dataset(28),
        digits.dataset(32),
        lesion_images.DATASET,
        breast_cancer.DATASET,
        cifar_like.DATASET,
    )
}


FORMATS = ("csv", "parquet")


def named(name: str, format_: str = "csv") -> Dataset:
    """UsageError where there is no such data set, or not in this format."""
    if name not in DATASETS:
        raise UsageError(f"no data set '{name}': there are {', '.join(DATASETS)}")
    if format_ not in FORMATS:
        raise UsageError(f"--format {format_}: choose {', '.join(FORMATS)}")
    return DATASETS[name] if format_ == "csv" else as_parquet(DATASETS[name])


def forms() -> Iterator[Dataset]:
    """Every data set in every format."""
    for dataset in DATASETS.values():
        yield dataset
        if is_table(dataset):
            yield as_parquet(dataset)


def present(store: str) -> list[tuple[Dataset, str, int]]:
    """(data set, size, seed) of everything in the store that is listed here."""
    return [
        (dataset, size, seed)
        for dataset in forms()
        for size, seed in keeping.present(dataset, store)
    ]
