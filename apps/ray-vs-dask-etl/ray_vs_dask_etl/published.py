"""The regressions that the paper ran, kept as they were: neither is the model that it describes.

Mpoympalos and Spentzou (2025), sections II.E and III.E. The softmax model of their section II.C is
fitted by neither:
- `dask_ml.linear_model.LogisticRegression` knows two categories. Given the codes 0 … 3 it takes
  them for the labels of a yes or no; their mean of 1.5 is out of reach of any probability, so the
  fit says "yes", which is category 1, to nearly every row, "no", which is 0, to the others, and is
  right for about a quarter, whatever the rows say. Its time goes into parsing: each of the up to
  100 iterations of ADMM reads the whole file again, since nothing was kept. One model for each
  category (one against the rest) is what it can do, and is run beside.
- `SGDClassifier.partial_fit` is fed by Ray and learns in one process, batch after batch, one pass
  over the rows; it never ended in the paper. It is also one against the rest, and not at the
  maximum.

The record has their accuracies beside that of the exact model.
"""

import time
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import SGDClassifier
from studykit import columnar
from studykit import storage
from studykit.errors import TimeLimitError
from studykit.records import PLAIN
from studykit.records import Check
from studykit.run import Outcome
from studykit.run import Run

from ray_vs_dask_etl import study

BLOCK_BYTES = 64_000_000
BATCH_ROWS = 1 << 16
TEST_SHARE = 0.2
LONGEST_SECONDS = 3600.0
"""Without --timeout. The paper gave up after days."""

ORACLE = "none: other models, see the accuracies"

Batches = Callable[[Run, int], Iterable[pd.DataFrame]]
"""(run, rows of a batch) → the rows of local files, batch after batch."""
Baseline = Callable[[Run], Outcome]
"""The exact method in one process."""


def with_dask_ml(run: Run, exact: Baseline) -> Outcome:
    """The paper's regression on Dask."""
    with run.phase("compute", "fitting with dask-ml"):
        study.require_local(run)
        quality = fit_with_dask_ml(run)
    return outcome(run, quality, exact)


def with_batches(run: Run, batches: Batches, exact: Baseline) -> Outcome:
    """The paper's regression on Ray, which does no more than hand over `batches`."""
    with run.phase("compute", "fitting batch after batch"):
        study.require_local(run)
        quality = fit_batches(run, batches(run, BATCH_ROWS))
    return outcome(run, quality, exact)


def fit_with_dask_ml(run: Run) -> dict[str, Any]:
    """dask-ml's model on the codes as the paper called it, and one model for each category."""
    import dask.array as da
    import dask.dataframe as dd
    from dask_ml.linear_model import LogisticRegression

    columns = run.parameters.read
    names, categories = list(columns.values), columns.categories
    files = [storage.local_path(uri) for uri in storage.list_files(run.dataset.uri)]
    rows = (
        dd.read_parquet(files)
        if columnar.is_parquet(files[0])
        else dd.read_csv(files, blocksize=run.options.split_bytes or BLOCK_BYTES)
    )
    codes = {category: code for code, category in enumerate(categories)}
    label = rows[columns.category].map(codes, meta=(columns.category, "int64"))
    rows = rows.assign(**{columns.category: label})
    shares = [1 - TEST_SHARE, TEST_SHARE]
    arrays = []
    for part in rows.random_split(shares, random_state=run.options.seed):
        arrays += [
            part[names].to_dask_array(lengths=True),
            part[columns.category].to_dask_array(lengths=True),
        ]
    x, y, x_test, y_test = arrays

    def fit(labels: Any) -> Any:
        began = time.monotonic()
        model = LogisticRegression()
        model.fit(x, labels)
        run.say(f"one fit of dask-ml: {time.monotonic() - began:.1f} s")
        return model

    raw = fit(y).predict(x_test)
    scores = [
        fit((y == code).astype("int64")).decision_function(x_test)
        for code in range(len(categories))
    ]
    best = da.stack(scores, axis=1).argmax(axis=1)
    predicted, right, share = da.compute(
        da.unique(raw), (raw == y_test).mean(), (best == y_test).mean()
    )
    return {
        "test_rows": len(y_test),
        "accuracy": float(right),
        "predicted_categories": [categories[int(code)] for code in predicted],
        "accuracy_one_vs_rest": float(share),
    }


def fit_batches(run: Run, batches: Iterable[pd.DataFrame]) -> dict[str, Any]:
    """scikit-learn's SGDClassifier over batches of rows, by chance in training or test."""
    columns, seed = run.parameters.read, run.options.seed
    names = list(columns.values)
    model = SGDClassifier(loss="log_loss", random_state=seed)
    random = np.random.default_rng(seed)
    tests: list[tuple[Any, Any]] = []
    began, trained = time.monotonic(), 0
    for batch in batches:
        is_test = random.random(len(batch)) < TEST_SHARE
        train, test = batch[~is_test], batch[is_test]
        tests.append((test[names].to_numpy(), test[columns.category].to_numpy()))
        if len(train):
            labels = train[columns.category].to_numpy()
            model.partial_fit(train[names].to_numpy(), labels, classes=list(columns.categories))
            trained += len(train)
        if run.options.timeout is None and time.monotonic() - began > LONGEST_SECONDS:
            raise TimeLimitError(
                f"not done within {LONGEST_SECONDS:g} s, after {trained:,} training rows;"
                " --timeout sets another limit"
            )
        run.progress(f"{trained:,} training rows")
    rows = sum(len(labels) for _, labels in tests)
    right = sum(int((model.predict(x) == labels).sum()) for x, labels in tests if len(labels))
    return {
        "train_rows": trained,
        "test_rows": rows,
        "accuracy": right / rows if rows else None,
        "passes": 1,
    }


def outcome(run: Run, quality: dict[str, Any], exact: Baseline) -> Outcome:
    """What a published fit gives; the exact model's accuracy is found after the clock stopped."""
    return Outcome(
        quality=quality,
        assess=lambda: _exact_accuracy(run, exact),
        check=lambda: Check(oracle=ORACLE),
        write=_refuse_to_write,
        bytes_read=run.dataset.bytes,
    )


def _exact_accuracy(run: Run, exact: Baseline) -> dict[str, Any]:
    again = Run(run.study, PLAIN, run.options, run.parameters, run.dataset, quiet=True)
    return {"accuracy_exact": exact(again).quality["accuracy"]}


def _refuse_to_write(uri: str) -> dict[str, str]:
    raise AssertionError("validated before the run")
