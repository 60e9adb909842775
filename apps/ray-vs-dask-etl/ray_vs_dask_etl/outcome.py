"""What an engine hands back: the answer of a task with everything that follows from it."""

import json
import pickle
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from studykit import limits, partials, storage, tables
from studykit.errors import DataError
from studykit.partials import Partial
from studykit.records import PLAIN
from studykit.run import Outcome, Run
from studykit.text import bad_rows
from studykit.text.bad_rows import BadRows

from ray_vs_dask_etl import fitting, grouping, oracle, oracle_fit, rows
from ray_vs_dask_etl.aggregation import Group
from ray_vs_dask_etl.fitting import Fitted
from ray_vs_dask_etl.grouping import Groups
from ray_vs_dask_etl.solver import Fit

READ_ONCE = "read the input once"


def etl(run: Run, parts: Sequence[Partial[list[Group]]]) -> Outcome:
    """Of what the splits gave, exactly."""
    found = [part.result for part in parts]
    groups = grouping.grouped(run, found)
    bad = BadRows.total(part.bad for part in parts)
    skipped = bad_rows.accepted(run.options, bad, sum(group["count"] for group in groups))
    return _of_groups(
        run,
        groups,
        oracle.EXACT,
        skipped,
        worker_phases=partials.seconds_of_workers(parts, run.threads_of_a_worker),
        bytes_sent=0 if run.engine == PLAIN else len(pickle.dumps(found)),
    )


def of_others(run: Run, groups: Groups) -> Outcome:
    """Of a table that another's `group by` made, in any order, of sums rounded as they grew."""
    return _of_groups(run, grouping.in_order(groups, run), oracle.ROUNDED)


def _of_groups(
    run: Run,
    groups: Groups,
    tolerance: float,
    skipped: dict[str, Any] | None = None,
    **measured: Any,
) -> Outcome:
    if not groups:
        raise DataError(rows.NO_ROWS, uri=run.dataset.uri)
    return Outcome(
        quality=grouping.quality(groups) | dict(skipped or {}),
        check=lambda: oracle.check_groups(run, groups, tolerance),
        write=lambda uri: {"groups": tables.write(pa.Table.from_pylist(groups), uri)},
        limit=lambda: limits.streaming(run, READ_ONCE),
        summary=[grouping.groups_table(groups, run.parameters.read.values)],
        bytes_read=run.dataset.bytes,
        **measured,
    )


def regression(run: Run, fitted: Fitted) -> Outcome:
    """Of a fit."""
    fit, total, quality = fitted.fit, fitted.total, fitted.quality(run)
    kind = f"{READ_ONCE}, stream the cached columns once a pass"
    return Outcome(
        quality=quality,
        check=lambda: oracle_fit.check_fit(run, fit, fitted.right),
        write=lambda uri: {"model": _write_model(quality, uri)},
        limit=lambda: limits.streaming(run, kind, fit.passes * total.bytes),
        unconverged=_why_not(run, fit),
        summary=[fitting.coefficients_table(quality)],
        worker_phases=fitted.worker_phases,
        bytes_read=run.dataset.bytes,
        bytes_sent=fitted.bytes_sent,
    )


def _why_not(run: Run, fit: Fit) -> str | None:
    if fit.separated:
        return (
            "not converged: the columns tell categories apart without an error, all rows of them or"
            " some, so that no coefficients are large enough: add --l2"
        )
    if fit.converged:
        return None
    return (
        f"not converged: gradient {fit.gradient_norm:.3g} of that at zero after {fit.iterations}"
        f" iterations, --tolerance {run.parameters.tolerance:g}: raise --max-iterations"
    )


def _write_model(quality: dict[str, Any], uri: str) -> str:
    """The coefficients and how they came about, as JSON."""
    storage.write_bytes(uri, json.dumps(quality, indent=2).encode() + b"\n")
    return storage.absolute(uri)
