"""k-means over taxi pickups on Ray: one actor per worker, its points stay with it.

    ./pants run apps/taxi-clustering:ray -- --size tiny --workers 2
    ./pants run apps/taxi-clustering:ray -- --data trips.csv --address 10.0.0.1:6379

The driver sends the centres to every actor and adds up what they return, k × 3 numbers each.
Actors hold state, so when one dies the run starts again from the input with new ones.
"""

import contextlib

import numpy as np
import ray
from ray.exceptions import RayError
from studykit import cli
from studykit import machine
from studykit.engines import ray_engine
from studykit.options import Options
from studykit.options import Study
from studykit.run import Outcome
from studykit.run import Run
from studykit.run import execute

from taxi_clustering import kernel
from taxi_clustering import maps
from taxi_clustering import study
from taxi_clustering import worker as workers
from taxi_clustering.clustering import SAMPLE_SIZE
from taxi_clustering.study import Parameters
from taxi_clustering.worker import Worker

ATTEMPTS = 3


class RayWorker(Worker):
    """A worker that says when its kernels are compiled, and what its phases took."""

    def ready(self) -> None:
        workers.warm_up()

    def seconds(self) -> dict[str, float]:
        return self.phases.seconds


def compute(run: Run) -> Outcome:
    with contextlib.ExitStack() as stack, ray_engine.errors_of_workers():
        with run.phase("start", "starting Ray"):
            stack.enter_context(ray_engine.cluster(run.options))
        peaks = stack.enter_context(ray_engine.node_peaks(run.options))
        result = METHODS[run.options.method](run)
        result.hosts, result.host_peaks = ray_engine.hosts(), peaks()
        if run.options.profile:
            run.profiles["timeline.json"] = ray_engine.timeline()
        return result


def exact(run: Run) -> Outcome:
    for attempt in range(1, ATTEMPTS):
        try:
            return _exact(run, attempt)
        except RayError as error:
            if not ray_engine.lost_a_worker(error):
                raise
            run.say("a worker died: starting again from the input")
    return _exact(run, ATTEMPTS)


def _exact(run: Run, attempt: int) -> Outcome:
    options, parameters = run.options, run.parameters
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
        totals = study.totals(run, loaded)

    with run.phase("compute", "seeding"):
        search = study.search(run, totals)

    with run.phase("communicate", "iterating"):
        while not search.done:
            parts = ray.get([actor.step.remote(search.centres) for actor in actors])
            with run.phases("compute"):
                search.advance(kernel.combine(parts))
            run.progress(str(search))

    with run.phase("communicate", "adding up the inertia"):
        centres = search.best.centres
        inertia = sum(ray.get([actor.score.remote(centres) for actor in actors]))
    density = None
    if maps.wanted(options.out):
        with run.phase("write", "counting for the map"):
            density = np.sum(ray.get([actor.density.remote() for actor in actors]), axis=0)
    phases = ray.get([actor.seconds.remote() for actor in actors])
    study.split_iterations(run, phases)
    sent = study.bytes_sent(parameters, search.steps, count)
    result = study.outcome(
        run, search, totals, inertia, density, worker_phases=phases, bytes_sent=sent
    )
    result.quality["attempts"] = attempt
    return result


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        from taxi_clustering import published

        # As in the paper: one task a block.
        cluster = ray.remote(num_cpus=run.options.threads)(published.cluster_block)

    with run.phase("load", "looking at the input"):
        source = study.cut_input(run)

    with run.phase("compute", f"clustering {len(source.splits)} blocks"):
        clusters, seed = run.parameters.clusters, run.options.seed
        blocks = ray.get(
            [
                cluster.remote(split, source.formats[split.uri], clusters, seed)
                for split in source.splits
            ]
        )
        centres = published.merge(blocks, run)
    return published.outcome(run, blocks, centres)


METHODS = {"exact": exact, "published": published_way}


def main_body(given: Study, engine: str, options: Options, parameters: Parameters) -> int:
    study.validate(parameters)
    maps.check_out(options.out)
    machine.pin_threads(options.threads)
    return execute(given, engine, options, parameters, compute)


main = cli.entry_point(study.STUDY, "ray", main_body)

if __name__ == "__main__":
    main()
