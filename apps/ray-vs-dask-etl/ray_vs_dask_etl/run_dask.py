"""Both tasks on Dask: one task per split, parsed columns kept as results on the workers.

    ./pants run apps/ray-vs-dask-etl:dask -- --size tiny --workers 2
    ./pants run apps/ray-vs-dask-etl:dask -- --data rows.csv --address tcp://10.0.0.1:8786

Tasks are pure: what a worker held when it died is computed again on another one, from the input.
"""

from collections.abc import Callable
from typing import Any

from distributed import Client
from studykit.cutting import Input
from studykit.engines import dask_engine
from studykit.partials import Partial
from studykit.run import Outcome, Run

from ray_vs_dask_etl import fitting, native, outcome, run_plain, spilling, study, worker
from ray_vs_dask_etl.fitting import OnAll
from ray_vs_dask_etl.rows import RowFormat
from ray_vs_dask_etl.scaling import Scaling


def etl(run: Run, client: Client) -> Outcome:
    options, columns = run.options, run.parameters.read

    with run.phase("start", f"warming {options.worker_count} workers up"):
        client.run(worker.warm_up)

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        parts = client.gather(
            [
                client.submit(
                    worker.aggregate, split, source.formats[split.uri], columns, pure=False
                )
                for split in source.splits
            ]
        )
    return outcome.etl(run, parts)


def regression(run: Run, client: Client) -> Outcome:
    options, columns = run.options, run.parameters.read

    with run.phase("start", f"warming {options.worker_count} workers up"):
        client.run(worker.warm_up)

    def load(source: Input[RowFormat], scaling: Scaling) -> OnAll:
        cached = [
            client.submit(
                worker.cache, split, source.formats[split.uri], columns, options.seed, scaling,
                pure=False,
            )
            for split in source.splits
        ]  # fmt: skip

        def on_all(function: Callable[..., Partial[Any]], *arguments: Any) -> list[Partial[Any]]:
            return client.gather(
                [client.submit(function, part, *arguments, pure=False) for part in cached]
            )

        return on_all

    def on_one(function: Callable[..., Any], *arguments: Any) -> Any:
        return client.submit(function, *arguments, pure=False).result()

    fitted = fitting.fitted(run, load, on_one, lambda: spilling.of_dask(client))
    return outcome.regression(run, fitted)


def native_etl(run: Run, client: Client) -> Outcome:
    with run.phase("start", "importing dask.dataframe"):
        # Here, because it takes a second or more, which only who asks for it shall wait.
        from ray_vs_dask_etl import native_dask
    return native.etl(run, native_dask.group_by)


def published_regression(run: Run, client: Client) -> Outcome:
    with run.phase("start", "importing dask-ml"):
        from ray_vs_dask_etl import published
    return published.with_dask_ml(run, run_plain.regression)


METHODS = study.methods(etl, native_etl, regression, published_regression)

main = dask_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
