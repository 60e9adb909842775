"""Both tasks in one process: the baseline that every engine is compared with.

    ./pants run apps/ray-vs-dask-etl:plain -- --size tiny
    ./pants run apps/ray-vs-dask-etl:plain -- --size tiny --task logistic-regression --signal 0.5
    ./pants run apps/ray-vs-dask-etl:plain -- --data rows.csv --workers 2 --out groups.parquet

One process with workers × threads threads, so that it has the same cores as an engine.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from studykit import storage
from studykit.engines import plain_engine
from studykit.run import Outcome
from studykit.run import Run

from ray_vs_dask_etl import fitting
from ray_vs_dask_etl import grouping
from ray_vs_dask_etl import partials
from ray_vs_dask_etl import study
from ray_vs_dask_etl.partials import Partial


def etl(run: Run) -> Outcome:
    threads = run.options.worker_count * run.options.threads

    with run.phase("start", "compiling or loading the kernels"):
        partials.warm_up()
        pool = ThreadPoolExecutor(threads)

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        parts = storage.map_splits(
            pool,
            lambda split: partials.aggregate(split, source.formats[split.uri], source.columns),
            source.splits,
        )
    pool.shutdown()
    phases = partials.seconds_of_workers(parts, threads)
    return grouping.outcome(run, [part.result for part in parts], worker_phases=phases)


def regression(run: Run) -> Outcome:
    threads = run.options.worker_count * run.options.threads

    with run.phase("start", "compiling or loading the kernels"):
        partials.warm_up()
        pool = ThreadPoolExecutor(threads)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        cached = storage.map_splits(
            pool,
            lambda split: partials.cache(
                split, source.formats[split.uri], source.columns, run.options.seed
            ),
            source.splits,
        )
        loaded = [partials.describe(part) for part in cached]

    def on_all(function: Callable[..., Partial[Any]], *arguments: Any) -> list[Partial[Any]]:
        return list(pool.map(lambda part: function(part, *arguments), cached))

    result = fitting.regression(run, loaded, on_all)
    pool.shutdown()
    return result


def native_etl(run: Run) -> Outcome:
    with run.phase("start", "importing pandas"):
        from ray_vs_dask_etl import native_plain

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        study.require_local(run)
        groups = grouping.in_order(native_plain.group_by(run), run)
    return grouping.groups_outcome(run, groups, tolerance=grouping.ROUNDED)


def published_regression(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        from ray_vs_dask_etl import native_plain
        from ray_vs_dask_etl import published

    with run.phase("compute", "fitting batch after batch"):
        study.require_local(run)
        quality = published.fit_batches(run, native_plain.batches(run, published.BATCH_ROWS))
    return published.outcome(run, quality)


METHODS = {
    ("etl", "exact"): etl,
    ("etl", "native"): native_etl,
    ("etl", "published"): native_etl,
    ("logistic-regression", "exact"): regression,
    ("logistic-regression", "published"): published_regression,
}


main = plain_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
