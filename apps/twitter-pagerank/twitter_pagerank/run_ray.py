"""PageRank on Ray: one actor per worker, edges and contributions through the object store.

    ./pants run apps/twitter-pagerank:ray -- --size tiny --workers 2
    ./pants run apps/twitter-pagerank:ray -- --data edges.csv --address 10.0.0.1:6379

The driver sees references only: what an actor returns stays in the object store of its node until
another actor takes it as an argument, where it is read without a copy. Actors hold state, so when
one dies the run starts again from the input with new ones.
"""

from collections.abc import Iterator

import numpy as np
import ray
from studykit.engines import ray_engine
from studykit.engines.host_memory import Hosts
from studykit.run import Outcome, Run

from twitter_pagerank import kernel, outcome, relabel, run_plain, study
from twitter_pagerank.ranking import Ranking
from twitter_pagerank.ray_exchange import Exchange, RayWorker, exchange_edges
from twitter_pagerank.study import Totals


@ray_engine.again_from_the_input
def exact(run: Run) -> Outcome:
    options, parameters = run.options, run.parameters
    count = options.worker_count

    with run.phase("start", f"starting {count} actors"):
        remote = ray.remote(num_cpus=options.threads)(RayWorker)
        actors = [remote.remote(options.threads, parameters.damping) for _ in range(count)]
        hosts = Hosts(ray.get([actor.ready.remote() for actor in actors]))

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = ray.get(
            [
                actor.load.remote(
                    source.of_worker(index, count), source.formats, parameters.reverse
                )
                for index, actor in enumerate(actors)
            ]
        )
        totals = Totals.of(run, loaded, source)
        dense = relabel.is_dense(totals.largest, totals.edges)
        seen = ray.get([actor.occurring.remote(totals.largest, dense) for actor in actors])
        joined = relabel.join(seen, dense)
        buckets = kernel.Buckets.of(relabel.count(joined, dense))
        shared = ray.put(joined)
        counts = sum(ray.get([actor.relabel.remote(shared, dense) for actor in actors]))
        cuts = kernel.cut(counts, buckets, count)
        parcels = exchange_edges(actors, cuts)
        degrees = ray.get(
            [
                actor.build_from.remote(first, stop, *mine)
                for actor, first, stop, mine in zip(
                    actors, cuts[:-1], cuts[1:], parcels, strict=True
                )
            ]
        )
        out_degree = ray.put(np.sum(degrees, axis=0, dtype=np.uint32))
        del parcels, degrees, seen, joined, shared

    with run.iterations("iterating") as computed:
        exchange = Exchange(actors, hosts, buckets, cuts)
        sums = exchange.start(out_degree)
        iterations, residual = 0, float("inf")
        while residual >= parameters.tolerance and iterations < parameters.max_iterations:
            arrived = exchange.contributions()
            sums = [actor.step_from.remote(*sums, *arrived) for actor in actors]
            residual = kernel.residual(np.concatenate(ray.get(sums)))
            iterations += 1
            run.progress(f"iteration {iterations}, L1 distance {residual:.1e}")

        answers = ray.get([actor.answer.remote() for actor in actors])
        ids, ranks = (np.concatenate([answer[part] for answer in answers]) for part in (0, 1))
        edges = sum(answer[2] for answer in answers)
        phases = [answer[3] for answer in answers]
        computed(phases)
    ranking = Ranking(ids, ranks, edges, totals.edges, iterations, residual)
    sent = outcome.bytes_sent(ranking, count, hosts.others)
    return outcome.exact(run, ranking, totals, phases, sent)


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing torch_ppr"):
        # Here, because it takes a second, which only who asks for it shall wait.
        from twitter_pagerank import published

        # As in the paper: one task ranks one chunk; those that are summed are collected together.
        rank = ray.remote(num_cpus=run.options.threads)(published.rank_chunk)

    with run.phase("load", "looking at the input"):
        source = study.cut_input(run, published.CHUNK_BYTES)

    def ranked() -> Iterator[published.Scores]:
        for first in range(0, len(source.splits), published.CHUNKS_OF_A_SUM):
            batch = source.splits[first : first + published.CHUNKS_OF_A_SUM]
            yield from ray.get(
                [
                    rank.remote(split, source.formats[split.uri], run.parameters.reverse)
                    for split in batch
                ]
            )

    with run.phase("compute", f"ranking {len(source.splits)} chunks"):
        scores = published.merge(ranked())
    return published.outcome(run, scores, run_plain.exact)


METHODS = {"exact": exact, "published": published_way}

main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
