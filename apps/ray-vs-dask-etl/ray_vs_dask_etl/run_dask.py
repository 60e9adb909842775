"""Both tasks on Dask: one task per split, parsed columns kept as results on the workers.

    ./pants run apps/ray-vs-dask-etl:dask -- --size tiny --workers 2
    ./pants run apps/ray-vs-dask-etl:dask -- --data rows.csv --address tcp://10.0.0.1:8786

Tasks are pure: what a worker held when it died is computed again on another one, from the input.
"""

from collections.abc import Callable
from typing import Any

from distributed import Client
from studykit.engines import dask_cluster
from studykit.engines import dask_engine
from studykit.run import Outcome
from studykit.run import Run

from ray_vs_dask_etl import fitting
from ray_vs_dask_etl import grouping
from ray_vs_dask_etl import partials
from ray_vs_dask_etl import study
from ray_vs_dask_etl.partials import Partial


def etl(run: Run, client: Client) -> Outcome:
    options = run.options

    with run.phase("start", f"warming {options.worker_count} workers up"):
        client.run(partials.warm_up)

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        parts = client.gather(
            [
                client.submit(
                    partials.aggregate, split, source.formats[split.uri], source.columns, pure=False
                )
                for split in source.splits
            ]
        )
    phases = partials.seconds_of_workers(parts, options.threads)
    return grouping.outcome(run, [part.result for part in parts], worker_phases=phases)


def regression(run: Run, client: Client) -> Outcome:
    options = run.options

    with run.phase("start", f"warming {options.worker_count} workers up"):
        client.run(partials.warm_up)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        cached = [
            client.submit(
                partials.cache, split, source.formats[split.uri], source.columns, options.seed,
                pure=False,
            )
            for split in source.splits
        ]  # fmt: skip

        def on_all(function: Callable[..., Partial[Any]], *arguments: Any) -> list[Partial[Any]]:
            return client.gather(
                [client.submit(function, part, *arguments, pure=False) for part in cached]
            )

        loaded = on_all(partials.describe)

    return fitting.regression(run, loaded, on_all, lambda: dask_cluster.spilled_bytes(client))


def native_etl(run: Run, client: Client) -> Outcome:
    with run.phase("start", "importing dask.dataframe"):
        from ray_vs_dask_etl import native_dask

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        study.require_local(run)
        groups = grouping.in_order(native_dask.group_by(run), run)
    return grouping.groups_outcome(run, groups, tolerance=grouping.ROUNDED)


def published_regression(run: Run, client: Client) -> Outcome:
    with run.phase("start", "importing dask-ml"):
        from ray_vs_dask_etl import published

    with run.phase("compute", "fitting with dask-ml"):
        study.require_local(run)
        quality = published.fit_with_dask_ml(run)
    return published.outcome(run, quality)


METHODS = {
    ("etl", "exact"): etl,
    ("etl", "native"): native_etl,
    ("etl", "published"): native_etl,
    ("logistic-regression", "exact"): regression,
    ("logistic-regression", "published"): published_regression,
}


main = dask_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
