"""The papers' figures: some numbers of each by hand, and the shape of the file."""

from collections import Counter

import pytest
from study_data import published
from studykit.errors import UsageError

STUDIES = (
    "taxi-clustering",
    "twitter-pagerank",
    "lesion-classification",
    "synthetic-classifiers",
    "ray-vs-dask-etl",
    "hyperparameter-tuning",
    "digits-knn-cnn",
)

# Table I of Alexiadis et al. 2025: (GB, nodes) → silhouette with PyTorch, with Ray; cut, as there.
TABLE_1 = {
    (1.99, 1): (0.3809, 0.3793),
    (1.99, 2): (0.3815, 0.3793),
    (1.99, 3): (0.3811, 0.3793),
    (3.7, 1): (0.3862, 0.3860),
    (3.7, 2): (0.3855, 0.3860),
    (3.7, 3): (0.3839, 0.3860),
    (5.48, 1): (0.3879, 0.3885),
    (5.48, 2): (0.3861, 0.3885),
    (5.48, 3): (0.3847, 0.3885),
}


def value_of(study: str, metric: str, **wanted: object) -> float | str:
    found = [
        row["value"]
        for row in published.rows(study)
        if row["metric"] == metric and all(row[key] == want for key, want in wanted.items())  # type: ignore[literal-required]
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("size_gb", "nodes"), TABLE_1)
def test_silhouettes_are_those_of_table_1(size_gb: float, nodes: int) -> None:
    for engine, printed in zip(("torch", "ray"), TABLE_1[size_gb, nodes], strict=True):
        value = value_of(
            "taxi-clustering",
            "silhouette_of_local_clusterings",
            engine=engine,
            size_gb=size_gb,
            workers=nodes,
        )
        assert value == printed


# (study, engine, data set or task, GB, workers, metric) → what the papers' texts and tables print.
PRINTED = {
    ("synthetic-classifiers", "ray", "lightgbm", 1, 3, "wall_s"): 21.47,
    ("synthetic-classifiers", "torch", "lightgbm", 2, 3, "wall_s"): 168.5,
    ("synthetic-classifiers", "ray", "xgboost", 1, 3, "accuracy"): 0.897,
    ("synthetic-classifiers", "any", "xgboost", 1, None, "accuracy"): 0.89,
    ("synthetic-classifiers", "ray", "random-forest", 2, 3, "wall_s"): 1328.2,
    ("ray-vs-dask-etl", "dask", "etl", 8.57, 2, "wall_s"): 56.90,
    ("ray-vs-dask-etl", "dask", "etl", 8.57, 2, "efficiency_printed"): 1,
    ("ray-vs-dask-etl", "dask", "logistic-regression", 9.42, 2, "wall_s"): 26_108.68,
    ("ray-vs-dask-etl", "dask", "logistic-regression", 9.42, 2, "driver_memory_mb"): -29.36,
    ("ray-vs-dask-etl", "dask", "logistic-regression", 4.68, 2, "driver_memory_mb"): -2.56,
    ("ray-vs-dask-etl", "dask", "logistic-regression", 4.68, 16, "wall_s"): 10_300.0,
    ("digits-knn-cnn", "dask", "knn", None, 2, "wall_s"): 3.78,
    ("digits-knn-cnn", "dask", "resnet18", None, 6, "wall_s"): 13.1,
    ("digits-knn-cnn", "any", "knn k=1", None, None, "train_accuracy"): 1.00,
    ("hyperparameter-tuning", "plain", "cifar10 cnn", None, 1, "wall_s"): 40 * 60,
    ("hyperparameter-tuning", "ray", "cifar10 cnn", None, 1, "wall_s"): 25 * 60,
    ("hyperparameter-tuning", "ray", "cifar10 cnn", None, 1, "tune_running_s"): 27 * 60 + 54,
    ("hyperparameter-tuning", "ray", "cifar10 cnn, trial 15", None, 1, "trial_s"): 106.756,
}


@pytest.mark.parametrize("cell", PRINTED)
def test_values_are_those_that_the_papers_print(
    cell: tuple[str, str, str, float | None, int | None, str],
) -> None:
    study, engine, task, size_gb, workers, metric = cell
    value = value_of(
        study, metric, engine=engine, dataset_or_task=task, size_gb=size_gb, workers=workers
    )
    assert value == PRINTED[cell]


def test_pagerank_has_each_size_with_each_number_of_workers() -> None:
    rows = published.rows("twitter-pagerank")
    cells = {(row["engine"], row["size_gb"], row["workers"], row["metric"]) for row in rows}
    workers = {"torch": (4, 8, 12), "ray": (1, 2, 3)}
    assert cells == {
        (engine, size, count, metric)
        for engine, counts in workers.items()
        for size in (1, 2.5, 5)
        for count in counts
        for metric in ("wall_s", "driver_memory_mb")
    }
    assert len(rows) == len(cells)
    assert {(row["engine"], row["worker_unit"]) for row in rows} == {
        ("torch", "processes"),
        ("ray", "nodes"),
    }


def test_every_number_says_what_was_measured_and_where_it_stands() -> None:
    for study in STUDIES:
        for row in published.rows(study):
            assert row["stands_in"].split()[0] in (
                "table",
                "section",
                "figure",
                "figures",
                "result",
            )
            assert row["measure"] or isinstance(row["value"], str)


def test_no_figure_stands_twice() -> None:
    cells = Counter(
        (
            study,
            *(row[name] for name in ("engine", "dataset_or_task", "size_gb", "workers", "metric")),
        )  # type: ignore[literal-required]
        for study in STUDIES
        for row in published.rows(study)
    )
    assert [cell for cell, times in cells.items() if times > 1] == []


def test_the_two_drivers_memories_are_two_measures() -> None:
    measures = {
        study: {
            row["measure"] for row in published.rows(study) if row["metric"] == "driver_memory_mb"
        }
        for study in ("twitter-pagerank", "ray-vs-dask-etl")
    }
    assert measures == {
        "twitter-pagerank": {"driver's resident size at the end"},
        "ray-vs-dask-etl": {"growth of the driver's resident size"},
    }


@pytest.mark.parametrize(
    ("study", "unit", "sizes"),
    [
        ("twitter-pagerank", 2**30, (1, 2.5, 5)),
        ("ray-vs-dask-etl", 1000 * 2**20, (8.57, 4.26, 9.42, 4.68)),
    ],
)
def test_bytes_stand_beside_what_a_paper_calls_gb(
    study: str, unit: int, sizes: tuple[float, ...]
) -> None:
    found = {row["size_gb"]: row["size_bytes"] for row in published.rows(study) if row["workers"]}
    assert found == {size: pytest.approx(size * unit, rel=0.005) for size in sizes}


def test_a_run_that_did_not_end_is_text_without_size_and_workers() -> None:
    (row,) = (row for row in published.rows("ray-vs-dask-etl") if row["metric"] == "status")
    assert row["value"] == "did not end; ran for days"
    assert (row["size_gb"], row["workers"]) == (None, None)


def test_all_other_values_are_numbers() -> None:
    for study in STUDIES:
        rows = [row for row in published.rows(study) if row["metric"] != "status"]
        assert rows and all(isinstance(row["value"], float) for row in rows)


def test_an_unknown_study_is_answered_with_the_known() -> None:
    with pytest.raises(UsageError, match=", ".join(sorted(STUDIES))):
        published.rows("pagerank")
