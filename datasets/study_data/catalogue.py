"""All data sets by name, for the command line. A study names its own, as an object."""

from studykit.errors import UsageError

from study_data import follower_graph
from study_data import keeping
from study_data import twitter7
from study_data import uniform_rows
from study_data import yellow_taxi
from study_data import yellow_trips
from study_data.dataset import Dataset

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        follower_graph.DATASET,
        twitter7.DATASET,
        uniform_rows.DATASET,
        yellow_taxi.DATASET,
        yellow_trips.DATASET,
    )
}


def named(name: str) -> Dataset:
    """UsageError where there is no such data set."""
    if name not in DATASETS:
        raise UsageError(f"no data set '{name}': there are {', '.join(DATASETS)}")
    return DATASETS[name]


def present(store: str) -> list[tuple[Dataset, str, int]]:
    """(data set, size, seed) of everything in the store that is listed here."""
    return [
        (dataset, size, seed)
        for dataset in DATASETS.values()
        for size, seed in keeping.present(dataset, store)
    ]
