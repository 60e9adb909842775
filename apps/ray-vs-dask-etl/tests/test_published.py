"""The paper's regressions: which rows and numbers they learn from, and what is timed of them."""

from pathlib import Path
from typing import Any

import dask_ml.linear_model
import numpy as np
import pandas as pd
import pytest
from ray_vs_dask_etl import native_plain, published, published_plain, study
from ray_vs_dask_etl.published import Readings
from ray_vs_dask_etl.study import Parameters
from sklearn.linear_model import SGDClassifier
from studykit.options import Options
from studykit.records import Check, DatasetInfo
from studykit.run import Outcome, Run
from tables import fraction_groups, random_rows, write_rows

ROWS = random_rows(4000, seed=31)
FRAME = pd.DataFrame(
    [(i, float(x), float(y), c) for i, x, y, c in ROWS], columns=["id", "x", "y", "category"]
)


def run_of(path: Path, task: str = "logistic-regression") -> Run:
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    options = Options(workers=1, method="published")
    return Run(study.STUDY, "plain", options, Parameters(task=task), dataset, quiet=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return run_of(write_rows(tmp_path_factory.mktemp("rows") / "rows.csv", ROWS))


def exact(run: Run) -> Outcome:
    """Stands for the exact method, which has tests of its own."""
    return Outcome(quality={"accuracy": 0.7}, check=Check, write=lambda uri: {})


def test_every_reading_draws_its_rows_anew(run):
    readings = published_plain.readings(run)
    first, train = readings.first(), pd.concat(readings.train())
    test = readings.test()
    shares = [len(rows) / len(ROWS) for rows in (first, train, test)]
    assert shares == pytest.approx([0.8, 0.8, 0.2], abs=0.03)
    for one, other in ((first, train), (test, train), (test, first)):
        # Drawn apart, so four in five of any rows are training rows of another reading.
        assert one["id"].isin(other["id"]).mean() == pytest.approx(0.8, abs=0.06)
        assert one["id"].is_unique
    assert set(test.columns) == {"id", "x", "y", "category"}


def test_batches_are_of_the_papers_size(tmp_path, monkeypatch):
    monkeypatch.setattr(published_plain, "ROWS_AT_ONCE", 1250)
    monkeypatch.setattr(published_plain, "FIRST_ROWS", 100)
    run = run_of(write_rows(tmp_path / "rows.csv", ROWS))
    readings = published_plain.readings(run)
    assert len(readings.first()) == 100
    assert [len(b) for b in readings.train()] == pytest.approx([1000, 1000, 1000, 200], abs=60)
    assert (published.FIRST_ROWS, published.BATCH_ROWS) == (10_000, 100_000)


def test_the_id_is_a_feature_and_the_first_rows_come_first(run):
    first, batches, test = FRAME[:50], [FRAME[50:1000], FRAME[1000:3000]], FRAME[2500:]
    found = published.fit_batches(
        run, Readings(first=lambda: first, train=lambda: iter(batches), test=lambda: test)
    )
    model = SGDClassifier(loss="log_loss", random_state=42)
    for rows in (first, *batches):
        model.partial_fit(rows[["id", "x", "y"]].to_numpy(), rows["category"], ["A", "B", "C", "D"])
    right = (model.predict(test[["id", "x", "y"]].to_numpy()) == test["category"]).mean()
    assert found == {
        "train_rows": 2950,
        "test_rows": 1500,
        "features": ["id", "x", "y"],
        "accuracy": right,
        "passes": 1,
    }


def test_no_rows_have_no_accuracy(run):
    nothing = Readings(first=pd.DataFrame, train=lambda: iter(()), test=pd.DataFrame)
    found = published.fit_batches(run, nothing)
    assert (found["train_rows"], found["test_rows"], found["accuracy"]) == (0, 0, None)


def test_one_fit_of_dask_ml_is_timed_and_one_for_each_category_comes_after(run, monkeypatch):
    fitted: list[set[Any]] = []

    class Counting(dask_ml.linear_model.LogisticRegression):  # type: ignore[misc]
        def fit(self, x: Any, y: Any = None) -> Any:
            fitted.append(set(np.unique(y.compute()).tolist()))
            return super().fit(x, y)

    monkeypatch.setattr(dask_ml.linear_model, "LogisticRegression", Counting)
    outcome = published.with_dask_ml(run, exact)
    assert fitted == [{0, 1, 2, 3}]
    assert set(outcome.quality) == {"test_rows", "accuracy"}
    assert outcome.assess is not None
    after = outcome.assess()
    assert fitted[1:] == [{0, 1}] * 4
    assert set(after) == {"predicted_categories", "accuracy_one_vs_rest", "accuracy_exact"}
    assert outcome.quality["accuracy"] < 0.4 < after["accuracy_one_vs_rest"]


def test_plain_takes_the_means_alone(tmp_path):
    rows = random_rows(3000, seed=32)
    run = run_of(write_rows(tmp_path / "rows.csv", rows), task="etl")
    found = sorted(native_plain.group_by(run), key=lambda group: str(group["category"]))
    assert found == [
        {
            name: value if isinstance(value, str) else pytest.approx(value, rel=1e-11)
            for name, value in group.items()
            if name in ("category", "mean_x", "mean_y")
        }
        for group in fraction_groups(rows)
    ]
