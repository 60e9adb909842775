"""Both tasks on Ray: one actor per worker, parsed columns in the object store.

    ./pants run apps/ray-vs-dask-etl:ray -- --size tiny --workers 2
    ./pants run apps/ray-vs-dask-etl:ray -- --data rows.csv --address 10.0.0.1:6379

Actors keep nothing between calls. One that dies is started again by Ray, which also repeats what it
was doing.
"""

from collections.abc import Callable
from typing import Any

import ray
from studykit.engines import ray_cluster
from studykit.engines import ray_engine
from studykit.options import Options
from studykit.run import Outcome
from studykit.run import Run

from ray_vs_dask_etl import fitting
from ray_vs_dask_etl import grouping
from ray_vs_dask_etl import partials
from ray_vs_dask_etl import study
from ray_vs_dask_etl.partials import Partial

RESTARTS = 3


class RayWorker:
    def __init__(self) -> None:
        partials.warm_up()

    def ready(self) -> None:
        """Return once `__init__` has."""

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)


def etl(run: Run) -> Outcome:
    options = run.options

    with run.phase("start", f"starting {options.worker_count} actors"):
        actors = start_actors(options)

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        parts = ray.get(
            [
                actors[place % len(actors)].run.remote(
                    partials.aggregate, split, source.formats[split.uri], source.columns
                )
                for place, split in enumerate(source.splits)
            ]
        )
    phases = partials.seconds_of_workers(parts, options.threads)
    return grouping.outcome(run, [part.result for part in parts], worker_phases=phases)


def regression(run: Run) -> Outcome:
    options = run.options

    with run.phase("start", f"starting {options.worker_count} actors"):
        actors = start_actors(options)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        cached = [
            actors[place % len(actors)].run.remote(
                partials.cache, split, source.formats[split.uri], source.columns, options.seed
            )
            for place, split in enumerate(source.splits)
        ]

        def on_all(function: Callable[..., Partial[Any]], *arguments: Any) -> list[Partial[Any]]:
            shared = [ray.put(argument) for argument in arguments]
            return ray.get(
                [
                    actors[place % len(actors)].run.remote(function, part, *shared)
                    for place, part in enumerate(cached)
                ]
            )

        loaded = on_all(partials.describe)

    return fitting.regression(run, loaded, on_all, ray_cluster.spilled_bytes)


def start_actors(options: Options) -> list[ray.actor.ActorHandle]:
    remote = ray.remote(
        num_cpus=options.threads,
        max_concurrency=options.threads,
        max_restarts=RESTARTS,
        max_task_retries=RESTARTS,
    )(RayWorker)
    actors = [remote.remote() for _ in range(options.worker_count)]
    ray.get([actor.ready.remote() for actor in actors])
    return actors


def native_etl(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Data"):
        from ray_vs_dask_etl import native_ray

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        study.require_local(run)
        groups = grouping.in_order(native_ray.group_by(run), run)
    return grouping.groups_outcome(run, groups, tolerance=grouping.ROUNDED)


def published_regression(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Data and scikit-learn"):
        from ray_vs_dask_etl import native_ray
        from ray_vs_dask_etl import published

    with run.phase("compute", "fitting batch after batch"):
        study.require_local(run)
        quality = published.fit_batches(run, native_ray.batches(run, published.BATCH_ROWS))
    return published.outcome(run, quality)


METHODS = {
    ("etl", "exact"): etl,
    ("etl", "native"): native_etl,
    ("etl", "published"): native_etl,
    ("logistic-regression", "exact"): regression,
    ("logistic-regression", "published"): published_regression,
}


main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
