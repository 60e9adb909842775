"""The regression's answer, on any engine: solve, then predict.

An engine hands over how a function is run on all cached parts; what is asked of them is the same.
"""

import math
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from studykit.errors import DataError
from studykit.records import PLAIN
from studykit.run import Run
from studykit.text import bad_rows
from studykit.text.bad_rows import BadRows

from ray_vs_dask_etl import rows
from ray_vs_dask_etl import solver
from ray_vs_dask_etl import study
from ray_vs_dask_etl import worker
from ray_vs_dask_etl.regression import Loaded
from ray_vs_dask_etl.regression import Sums
from ray_vs_dask_etl.solver import Fit
from ray_vs_dask_etl.solver import Floats
from ray_vs_dask_etl.worker import Partial

OnAll = Callable[..., Sequence[Partial[Any]]]
"""(function of `worker`, further arguments) → its results for every cached part, in order."""
STANDARD_ERRORS = 3
"""An accuracy no further than this above the commonest category's share is no signal."""


@dataclass(frozen=True)
class Fitted:
    """The answer: the fit, what it was fitted to, and how many of the test rows it gets right.

    `worker_phases` are the seconds of every worker; `bytes_sent` crossed between them.
    """

    fit: Fit
    total: Loaded
    right: int
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
                for code, row in zip(fit.classes, fit.centred, strict=True)
            ],
            "accuracy": accuracy,
            "commonest_share": share,
            "signal": "signal" if found else "no signal",
            "log_loss": fit.loss,
            "solver": solver.choose(run.parameters.solver, len(columns.values)),
            "iterations": fit.iterations,
            "passes": fit.passes,
            "gradient_norm": fit.gradient_norm,
            "cached_bytes": total.bytes,
            **self.skipped,
        }


def fitted(run: Run, loaded: Sequence[Partial[Loaded]], on_all: OnAll) -> Fitted:
    """Fit and predict on cached parts, at least one. DataError where they hold no row."""
    parameters, done = run.parameters, list[Partial[Any]](loaded)
    total = Loaded.total([part.result for part in loaded])
    bad = BadRows.total(part.bad for part in loaded)
    skipped = bad_rows.accepted(run.options, bad, total.rows)
    if total.rows == 0:
        raise DataError(rows.NO_ROWS, uri=run.dataset.uri)

    def evaluate(theta: Floats, second: bool) -> Sums:
        parts = on_all(worker.evaluate, theta, second)
        done.extend(parts)
        whole = parts[0].result
        for part in parts[1:]:
            whole += part.result
        return whole  # type: ignore[no-any-return]

    with run.iterations("fitting") as computed:
        fit = solver.fit(
            total.moments,
            evaluate,
            solver=parameters.solver,
            l2=parameters.l2,
            tolerance=parameters.tolerance,
            max_iterations=parameters.max_iterations,
            progress=run.progress,
        )
        predicted = on_all(worker.correct, fit.theta, fit.classes)
        done.extend(predicted)
        phases = worker.seconds_of_workers(done, study.threads_of_a_worker(run))
        computed(phases)
    right = sum(part.result for part in predicted)
    sent = 0 if run.engine == PLAIN else len(loaded) * _bytes_of_a_part(fit, parameters.solver)
    return Fitted(fit, total, right, phases, sent, skipped)


def _bytes_of_a_part(fit: Fit, asked: str) -> int:
    """What goes to a part and comes back, from the sizes of what is exchanged, all passes."""
    size = fit.theta.size
    newton = solver.choose(asked, fit.theta.shape[1] - 1) == "newton"
    return 8 * (fit.passes * (2 * size + 1 + (size**2 if newton else 0)) + size + 1)


def coefficients_table(quality: dict[str, Any]) -> Table:
    """The coefficients for the person who waits, from `Fitted.quality`."""
    accuracy = quality["accuracy"]
    shown = "no test rows" if accuracy is None else f"accuracy {accuracy:.5f}"
    table = Table(title=f"Coefficients, {shown}: {quality['signal']}")
    for name in quality["coefficients"][0]:
        table.add_column(name, justify="left" if name == "category" else "right")
    for row in quality["coefficients"]:
        table.add_row(*(f"{v:.9g}" if isinstance(v, float) else str(v) for v in row.values()))
    return table
