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
from studykit.cutting import Input
from studykit.engines import plain_engine
from studykit.partials import Partial
from studykit.run import Outcome, Run

from ray_vs_dask_etl import fitting, native, outcome, study, worker
from ray_vs_dask_etl.fitting import OnAll
from ray_vs_dask_etl.rows import RowFormat
from ray_vs_dask_etl.scaling import Scaling


def etl(run: Run) -> Outcome:
    columns = run.parameters.read

    with run.phase("start", "compiling or loading the kernels"):
        worker.warm_up()
        pool = ThreadPoolExecutor(run.threads_of_a_worker)

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        parts = storage.map_splits(
            pool,
            lambda split: worker.aggregate(split, source.formats[split.uri], columns),
            source.splits,
        )
    pool.shutdown()
    return outcome.etl(run, parts)


def regression(run: Run) -> Outcome:
    columns, seed = run.parameters.read, run.options.seed

    with run.phase("start", "compiling or loading the kernels"):
        worker.warm_up()
        pool = ThreadPoolExecutor(run.threads_of_a_worker)

    def load(source: Input[RowFormat], scaling: Scaling) -> OnAll:
        cached = storage.map_splits(
            pool,
            lambda split: worker.cache(split, source.formats[split.uri], columns, seed, scaling),
            source.splits,
        )

        def on_all(function: Callable[..., Partial[Any]], *arguments: Any) -> list[Partial[Any]]:
            return list(pool.map(lambda part: function(part, *arguments), cached))

        return on_all

    fitted = fitting.fitted(run, load, lambda function, *arguments: function(*arguments))
    pool.shutdown()
    return outcome.regression(run, fitted)


def native_etl(run: Run) -> Outcome:
    with run.phase("start", "importing pandas"):
        # Here, because it takes a second or more, which only who asks for it shall wait.
        from ray_vs_dask_etl import native_plain
    return native.etl(run, native_plain.group_by)


def published_regression(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        from ray_vs_dask_etl import published, published_plain
    return published.with_batches(run, published_plain.readings, regression)


METHODS = study.methods(etl, native_etl, regression, published_regression)

main = plain_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
