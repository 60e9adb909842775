"""k-means over taxi pickups on Ray: one actor per worker, its points stay with it.

    ./pants run apps/taxi-clustering:ray -- --size tiny --workers 2
    ./pants run apps/taxi-clustering:ray -- --data trips.csv --address 10.0.0.1:6379

The driver sends the centres to every actor and adds up what they return, k × 3 numbers each.
Actors hold state, so when one dies the run starts again from the input with new ones.
"""

import numpy as np
import ray
from studykit.engines import ray_engine
from studykit.run import Outcome, Run

from taxi_clustering import clustering, kernel, maps, outcome, run_plain, study
from taxi_clustering import worker as workers
from taxi_clustering.clustering import Totals
from taxi_clustering.sample import SAMPLE_SIZE
from taxi_clustering.worker import Worker


class RayWorker(Worker):
    """A worker that says when its kernels are compiled, and what its phases took."""

    def ready(self) -> None:
        workers.warm_up()

    def seconds(self) -> dict[str, float]:
        return self.phases.seconds


@ray_engine.again_from_the_input
def exact(run: Run) -> Outcome:
    options = run.options
    count = options.worker_count

    with run.phase("start", f"starting {count} actors"):
        remote = ray.remote(num_cpus=options.threads)(RayWorker)
        actors = [remote.remote(options.threads) for _ in range(count)]
        ray.get([actor.ready.remote() for actor in actors])

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = ray.get(
            [
                actor.load.remote(
                    source.of_worker(index, count), source.formats, SAMPLE_SIZE, options.seed
                )
                for index, actor in enumerate(actors)
            ]
        )
        totals = Totals.of(run, loaded)

    with run.phase("compute", "seeding"):
        search = clustering.search(run, totals)

    with run.iterations("iterating") as computed:
        while not search.done:
            parts = ray.get([actor.step.remote(search.centres) for actor in actors])
            with run.phases("compute"):
                search.advance(kernel.combine(parts))
            run.progress(str(search))

        centres = search.best.centres
        inertia = float(sum(ray.get([actor.score.remote(centres) for actor in actors])))
        computed(ray.get([actor.seconds.remote() for actor in actors]))
    density = None
    if maps.wanted(options.out):
        with run.phase("write", "counting for the map"):
            density = np.sum(ray.get([actor.density.remote() for actor in actors]), axis=0)
    phases = ray.get([actor.seconds.remote() for actor in actors])
    return outcome.exact(run, search, totals, inertia, density, phases)


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        # Here, because it takes a second, which only who asks for it shall wait.
        from taxi_clustering import published

        # As in the paper: one task clusters one block.
        cluster = ray.remote(num_cpus=run.options.threads)(published.cluster_split)

    with run.phase("load", "looking at the input"):
        source = published.cut_input(run)

    with run.phase("compute", f"clustering {len(source.splits)} blocks"):
        clusters, seed = run.parameters.clusters, run.options.seed
        parts = ray.get(
            [
                cluster.remote(split, source.formats[split.uri], clusters, seed)
                for split in source.splits
            ]
        )
        centres = published.merge(parts, run)
    return published.outcome(run, parts, centres, run_plain.clustered)


METHODS = {"exact": exact, "published": published_way}

main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
