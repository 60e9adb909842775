"""The ETL as each engine's users write it: what is around that, the same on all engines.

What they write is in `native_plain`, `native_ray` and `native_dask`.
"""

from collections.abc import Callable

from studykit.run import Outcome, Run

from ray_vs_dask_etl import outcome, study
from ray_vs_dask_etl.grouping import Groups


def etl(run: Run, group_by: Callable[[Run], Groups]) -> Outcome:
    """`group_by` reads local files by itself, and gives the table in any order."""
    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        study.require_local(run)
        groups = group_by(run)
    return outcome.of_others(run, groups)
