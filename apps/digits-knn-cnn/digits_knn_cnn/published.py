"""What the paper's notebooks ran, kept as it was: neither engine shares the work of one answer.

Waldron, Harge, Zhu and Hussein (2024), Handwritten Digit Recognition, and the notebooks it refers
to, by the layers of table 1 in torch for those in Keras:
- Ray: kNN is a task for every k, waited for before the next one, each sent all the data. Of the
  networks there are four, whatever the workers: four actors that each train one on all the training
  part, in batches of 10, of pixels that are not scaled, from weights and in an order that nothing
  seeds. Of them averages are drawn; no gradients are, so more workers train no faster.
- Dask: half of the rows, drawn without a seed, are fetched into the client and divided there.
  scikit-learn, or one network, is fitted to them in the client, the cluster is idle, and the time
  holds the plots.
- `plain`, which the paper has not, goes Ray's way in this process, one fit after the other.

Not kept: labels stay no Dask arrays, which Dask computed for each use; of more than 10,000 training
rows the accuracy is that of a sample. No notebook trains a ResNet18, whatever table 3 says.

The record has the accuracies beside those of the exact method, and seconds of every part: `start`
is the engine and imports, `load` reading and fetching, `communicate` what tasks took beside fits.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from studykit.records import PLAIN, Check
from studykit.run import Outcome, Run

from digits_knn_cnn import native, outputs, reports
from digits_knn_cnn.answered import Answered
from digits_knn_cnn.layout import Digits, Labels, Pixels
from digits_knn_cnn.searching import Queries

NETWORKS, BATCH_SIZE = 4, 10
ORACLE = "none: what the paper ran, see the accuracies"

Exact = Callable[[Run], Outcome]
"""The exact method in one process."""


@dataclass(frozen=True)
class Fitted:
    """One classifier: labels of the queries, seconds of its import and of the fit."""

    predicted: Labels
    import_seconds: float
    seconds: float


def fit(k: int, pixels: Pixels, labels: Labels, queries: Pixels) -> Fitted:
    """What a task of the paper does."""
    began = time.monotonic()
    from sklearn.neighbors import KNeighborsClassifier

    imported = time.monotonic()
    predicted = KNeighborsClassifier(k).fit(pixels, labels).predict(queries)
    return Fitted(predicted, imported - began, time.monotonic() - imported)


Fit = Callable[[int, Pixels, Labels, Pixels], Fitted]


def knn(
    run: Run, train: Digits, tests: Digits, exact: Exact, fit_one: Fit = fit, plots: bool = False
) -> Outcome:
    """One fit for every k, in turn. `fit_one` has it done by whoever the engine chooses."""
    asked = native.queries(run, train, tests)
    (queries,) = asked.batches(1, most=len(train) + len(asked))
    data = train.pixels.astype(np.float64), train.labels, queries.astype(np.float64)
    done, waited = [], []
    with run.phase("compute", "fitting for every k"):
        for k in range(1, run.parameters.neighbours + 1):
            began = time.monotonic()
            done.append(fit_one(k, *data))
            waited.append(time.monotonic() - began)
            run.progress(f"k = {k}: {waited[-1]:.2f} s")
        answer = asked.answer([np.array([one.predicted for one in done])])
        quality = reports.quality(answer)
        if plots:
            quality["seconds_of_plots"] = draw(quality)
    of_imports = sum(one.import_seconds for one in done)
    inside = sum(one.seconds for one in done)
    for phase, seconds in (
        ("start", of_imports),
        ("communicate", sum(waited) - of_imports - inside),
    ):
        run.phases.add("compute", -seconds)
        run.phases.add(phase, seconds)
    every = range(1, len(done) + 1)
    quality["seconds_by_k"] = dict(zip(map(str, every), waited, strict=True))
    quality["seconds_in_fit_by_k"] = {str(k): done[k - 1].seconds for k in every}
    quality["import_seconds"] = of_imports
    return outcome(run, quality, exact, asked, [one.predicted for one in done])


def network(
    run: Run, train: Digits, tests: Digits, trained: Sequence[Any], exact: Exact
) -> Outcome:
    """Of networks (`published_network.Network`) of which averages are all that is shown."""
    quality = averages(train, tests, trained)
    return outcome(run, quality, exact)


def averages(train: Digits, tests: Digits, trained: Sequence[Any]) -> dict[str, Any]:
    histories = [one.history for one in trained]
    quality: dict[str, Any] = {
        "rows": len(train) + len(tests),
        "train_rows": len(train),
        "test_rows": len(tests),
        "epochs": len(histories[0]),
        "networks": len(trained),
        "batch_size": BATCH_SIZE,
    }
    for name in ("loss", "train_accuracy", "test_accuracy"):
        quality[f"{name}_by_epoch"] = [
            sum(epoch[name] for epoch in of_all) / len(trained)
            for of_all in zip(*histories, strict=True)
        ]
    quality["test_accuracy_by_network"] = [history[-1]["test_accuracy"] for history in histories]
    quality["import_seconds_by_network"] = [one.import_seconds for one in trained]
    quality["seconds_by_network"] = [one.seconds for one in trained]
    return quality


def draw(quality: dict[str, Any]) -> float:
    """The figures of the paper, thrown away: the seconds that they took."""
    began = time.monotonic()
    from digits_knn_cnn import drawing

    drawing.png(drawing.accuracy(quality))
    if "loss_by_epoch" in quality:
        drawing.png(drawing.loss(quality))
    return time.monotonic() - began


def outcome(
    run: Run,
    quality: dict[str, Any],
    exact: Exact,
    asked: Queries | None = None,
    predicted: Sequence[Labels] = (),
) -> Outcome:
    """The accuracies of the exact method are found after the clock has stopped."""
    quality["seeded"] = run.parameters.model == "knn" and run.engine != "dask"

    def beside() -> dict[str, Any]:
        options = dataclasses.replace(run.options, method="exact")
        again = Run(run.study, PLAIN, options, run.parameters, run.dataset, quiet=True)
        found = exact(again).quality
        names = ("test_accuracy_by_k", "train_accuracy_by_k", "test_accuracy_by_epoch")
        return {f"{name}_exact": found[name] for name in names if name in found}

    def write(uri: str) -> dict[str, str]:
        assert asked is not None, "validated before the run"
        tests = asked.tests
        by_k = {str(k): one[: len(tests)] for k, one in enumerate(predicted, start=1)}
        return outputs.write(
            uri, Answered(run, tests.pixels, tests.labels, tests.places, by_k, quality)
        )

    table = reports.table if asked is not None else reports.table_of_epochs
    return Outcome(
        quality=quality,
        assess=beside,
        check=lambda: Check(oracle=ORACLE),
        write=write,
        summary=[table(quality)],
        bytes_read=run.dataset.bytes,
    )
