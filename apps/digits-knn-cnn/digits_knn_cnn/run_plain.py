"""Digits in one process: the baseline that every engine is compared with.

    ./pants run apps/digits-knn-cnn:plain -- --size tiny
    ./pants run apps/digits-knn-cnn:plain -- --data digits.csv --workers 2 --out predictions.csv
    ./pants run apps/digits-knn-cnn:plain -- --size tiny --model cnn

One process with workers × threads threads, so that it has the same cores as an engine.
"""

import functools
from concurrent.futures import ThreadPoolExecutor

from studykit import partials
from studykit.engines import plain_engine
from studykit.run import Outcome, Run

from digits_knn_cnn import native_plain, outcome, published_plain, searching, study, worker
from digits_knn_cnn.searching import Queries


def knn(run: Run) -> Outcome:
    options, parameters = run.options, run.parameters
    threads, k = run.threads_of_a_worker, parameters.neighbours

    with run.phase("start", "compiling or loading the kernels"):
        worker.warm_up()
        pool = ThreadPoolExecutor(threads)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = worker.load(source.splits, source.formats, threads)
        counts = searching.counts_of([worker.describe(loaded)])
        train_rows = searching.training_rows(run, counts, source.formats)
        part = worker.place(loaded, counts, source.formats, options.seed)
        asked = Queries.of(train_rows, [worker.queries(part)])
        batches = asked.batches(threads)

    with run.iterations("searching") as computed:
        for _ in range(parameters.rounds):
            found = list(pool.map(lambda batch: worker.search(part, batch, k), batches))
            predicted = [searching.predicted([one], k) for one in found]
        computed(partials.seconds_of_workers(found, threads))
    pool.shutdown()
    answer = asked.answer(predicted)
    return outcome.knn(run, asked, answer, [loaded, part, *found])


def network(run: Run) -> Outcome:
    with run.phase("start", "importing torch"):
        # Here, because it takes seconds, for which a search shall not wait.
        from studytrain.local_ranks import LocalRanks

        from digits_knn_cnn import learning

        worker.warm_up()
    return learning.network(run, LocalRanks(run.threads_of_a_worker))


METHODS = study.methods(
    exact=(knn, network),
    native=(native_plain.knn, native_plain.network),
    published=(
        functools.partial(published_plain.knn, exact=knn),
        functools.partial(published_plain.network, exact=network),
    ),
)

main = plain_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
