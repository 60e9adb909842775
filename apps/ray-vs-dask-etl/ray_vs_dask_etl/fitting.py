"""The regression's answer, on any engine: agree on a scale, read, solve, predict.

An engine hands over how rows are read and kept, and how a function is run on all that is kept;
what is asked of them is the same.
"""

import functools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table
from studykit import partials
from studykit.cutting import Input
from studykit.errors import DataError
from studykit.partials import Partial
from studykit.records import PLAIN
from studykit.run import Run
from studykit.text import bad_rows
from studykit.text.bad_rows import BadRows

from ray_vs_dask_etl import objective, rows, solver, study, worker
from ray_vs_dask_etl.objective import Objective, Rows
from ray_vs_dask_etl.regression import Loaded
from ray_vs_dask_etl.rows import RowFormat
from ray_vs_dask_etl.scaling import WORST_AMPLIFICATION, Scaling
from ray_vs_dask_etl.solver import Fit

OnAll = Callable[..., Sequence[Partial[Any]]]
"""(function of `worker`, further arguments) → its results for every cached part, in order."""
Load = Callable[[Input[RowFormat], Scaling], OnAll]
"""The input is read and kept, one part a split."""
OnOne = Callable[..., Any]
"""(function of `worker`, its arguments) → its result, from one of the workers."""
STANDARD_ERRORS = 3
"""An accuracy no further than this above the commonest category's share is no signal."""
MOST_READINGS = 3
"""Once as a rule, once more where the first rows misled; again where all went beyond range."""


@dataclass(frozen=True)
class Fitted:
    """The answer: the fit, what it was fitted to, and how many of the test rows it gets right.

    `spilled_bytes` of the cached rows did not stay in memory; `worker_phases` are the seconds of
    every worker; `bytes_sent` crossed between them.
    """

    fit: Fit
    total: Loaded
    right: int
    spilled_bytes: int
    worker_phases: list[dict[str, float]]
    bytes_sent: int
    skipped: dict[str, Any]
    """What `quality` says of rows that cannot be read, where they may be skipped."""

    def quality(self, run: Run) -> dict[str, Any]:
        """What a record's `quality` says of it."""
        fit, total, columns = self.fit, self.total, run.parameters.read
        test = total.rows - total.train
        share = float(total.moments[:, 0].max() / total.train)
        accuracy = self.right / test if test else None
        doubt = STANDARD_ERRORS * math.sqrt(share * (1 - share) / max(test, 1))
        found = accuracy is not None and accuracy > share + doubt
        return {
            "rows": total.rows,
            "train_rows": total.train,
            "test_rows": test,
            "coefficients": [
                {
                    "category": columns.categories[code],
                    "intercept": float(row[0]),
                    **dict(zip(columns.values, map(float, row[1:]), strict=True)),
                }
                for code, row in zip(fit.classes, fit.coefficients, strict=True)
            ],
            "rank": fit.rank,
            "accuracy": accuracy,
            "commonest_share": share,
            "signal": "signal" if found else "no signal",
            "log_loss": fit.loss,
            "solver": solver.choose(run.parameters.solver, len(columns.values)),
            "iterations": fit.iterations,
            "passes": fit.passes,
            "gradient_norm": fit.gradient_norm,
            "cached_bytes": total.bytes,
            "spilled_bytes": self.spilled_bytes,
            **self.skipped,
        }


def fitted(run: Run, load: Load, on_one: OnOne, spilled: Callable[[], int] = lambda: 0) -> Fitted:
    """Read, fit and predict. DataError where there is no row, or one category alone.

    `spilled` says how many bytes of what is kept are on disk.
    """
    done: list[Partial[Any]] = []
    reading = f"reading {run.dataset.bytes:,} bytes"
    with run.phase("load", reading):
        source = study.cut_input(run)
        head = source.splits[0]
        scaling = on_one(worker.scale, head, source.formats[head.uri], run.parameters.read)
        on_all, total, skipped = _read(run, load, source, scaling, done)
    solved = _solved(run, on_all, total, scaling, done) if scaling.holds(total) else None
    for more in reversed(range(MOST_READINGS - 1)):
        if solved is not None:
            break
        del on_all  # Before the rows are there once more.
        with run.phase("load", f"{reading} again, for more digits"):
            scaling = scaling.again(total)
            on_all, total, skipped = _read(run, load, source, scaling, done)
        if scaling.holds(total) or not more:
            solved = _solved(run, on_all, total, scaling, done)
    assert solved is not None
    fit, right = solved
    _require_finite(run, fit)
    sent = 0 if run.engine == PLAIN else len(source.splits) * _bytes_of_a_part(run, fit)
    phases = partials.seconds_of_workers(done, run.threads_of_a_worker)
    return Fitted(fit, total, right, spilled(), phases, sent, skipped)


def _read(
    run: Run, load: Load, source: Input[RowFormat], scaling: Scaling, done: list[Partial[Any]]
) -> tuple[OnAll, Loaded, dict[str, Any]]:
    """What is kept, what is known of it, what `quality` says of rows that were left out."""
    on_all = load(source, scaling)
    loaded = on_all(worker.describe)
    done.extend(loaded)
    total = Loaded.total(part.result for part in loaded)
    bad = BadRows.total(part.bad for part in loaded)
    skipped = bad_rows.accepted(run.options, bad, total.rows)
    if total.rows == 0:
        raise DataError(rows.NO_ROWS, uri=run.dataset.uri)
    try:
        objective.classes_of(total)
    except DataError as error:
        raise DataError(error.reason, uri=run.dataset.uri) from None
    return on_all, total, skipped


def _solved(
    run: Run, on_all: OnAll, total: Loaded, scaling: Scaling, done: list[Partial[Any]]
) -> tuple[Fit, int] | None:
    """The fit and its right predictions, or None: the rows have to be kept with more digits."""
    parameters, passes = run.parameters, list[Partial[Any]]()

    def all_of(function: Callable[..., Partial[Any]], *arguments: Any) -> Any:
        parts = on_all(function, *arguments)
        passes.extend(parts)
        return functools.reduce(operator.add, (part.result for part in parts))

    passed = Rows(
        evaluate=functools.partial(all_of, worker.evaluate),
        margins=functools.partial(all_of, worker.margins),
    )
    solved = None
    with run.iterations("fitting") as computed:
        asked = Objective(total, scaling, parameters.l2, passed)
        if scaling.wide or asked.amplification <= WORST_AMPLIFICATION:
            fit = solver.fit(
                asked,
                scaling,
                solver=parameters.solver,
                tolerance=parameters.tolerance,
                max_iterations=parameters.max_iterations,
                progress=run.progress,
            )
            solved = fit, all_of(worker.correct, fit.theta, fit.classes)
        computed(partials.seconds_of_workers(passes, run.threads_of_a_worker))
    done.extend(passes)
    return solved


def _require_finite(run: Run, fit: Fit) -> None:
    """In the columns' own units coefficients may be beyond a double: 1 / 1e-310 is."""
    beyond = np.flatnonzero(~np.isfinite(fit.coefficients[:, 1:]).all(axis=0))
    if len(beyond):
        raise DataError(
            "its numbers are so close to one another that a coefficient is above the largest"
            " double: give them in another unit",
            uri=run.dataset.uri,
            column=run.parameters.read.values[beyond[0]],
        )


def _bytes_of_a_part(run: Run, fit: Fit) -> int:
    """What goes to a part and comes back, from the sizes of what is exchanged, all passes."""
    size, columns = fit.theta.size, fit.theta.shape[1]
    newton = solver.choose(run.parameters.solver, columns - 1) == "newton"
    return 8 * (fit.passes * (2 * size + 1 + (size**2 if newton else 0)) + columns**2 + size + 1)


def coefficients_table(quality: dict[str, Any]) -> Table:
    """The coefficients for the person who waits, from `Fitted.quality`."""
    accuracy = quality["accuracy"]
    shown = "no test rows" if accuracy is None else f"accuracy {accuracy:.5f}"
    names = list(quality["coefficients"][0])
    title, columns = f"Coefficients, {shown}: {quality['signal']}", len(names) - 2
    if quality["rank"] is not None and quality["rank"] < columns:
        title += f"; {quality['rank']} of {columns} columns say all, the smallest coefficients"
    table = Table(title=title)
    for name in names:
        table.add_column(name, justify="left" if name == "category" else "right")
    for row in quality["coefficients"]:
        table.add_row(*(f"{v:.9g}" if isinstance(v, float) else str(v) for v in row.values()))
    return table
