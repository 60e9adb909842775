"""The regressions that the paper ran, kept as they were: neither is the model that it describes.

Mpoympalos and Spentzou (2025), sections II.E and III.E, and the code that the paper refers to. The
softmax model of section II.C is fitted by neither:
- Dask: `dask_ml.linear_model.LogisticRegression` knows two categories. Given the codes 0 … 3 it
  takes them for the labels of a yes or no; their mean of 1.5 is out of reach of any probability, so
  the fit says "yes", which is category 1, to nearly every row, "no", which is 0, to the others, and
  is right for about a quarter, whatever the rows say. Its time goes into parsing: each of the up to
  100 iterations of ADMM reads the whole file again, since nothing was kept. This one fit is what is
  timed. One model for each category (one against the rest) is what dask-ml can do; it is fitted
  beside, after the clock has stopped.
- Ray: scikit-learn's `SGDClassifier.partial_fit` learns in the driver what Ray reads: one against
  the rest as well, one pass, not at the maximum. The text says that it ran for days and died.
  Features are the numbers and the id, none of them scaled: up to 1.8e8 beside numbers below 1. A
  row gets a random number from a Python function without a seed; two more sort it into training
  and test rows by that number. Nothing is kept of this, so every reading draws anew, and four in
  five test rows are training rows as well. The first fit is to 10,000 training rows, then come all
  of them, 100,000 at a time; then the test rows are brought into the driver.

`plain`, which the paper has not, goes Ray's way with pandas, and with a seed (`published_plain`).
The record has the accuracies beside that of the exact model.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.linear_model import SGDClassifier
from studykit import columnar, storage
from studykit.errors import TimeLimitError
from studykit.records import PLAIN, Check
from studykit.run import Outcome, Run

from ray_vs_dask_etl import study

BLOCK_BYTES = 64_000_000
FIRST_ROWS = 10_000
BATCH_ROWS = 100_000
TEST_SHARE = 0.2
LONGEST_SECONDS = 3600.0
"""Without --timeout. The paper's run died after days."""

ORACLE = "none: other models, see the accuracies"

Baseline = Callable[[Run], Outcome]
"""The exact method in one process."""


@dataclass(frozen=True)
class Readings:
    """Three readings of the rows; each draws anew which of them are training rows."""

    first: Callable[[], pd.DataFrame]
    """FIRST_ROWS training rows."""
    train: Callable[[], Iterable[pd.DataFrame]]
    """All training rows, BATCH_ROWS at a time."""
    test: Callable[[], pd.DataFrame]


@dataclass(frozen=True)
class Arrays:
    """Dask arrays: numbers float64[rows, columns] and codes of categories, of a fifth for tests."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any


def with_dask_ml(run: Run, exact: Baseline) -> Outcome:
    """The paper's regression on Dask."""
    with run.phase("compute", "fitting with dask-ml"):
        study.require_local(run)
        arrays = _arrays(run)
        predicted = _fit(arrays.x, arrays.y).predict(arrays.x_test)
        right = float((predicted == arrays.y_test).mean().compute())
    quality = {"test_rows": len(arrays.y_test), "accuracy": right}
    return outcome(run, quality, exact, lambda: _beside(run, arrays, predicted))


def _arrays(run: Run) -> Arrays:
    import dask.dataframe as dd

    columns = run.parameters.read
    names = list(columns.values)
    files = [storage.local_path(uri) for uri in storage.list_files(run.dataset.uri)]
    rows = (
        dd.read_parquet(files)
        if columnar.is_parquet(files[0])
        else dd.read_csv(files, blocksize=run.options.split_bytes or BLOCK_BYTES)
    )
    codes = {category: code for code, category in enumerate(columns.categories)}
    label = rows[columns.category].map(codes, meta=(columns.category, "int64"))
    rows = rows.assign(**{columns.category: label})
    arrays = []
    for part in rows.random_split([1 - TEST_SHARE, TEST_SHARE], random_state=run.options.seed):
        arrays += [
            part[names].to_dask_array(lengths=True),
            part[columns.category].to_dask_array(lengths=True),
        ]
    return Arrays(*arrays)


def _fit(x: Any, labels: Any) -> Any:
    from dask_ml.linear_model import LogisticRegression

    model = LogisticRegression()
    model.fit(x, labels)
    return model


def _beside(run: Run, arrays: Arrays, predicted: Any) -> dict[str, Any]:
    """What the paper's fit ever says, and what one model for each category would have got right.

    The cluster is gone by now: threads of this process do it.
    """
    import dask
    import dask.array as da

    categories = run.parameters.read.categories
    threads = run.options.worker_count * run.options.threads
    with dask.config.set(scheduler="threads", num_workers=threads):
        scores = [
            _fit(arrays.x, (arrays.y == code).astype("int64")).decision_function(arrays.x_test)
            for code in range(len(categories))
        ]
        best = da.stack(scores, axis=1).argmax(axis=1)
        said, share = da.compute(da.unique(predicted), (best == arrays.y_test).mean())
    return {
        "predicted_categories": [categories[int(code)] for code in said],
        "accuracy_one_vs_rest": float(share),
    }


def with_batches(run: Run, read: Callable[[Run], Readings], exact: Baseline) -> Outcome:
    """The paper's regression on Ray, which does no more than `read`."""
    with run.phase("compute", "fitting batch after batch"):
        study.require_local(run)
        quality = fit_batches(run, read(run))
    return outcome(run, quality, exact)


def fit_batches(run: Run, readings: Readings) -> dict[str, Any]:
    """scikit-learn's SGDClassifier, one batch of training rows after the other."""
    columns = run.parameters.read
    features, category = [columns.id, *columns.values], columns.category
    model = SGDClassifier(loss="log_loss", random_state=run.options.seed)
    began, trained = time.monotonic(), 0

    def learn(rows: pd.DataFrame) -> int:
        if len(rows):
            labels, classes = rows[category].to_numpy(), list(columns.categories)
            model.partial_fit(rows[features].to_numpy(), labels, classes=classes)
        return len(rows)

    learn(readings.first())
    for batch in readings.train():
        trained += learn(batch)
        if run.options.timeout is None and time.monotonic() - began > LONGEST_SECONDS:
            raise TimeLimitError(
                f"not done within {LONGEST_SECONDS:g} s, after {trained:,} training rows;"
                " --timeout sets another limit"
            )
        run.progress(f"{trained:,} training rows")
    test, right = readings.test(), None
    if len(test) and trained:
        right = float((model.predict(test[features].to_numpy()) == test[category]).mean())
    return {
        "train_rows": trained,
        "test_rows": len(test),
        "features": features,
        "accuracy": right,
        "passes": 1,
    }


def outcome(
    run: Run,
    quality: dict[str, Any],
    exact: Baseline,
    beside: Callable[[], dict[str, Any]] = dict,
) -> Outcome:
    """What a published fit gives; what is found `beside`, and the exact model's accuracy, are
    found after the clock has stopped."""
    return Outcome(
        quality=quality,
        assess=lambda: beside() | _exact_accuracy(run, exact),
        check=lambda: Check(oracle=ORACLE),
        write=_refuse_to_write,
        bytes_read=run.dataset.bytes,
    )


def _exact_accuracy(run: Run, exact: Baseline) -> dict[str, Any]:
    again = Run(run.study, PLAIN, run.options, run.parameters, run.dataset, quiet=True)
    return {"accuracy_exact": exact(again).quality["accuracy"]}


def _refuse_to_write(uri: str) -> dict[str, str]:
    raise AssertionError("validated before the run")
