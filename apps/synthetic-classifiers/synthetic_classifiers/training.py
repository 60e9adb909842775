"""The answer, on any engine: load, divide, and of every classifier train and predict.

An engine hands over its workers as a `Team`. Steps of a classifier stand in a file of its own; what
is here puts them in order.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.cutting import Input
from studykit.errors import DataError
from studykit.run import Run

from synthetic_classifiers import evaluation, host_copy, study, worker
from synthetic_classifiers.classifiers import CLASSIFIERS, NEED_ALL
from synthetic_classifiers.dividing import Division
from synthetic_classifiers.layout import Labels, RowNumbers, SampleFormat
from synthetic_classifiers.model import Data, Trained
from synthetic_classifiers.team import Team


@dataclass(frozen=True)
class Answer:
    """rows, labels: of the test samples; seconds: of every worker, by phase."""

    division: Division
    class_counts: npt.NDArray[np.int64]
    features: Sequence[str]
    rows: RowNumbers
    labels: Labels
    trained: dict[str, Trained]
    seconds: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class _Loaded:
    """A table in its workers' hands. rows, labels: as of `Answer`; order: of the test samples, from
    that of the workers."""

    data: Data
    class_counts: npt.NDArray[np.int64]
    features: Sequence[str]
    rows: RowNumbers
    labels: Labels
    order: npt.NDArray[np.intp]


def answered(run: Run, team: Team) -> Answer:
    """DataError where the table cannot be trained on."""
    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        table = _loaded(run, team)

    trained = {}
    with run.iterations("training") as computed:
        for name, kind in zip(run.parameters.algorithms, run.parameters.kinds, strict=True):
            run.progress(name)
            trained[name] = _trained(run, team, table, name, kind)
        seconds = [_with_compute(own) for own in team.on_all(worker.seconds)]
        computed(seconds)
    whole = run.options.out is not None
    if whole or run.options.check:
        team.phase = "write"
        with run.phase("write" if whole else "check", "fetching the models"):
            for one in trained.values():
                one.fitted.fetch(team, whole)
    return Answer(
        table.data.division, table.class_counts, table.features, table.rows, table.labels, trained,
        seconds,
    )  # fmt: skip


def _loaded(run: Run, team: Team) -> _Loaded:
    seed, classes = run.options.seed, run.parameters.classes
    source = study.cut_input(run)
    loaded = team.on_all(worker.load_own, source, classes, seed)
    counted = sum((part.classes for part in loaded), np.zeros(classes, np.int64))
    rows = _in_order([part.rows for part in loaded], len(source.splits))
    _require_samples(run, source, sum(rows), counted)
    division = Division.of(rows, seed)
    trains = team.on_all(worker.divide, division, seed, classes)
    _require_classes(run, division, np.sum(trains, axis=0))
    features = next(iter(source.formats.values())).features
    hosts = None
    if any(kind in NEED_ALL for kind in run.parameters.kinds):
        hosts = host_copy.share_training_samples(team, division, len(features))
    own = team.on_all(worker.tests)
    numbers = np.concatenate([rows for rows, _ in own])
    order = np.argsort(numbers, kind="stable")
    labels = np.concatenate([labels for _, labels in own])[order]
    data = Data(division, len(features), classes, hosts)
    return _Loaded(data, counted, features, numbers[order], labels, order)


def _with_compute(own: dict[str, float]) -> dict[str, float]:
    """A worker's seconds, and together what is not of `load`."""
    return own | {"compute": sum(own.values()) - own.get("load", 0.0)}


def _trained(run: Run, team: Team, table: _Loaded, name: str, kind: str) -> Trained:
    began = time.monotonic()
    team.phase = f"train {name}"
    for _ in range(run.parameters.rounds):
        model = CLASSIFIERS[kind](run, team, table.data)
    trained = time.monotonic()
    team.phase = f"predict {name}"
    probabilities = np.concatenate(model.predict(team))[table.order]
    return Trained(kind, model, probabilities, trained - began, time.monotonic() - trained)


def _in_order(rows_of_workers: Sequence[Sequence[int]], splits: int) -> list[int]:
    """Rows of every split, in the order of the input, from what each worker has of its own."""
    rows = [0] * splits
    for number, own in enumerate(rows_of_workers):
        rows[number :: len(rows_of_workers)] = own
    return rows


def _require_samples(
    run: Run, source: Input[SampleFormat], rows: int, counted: npt.NDArray[np.int64]
) -> None:
    if rows == 0:
        raise DataError("no samples: nothing but a header or blank lines", uri=run.dataset.uri)
    study.require_described(run, rows, counted)
    workers = run.options.worker_count
    if rows < workers:
        raise DataError(f"{rows} samples are fewer than the {workers} workers", uri=run.dataset.uri)
    if np.count_nonzero(counted) == 1:
        only = int(np.flatnonzero(counted)[0])
        raise DataError(
            f"all {rows} samples are of class {only}: there is nothing to tell apart",
            uri=run.dataset.uri,
        )


def _require_classes(run: Run, division: Division, trains: npt.NDArray[np.int64]) -> None:
    if division.train_rows == division.rows:
        raise DataError(
            f"none of {division.rows} samples is left to test with", uri=run.dataset.uri
        )
    if not trains.all():
        absent = int(np.flatnonzero(trains == 0)[0])
        raise DataError(
            f"class {absent} has no sample among the {division.train_rows} training samples of"
            f" {division.rows} (--classes {run.parameters.classes})",
            uri=run.dataset.uri,
        )


def quality(answer: Answer) -> dict[str, Any]:
    """What a record's `quality` says, but for what `further` adds when the clock has stopped."""
    found: dict[str, Any] = {
        "rows": answer.division.rows,
        "train_rows": answer.division.train_rows,
        "test_rows": len(answer.labels),
        "class_counts": [int(count) for count in answer.class_counts],
        "algorithms": {},
    }
    for name, one in answer.trained.items():
        right = evaluation.accuracy(answer.labels, one.probabilities)
        found[f"accuracy_{name}"] = right["accuracy"]
        found["algorithms"][name] = {
            **right,
            **one.fitted.facts,
        }
    return found


def further(answer: Answer, found: dict[str, Any]) -> dict[str, Any]:
    """With log-loss, F1, AUC, confusion and the size of the model of every classifier."""
    algorithms = {
        name: found["algorithms"][name]
        | evaluation.figures(answer.labels, one.probabilities)
        | _size_of(one)
        for name, one in answer.trained.items()
    }
    return {"algorithms": algorithms}


def _size_of(trained: Trained) -> dict[str, int]:
    """Of a model that is here."""
    content = trained.fitted.content
    return {} if content is None else {"model_bytes": trained.fitted.size or len(content)}
