"""PageRank on Ray: one actor per worker, edges and contributions through the object store.

    ./pants run apps/twitter-pagerank:ray -- --size tiny --workers 2
    ./pants run apps/twitter-pagerank:ray -- --data edges.csv --address 10.0.0.1:6379

The driver sees references only: what an actor returns stays in the object store of its node until
another actor takes it as an argument, where it is read without a copy. Actors hold state, so when
one dies the run starts again from the input with new ones.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
import ray
from studykit.engines import ray_engine
from studykit.run import Outcome
from studykit.run import Run

from twitter_pagerank import host_memory
from twitter_pagerank import kernel
from twitter_pagerank import relabel
from twitter_pagerank import study
from twitter_pagerank import worker as workers
from twitter_pagerank.kernel import Floats
from twitter_pagerank.study import Ranking
from twitter_pagerank.study import Totals
from twitter_pagerank.worker import Segment
from twitter_pagerank.worker import Worker


class RayWorker(Worker):
    """A worker whose arguments arrive one by one: Ray fetches references only at the top level."""

    def ready(self) -> str:
        workers.warm_up()
        return host_memory.place()

    def scatter_to(self, cuts: Sequence[int], own: int) -> Segment | list[Segment] | None:
        """The segments of the other owners, in their order; its own stays here."""
        segments = self.scatter(cuts)
        self._kept = segments.pop(own)
        return segments if len(segments) != 1 else segments[0]  # As num_returns wants it.

    def build_from(self, first_bucket: int, stop_bucket: int, *segments: Segment) -> Any:
        kept = self.__dict__.pop("_kept")
        return self.build([kept, *segments], first_bucket, stop_bucket)

    def open_window(self) -> str:
        self._shared = host_memory.shared_window(self.vertices.count)
        return self._shared.name

    def start_in(self, window: str, out_degree: Any) -> Floats:
        return self.start(out_degree, host_memory.attach_window(window))

    def sent(self) -> Floats:
        return self.outgoing

    def receive_all(self, firsts: Sequence[int], *outgoing: Floats) -> None:
        for first, part in zip(firsts, outgoing, strict=True):
            self.receive(first, part)

    def step_from(self, *sums_and_arrivals: Floats | None) -> Floats:
        return self.step(np.concatenate([sums for sums in sums_and_arrivals if sums is not None]))

    def answer(self) -> tuple[Any, Floats, int, dict[str, float]]:
        ids = self.vertices.ids(self.rows.first, self.rows.stop)
        return ids, self.ranks, self.edges, self.phases.seconds


@ray_engine.again_from_the_input
def exact(run: Run) -> Outcome:
    options, parameters = run.options, run.parameters
    count = options.worker_count

    with run.phase("start", f"starting {count} actors"):
        remote = ray.remote(num_cpus=options.threads)(RayWorker)
        actors = [remote.remote(options.threads, parameters.damping) for _ in range(count)]
        hosts = Hosts(actors, ray.get([actor.ready.remote() for actor in actors]))

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        parts = [source.of_worker(index, count) for index in range(count)]
        loaded = ray.get(
            [
                actor.load.remote(part, source.formats, parameters.reverse)
                for actor, part in zip(actors, parts, strict=True)
            ]
        )
        totals = Totals.of(loaded, source)
        dense = relabel.is_dense(totals.largest, totals.edges)
        seen = ray.get([actor.occurring.remote(totals.largest, dense) for actor in actors])
        joined = relabel.join(seen, dense)
        buckets = kernel.Buckets.of(relabel.count(joined, dense))
        shared = ray.put(joined)
        counts = sum(ray.get([actor.relabel.remote(shared, dense) for actor in actors]))
        cuts = kernel.cut(counts, buckets, count)
        segments = [
            _as_list(actor.scatter_to.options(num_returns=count - 1).remote(cuts, own))
            for own, actor in enumerate(actors)
        ]
        # Without its own segment, an owner's place in another's list is one less behind it.
        received = [
            [segments[other][owner - (owner > other)] for other in range(count) if other != owner]
            for owner in range(count)
        ]
        degrees = ray.get(
            [
                actor.build_from.remote(first, stop, *foreign)
                for actor, first, stop, foreign in zip(
                    actors, cuts[:-1], cuts[1:], received, strict=True
                )
            ]
        )
        out_degree = ray.put(np.sum(degrees, axis=0, dtype=np.uint32))
        del segments, received, degrees, seen, joined, shared

    with run.iterations("iterating") as computed:
        firsts = [buckets.first_vertex(cut) for cut in cuts]
        sums = hosts.start(out_degree)
        iterations, residual = 0, float("inf")
        while residual >= parameters.tolerance and iterations < parameters.max_iterations:
            arguments = [*sums, *hosts.arrivals(firsts)]
            sums = [actor.step_from.remote(*arguments) for actor in actors]
            residual = kernel.residual(np.concatenate(ray.get(sums)))
            iterations += 1
            run.progress(f"iteration {iterations}, L1 distance {residual:.1e}")

        answers = ray.get([actor.answer.remote() for actor in actors])
        ids, ranks = (np.concatenate([answer[part] for answer in answers]) for part in (0, 1))
        edges = sum(answer[2] for answer in answers)
        phases = [answer[3] for answer in answers]
        computed(phases)
    ranking = Ranking(ids, ranks, edges, totals.edges, iterations, residual)
    sent = study.bytes_sent(totals.edges, len(ids), iterations, count, hosts.others)
    result = study.outcome(run, ranking, worker_phases=phases, bytes_sent=sent)
    return result


class Hosts:
    """Which actors share a window of contributions, and what has to go from host to host."""

    def __init__(self, actors: list[Any], places: list[str]) -> None:
        self._actors = actors
        self._places = places
        self._leaders = {place: places.index(place) for place in places}
        self.others = len(self._leaders) - 1

    def start(self, out_degree: Any) -> list[Any]:
        """`Worker.start` of all, in windows of their hosts."""
        windows = {
            place: self._actors[leader].open_window.remote()
            for place, leader in self._leaders.items()
        }
        return [
            actor.start_in.remote(windows[place], out_degree)
            for actor, place in zip(self._actors, self._places, strict=True)
        ]

    def arrivals(self, firsts: Sequence[int]) -> list[Any]:
        """Let the first actor of every host write down what the others send; done when these are.

        Within a host there is nothing to send.
        """
        if not self.others:
            return []
        sent = [actor.sent.remote() for actor in self._actors]
        written = []
        for place, leader in self._leaders.items():
            foreign = [index for index, other in enumerate(self._places) if other != place]
            written.append(
                self._actors[leader].receive_all.remote(
                    [firsts[index] for index in foreign], *(sent[index] for index in foreign)
                )
            )
        return written


def _as_list(references: Any) -> list[Any]:
    if references is None:  # One actor has nobody to send to.
        return []
    return references if isinstance(references, list) else [references]


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing torch_ppr"):
        from twitter_pagerank import published

        # As in the paper: one task a chunk, collected in batches of as many as are saved together.
        rank = ray.remote(num_cpus=run.options.threads)(published.rank_chunk)

    with run.phase("load", "looking at the input"):
        source = study.cut_input(run)

    def ranked() -> Iterator[published.Scores]:
        for first in range(0, len(source.splits), published.CHUNKS_BETWEEN_SAVES):
            batch = source.splits[first : first + published.CHUNKS_BETWEEN_SAVES]
            yield from ray.get(
                [
                    rank.remote(split, source.formats[split.uri], run.parameters.reverse)
                    for split in batch
                ]
            )

    with run.phase("compute", f"ranking {len(source.splits)} chunks"):
        scores = published.merge(ranked())
    return study.published_outcome(run, scores)


METHODS = {"exact": exact, "published": published_way}


main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
