"""Digits on Ray: one actor per worker. Of a search its training rows are in the object store.

    ./pants run apps/digits-knn-cnn:ray -- --size tiny --workers 2
    ./pants run apps/digits-knn-cnn:ray -- --data digits.csv --address 10.0.0.1:6379

Actors of a search keep nothing between calls. One that dies is started again by Ray, which also
repeats what it was doing. Actors that train are `studytrain.ray_ranks`.
"""

import functools
from collections.abc import Callable
from typing import Any

import ray
from studykit import partials
from studykit.engines import ray_actors, ray_engine
from studykit.partials import Partial
from studykit.run import Outcome, Run

from digits_knn_cnn import native_ray, outcome, published_ray, run_plain, searching, study, worker
from digits_knn_cnn.searching import Queries


def knn(run: Run) -> Outcome:
    options, parameters = run.options, run.parameters
    count, threads, k = options.worker_count, options.threads, parameters.neighbours

    with run.phase("start", f"starting {count} actors"):
        actors = ray_actors.start(options, worker.warm_up)

    def on_all(function: Callable[..., Any], parts: list[Any], *arguments: Any) -> list[Any]:
        """Each worker's part by that worker; references to what they return."""
        return [
            actor.run.remote(function, part, *arguments)
            for actor, part in zip(actors, parts, strict=True)
        ]

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        splits = [source.of_worker(index, count) for index in range(count)]
        loaded = on_all(worker.load, splits, source.formats, threads)
        described = ray.get(on_all(worker.describe, loaded))
        counts = searching.counts_of(described)
        train_rows = searching.training_rows(run, counts, source.formats)
        parts = on_all(worker.place, loaded, counts, source.formats, options.seed)
        del loaded  # The parts have it.
        placed = ray.get(on_all(worker.queries, parts))
        asked = Queries.of(train_rows, placed)
        batches = [ray.put(batch) for batch in asked.batches(threads)]

    with run.iterations("searching") as computed:
        for _ in range(parameters.rounds):
            searched = [on_all(worker.search, parts, batch, k) for batch in batches]
            found: list[Partial[Any]] = []
            predicted = []
            for references in searched:
                of_batch = ray.get(references)
                predicted.append(searching.predicted(of_batch, k))
                found += of_batch
        computed(partials.seconds_of_workers(found, threads))
    answer = asked.answer(predicted)
    return outcome.knn(run, asked, answer, [*described, *placed, *found])


def network(run: Run) -> Outcome:
    with run.phase("start", "importing torch"):
        # Here, because it takes seconds, for which a search shall not wait.
        from studytrain.ray_ranks import RayRanks

        from digits_knn_cnn import learning

        worker.warm_up()
    return learning.network(run, RayRanks(run.options.worker_count, run.options.threads))


METHODS = study.methods(
    exact=(knn, network),
    native=(native_ray.knn, native_ray.network),
    published=(
        functools.partial(published_ray.knn, exact=run_plain.knn),
        functools.partial(published_ray.network, exact=run_plain.network),
    ),
)

main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
