"""k-means over taxi pickups in one process: the baseline that every engine is compared with.

    ./pants run apps/taxi-clustering:plain -- --size tiny
    ./pants run apps/taxi-clustering:plain -- --data yellow_tripdata_2015-01.csv --out map.html

One worker with workers × threads threads, so that it has the same cores as an engine; nothing is
exchanged, and what the engines send each other is handed on as it is.
"""

from studykit.engines import plain_engine
from studykit.run import Outcome, Run

from taxi_clustering import clustering, maps, outcome, study
from taxi_clustering import worker as workers
from taxi_clustering.clustering import Totals
from taxi_clustering.sample import SAMPLE_SIZE
from taxi_clustering.search import Search
from taxi_clustering.worker import Worker


def exact(run: Run) -> Outcome:
    worker, search, totals = clustered(run)
    with run.phase("compute", "adding up the inertia"):
        inertia = float(worker.score(search.best.centres))
    density = None
    if maps.wanted(run.options.out):
        with run.phase("write", "counting for the map"):
            density = worker.density()
    worker.close()
    return outcome.exact(run, search, totals, inertia, density, [worker.phases.seconds])


def clustered(run: Run) -> tuple[Worker, Search, Totals]:
    """The worker with the points of all trips, and the search that it has finished."""
    options = run.options

    with run.phase("start", "compiling or loading the kernels"):
        workers.warm_up()
        worker = Worker(options.worker_count * options.threads)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = worker.load(source.splits, source.formats, SAMPLE_SIZE, options.seed)
        totals = Totals.of(run, [loaded])

    with run.phase("compute", "seeding"):
        search = clustering.search(run, totals)

    with run.phase("compute", "iterating"):
        while not search.done:
            search.advance(worker.step(search.centres))
            run.progress(str(search))
    return worker, search, totals


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        # Here, because it takes a second, which only who asks for it shall wait.
        from taxi_clustering import published

    with run.phase("load", "looking at the input"):
        source = published.cut_input(run)

    with run.phase("compute", f"clustering {len(source.splits)} blocks"):
        clusters, seed = run.parameters.clusters, run.options.seed
        parts = [
            published.cluster_split(split, source.formats[split.uri], clusters, seed)
            for split in source.splits
        ]
        centres = published.merge(parts, run)
    return published.outcome(run, parts, centres, clustered)


METHODS = {"exact": exact, "published": published_way}

main = plain_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
