"""Digits on Dask: one part per worker. Of a search its training rows are a result on the worker.

    ./pants run apps/digits-knn-cnn:dask -- --size tiny --workers 2
    ./pants run apps/digits-knn-cnn:dask -- --data digits.csv --address tcp://10.0.0.1:8786

Tasks of a search are pure: what a worker held when it died is computed again on another one, from
the input. Tasks that train are `studytrain.dask_ranks`.
"""

from collections.abc import Callable
from typing import Any

from distributed import Client
from studykit import partials
from studykit.engines import dask_engine
from studykit.partials import Partial
from studykit.run import Outcome, Run

from digits_knn_cnn import native_dask, outcome, run_plain, searching, study, worker
from digits_knn_cnn.searching import Queries


def knn(run: Run, client: Client) -> Outcome:
    options, parameters = run.options, run.parameters
    count, threads, k = options.worker_count, options.threads, parameters.neighbours

    with run.phase("start", f"warming {count} workers up"):
        client.run(worker.warm_up)
        addresses = sorted(client.nthreads())

    def on_all(function: Callable[..., Any], parts: list[Any], *arguments: Any) -> list[Any]:
        """Each worker's part by that worker; futures of what they return."""
        return [
            client.submit(
                function, part, *arguments, pure=False,
                workers=[addresses[index % len(addresses)]], allow_other_workers=True,
            )
            for index, part in enumerate(parts)
        ]  # fmt: skip

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        splits = [source.of_worker(index, count) for index in range(count)]
        loaded = on_all(worker.load, splits, source.formats, threads)
        counted = on_all(worker.describe, loaded)
        parts = on_all(searching.place, loaded, counted, source.formats, options.seed)
        del loaded  # The parts have it.
        # At once, because every answer that is waited for takes some 10 ms.
        described, placed = client.gather([counted, on_all(worker.queries, parts)])
        counts = searching.counts_of(described)
        train_rows = searching.training_rows(run, counts, source.formats)
        asked = Queries.of(train_rows, placed)
        batches = asked.batches(threads)

    with run.iterations("searching") as computed:
        for _ in range(parameters.rounds):
            searched = [on_all(worker.search, parts, batch, k) for batch in batches]
            found: list[Partial[Any]] = []
            predicted = []
            for futures in searched:
                of_batch = client.gather(futures)
                predicted.append(searching.predicted(of_batch, k))
                found += of_batch
        computed(partials.seconds_of_workers(found, threads))
    answer = asked.answer(predicted)
    return outcome.knn(run, asked, answer, [*described, *placed, *found])


def network(run: Run, client: Client) -> Outcome:
    with run.phase("start", "importing torch"):
        # Here, because it takes seconds, for which a search shall not wait.
        from studytrain.dask_ranks import DaskRanks

        from digits_knn_cnn import learning

        worker.warm_up()
    return learning.network(run, DaskRanks(client, run.options.worker_count, run.options.threads))


def published_knn(run: Run, client: Client) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        # Here, because it takes a second, which only who asks for it shall wait.
        from digits_knn_cnn import published_dask
    return published_dask.knn(run, client, run_plain.knn)


def published_network(run: Run, client: Client) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        from digits_knn_cnn import published_dask
    return published_dask.network(run, client, run_plain.network)


METHODS = study.methods(
    exact=(knn, network),
    native=(native_dask.knn, native_dask.network),
    published=(published_knn, published_network),
)

main = dask_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
