"""Both tasks on Ray: one actor per worker, parsed columns in the object store.

    ./pants run apps/ray-vs-dask-etl:ray -- --size tiny --workers 2
    ./pants run apps/ray-vs-dask-etl:ray -- --data rows.csv --address 10.0.0.1:6379

Actors keep nothing between calls. One that dies is started again by Ray, which also repeats what it
was doing.
"""

from collections.abc import Callable
from typing import Any

import ray
from studykit.cutting import Input
from studykit.engines import ray_actors, ray_engine
from studykit.partials import Partial
from studykit.run import Outcome, Run

from ray_vs_dask_etl import fitting, native, outcome, run_plain, spilling, study, worker
from ray_vs_dask_etl.fitting import OnAll
from ray_vs_dask_etl.rows import RowFormat
from ray_vs_dask_etl.scaling import Scaling


def etl(run: Run) -> Outcome:
    options, columns = run.options, run.parameters.read

    with run.phase("start", f"starting {options.worker_count} actors"):
        actors = ray_actors.start(options, worker.warm_up)

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        parts = ray.get(
            [
                actors[place % len(actors)].run.remote(
                    worker.aggregate, split, source.formats[split.uri], columns
                )
                for place, split in enumerate(source.splits)
            ]
        )
    return outcome.etl(run, parts)


def regression(run: Run) -> Outcome:
    options, columns = run.options, run.parameters.read

    with run.phase("start", f"starting {options.worker_count} actors"):
        actors = ray_actors.start(options, worker.warm_up)

    def load(source: Input[RowFormat], scaling: Scaling) -> OnAll:
        cached = [
            actors[place % len(actors)].run.remote(
                worker.cache, split, source.formats[split.uri], columns, options.seed, scaling
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

        return on_all

    def on_one(function: Callable[..., Any], *arguments: Any) -> Any:
        return ray.get(actors[0].run.remote(function, *arguments))

    fitted = fitting.fitted(run, load, on_one, spilling.of_ray)
    return outcome.regression(run, fitted)


def native_etl(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Data"):
        # Here, because it takes a second or more, which only who asks for it shall wait.
        from ray_vs_dask_etl import native_ray
    return native.etl(run, native_ray.group_by)


def published_regression(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Data and scikit-learn"):
        from ray_vs_dask_etl import published, published_ray
    return published.with_batches(run, published_ray.readings, run_plain.regression)


METHODS = study.methods(etl, native_etl, regression, published_regression)

main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
