"""PageRank in one process: the baseline that every engine is compared with.

    ./pants run apps/twitter-pagerank:plain -- --size tiny
    ./pants run apps/twitter-pagerank:plain -- --data edges.csv --workers 2 --out ranks.parquet

One worker with workers × threads threads, so that it has the same cores as an engine; nothing is
exchanged, and what the engines send each other is handed on as it is.
"""

from studykit.engines import plain_engine
from studykit.run import Outcome, Run

from twitter_pagerank import kernel, outcome, relabel, study
from twitter_pagerank import worker as workers
from twitter_pagerank.ranking import Ranking
from twitter_pagerank.study import Totals
from twitter_pagerank.worker import Worker


def exact(run: Run) -> Outcome:
    options, parameters = run.options, run.parameters

    with run.phase("start", "compiling or loading the kernels"):
        workers.warm_up()
        worker = Worker(options.worker_count * options.threads, parameters.damping)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = worker.load(source.splits, source.formats, parameters.reverse)
        totals = Totals.of(run, [loaded], source)
        dense = relabel.is_dense(totals.largest, totals.edges)
        counts = worker.relabel(worker.occurring(totals.largest, dense), dense)
        parcels = worker.scatter([0, len(counts)])
        out_degree = worker.build(parcels, 0, len(counts))
        del parcels

    with run.iterations("iterating"):
        sums = worker.start(out_degree)
        iterations, residual = 0, float("inf")
        while residual >= parameters.tolerance and iterations < parameters.max_iterations:
            sums = worker.step(sums)
            residual = kernel.residual(sums)
            iterations += 1
            run.progress(f"iteration {iterations}, L1 distance {residual:.1e}")

        ids = worker.vertices.ids(0, worker.vertices.count)
    worker.close()
    ranking = Ranking(ids, worker.ranks, worker.edges, totals.edges, iterations, residual)
    return outcome.exact(run, ranking, totals, [worker.phases.seconds])


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing torch_ppr"):
        # Here, because it takes a second, which only who asks for it shall wait.
        from twitter_pagerank import published

    with run.phase("load", "looking at the input"):
        source = study.cut_input(run, published.CHUNK_BYTES)

    with run.phase("compute", f"ranking {len(source.splits)} chunks"):
        reverse = run.parameters.reverse
        scores = published.merge(
            published.rank_chunk(split, source.formats[split.uri], reverse)
            for split in source.splits
        )
    return published.outcome(run, scores, exact)


METHODS = {"exact": exact, "published": published_way}

main = plain_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
