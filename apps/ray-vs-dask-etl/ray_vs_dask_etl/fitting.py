"""The regression on any engine: solve, predict, and everything that follows from the answer.

An engine hands over how a function is run on all cached parts; what is asked of them is the same.
"""

import json
import math
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from rich.table import Table
from studykit import machine
from studykit import storage
from studykit.errors import DataError
from studykit.records import PLAIN
from studykit.records import Limit
from studykit.run import Outcome
from studykit.run import Run

from ray_vs_dask_etl import partials
from ray_vs_dask_etl import solver
from ray_vs_dask_etl import study
from ray_vs_dask_etl.partials import Partial
from ray_vs_dask_etl.regression import Loaded
from ray_vs_dask_etl.regression import Sums
from ray_vs_dask_etl.solver import Fit
from ray_vs_dask_etl.solver import Floats

OnAll = Callable[..., Sequence[Partial[Any]]]
"""(function of `partials`, further arguments) → its results for every cached part, in order."""
STANDARD_ERRORS = 3
"""An accuracy no further than this above the commonest category's share is no signal."""


def regression(
    run: Run,
    loaded: Sequence[Partial[Loaded]],
    on_all: OnAll,
    spilled_bytes: Callable[[], int] = lambda: 0,
) -> Outcome:
    """Fit and predict on cached parts; their answer, with what each worker spent on it."""
    parameters, done = run.parameters, list[Partial[Any]](loaded)
    total = Loaded.total([part.result for part in loaded])
    if total.rows == 0:
        raise DataError(study.NO_ROWS, uri=run.dataset.uri)

    def evaluate(theta: Floats, second: bool) -> Sums:
        parts = on_all(partials.evaluate, theta, second)
        done.extend(parts)
        whole = parts[0].result
        for part in parts[1:]:
            whole += part.result
        return whole  # type: ignore[no-any-return]

    alone = run.engine == PLAIN
    threads = run.options.threads * (run.options.worker_count if alone else 1)
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
        predicted = on_all(partials.correct, fit.theta, fit.classes)
        done.extend(predicted)
        phases = partials.seconds_of_workers(done, threads)
        computed(phases)
    right = sum(part.result for part in predicted)
    sent = 0 if alone else len(loaded) * _bytes_of_a_part(fit, parameters.solver)
    return outcome(
        run, fit, total, right,
        spilled=spilled_bytes(), worker_phases=phases, bytes_sent=sent,
    )  # fmt: skip


def _bytes_of_a_part(fit: Fit, asked: str) -> int:
    """What goes to a part and comes back, from the sizes of what is exchanged, all passes."""
    size = fit.theta.size
    newton = solver.choose(asked, fit.theta.shape[1] - 1) == "newton"
    return 8 * (fit.passes * (2 * size + 1 + (size**2 if newton else 0)) + size + 1)


def outcome(
    run: Run, fit: Fit, total: Loaded, right: int, *, spilled: int, **measured: Any
) -> Outcome:
    from ray_vs_dask_etl import oracle

    quality = described(run, fit, total, right) | {"spilled_bytes": spilled}
    return Outcome(
        quality=quality,
        check=lambda: oracle.check_fit(run, fit, right),
        write=lambda uri: {"model": write_model(quality, uri)},
        limit=lambda: limit(run, fit, total),
        unconverged=_why_not(run, fit),
        summary=[coefficients_table(quality)],
        bytes_read=run.dataset.bytes,
        **measured,
    )


def described(run: Run, fit: Fit, total: Loaded, right: int) -> dict[str, Any]:
    parameters, columns = run.parameters, run.parameters.read
    test = total.rows - total.train
    share = float(total.moments[:, 0].max() / total.train)
    accuracy = right / test if test else None
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
        "solver": solver.choose(parameters.solver, len(columns.values)),
        "iterations": fit.iterations,
        "passes": fit.passes,
        "gradient_norm": fit.gradient_norm,
        "cached_bytes": total.bytes,
    }


def _why_not(run: Run, fit: Fit) -> str | None:
    parameters = run.parameters
    if fit.separated:
        return (
            "not converged: the columns tell all categories apart, so that no coefficients are"
            " large enough: add --l2"
        )
    if fit.gradient_norm <= parameters.tolerance:
        return None
    return (
        f"not converged: gradient {fit.gradient_norm:.3g} of that at zero after {fit.iterations}"
        f" iterations, --tolerance {parameters.tolerance:g}: raise --max-iterations"
    )


def write_model(quality: dict[str, Any], uri: str) -> str:
    """The coefficients and how they came about, as JSON."""
    storage.write_bytes(uri, json.dumps(quality, indent=2).encode() + b"\n")
    return storage.absolute(uri)


def limit(run: Run, fit: Fit, total: Loaded) -> Limit:
    """Reading every byte once, and streaming the cached columns once a pass."""
    reading = study.limit(run)
    rate = machine.copy_rate(min(run.options.worker_count * run.options.threads, machine.cores()))
    streamed = fit.passes * total.bytes
    return Limit(
        kind="read the input once, stream the cached columns once a pass",
        seconds=reading.seconds + streamed / rate,
        detail={
            **reading.detail,
            "memory_bytes_per_second": rate,
            "streamed_bytes": streamed,
        },
    )


def coefficients_table(quality: dict[str, Any]) -> Table:
    accuracy = quality["accuracy"]
    shown = "no test rows" if accuracy is None else f"accuracy {accuracy:.5f}"
    table = Table(title=f"Coefficients, {shown}: {quality['signal']}")
    for name in quality["coefficients"][0]:
        table.add_column(name, justify="left" if name == "category" else "right")
    for row in quality["coefficients"]:
        table.add_row(*(f"{v:.9g}" if isinstance(v, float) else str(v) for v in row.values()))
    return table
