"""k-means over taxi pickups on torch.distributed: one rank per worker, sums all-reduced by gloo.

    ./pants run apps/taxi-clustering:torch -- --size tiny --workers 2
    torchrun --nproc-per-node 2 -m taxi_clustering.run_torch --size tiny

Every rank runs this file from top to bottom and keeps its points; after each iteration an
all_reduce leaves the same k × 3 sums on all of them, so each goes on to the same next centres.
A rank that dies ends the run: its launcher stops the others and says so.
"""

import torch.distributed as dist
from studykit.engines import torch_engine
from studykit.engines.collectives import all_reduce, gather_objects
from studykit.run import Outcome, Run

from taxi_clustering import clustering, maps, outcome, run_plain, study
from taxi_clustering import worker as workers
from taxi_clustering.clustering import Totals
from taxi_clustering.device import DeviceWorker
from taxi_clustering.sample import SAMPLE_SIZE
from taxi_clustering.worker import Worker


def exact(run: Run) -> Outcome | None:
    options = run.options
    rank, count = dist.get_rank(), dist.get_world_size()

    with run.phase("start", "compiling or loading the kernels"):
        workers.warm_up()
        worker = (
            Worker(options.threads)
            if run.device == "cpu"
            else DeviceWorker(run.device, options.threads)
        )
        dist.barrier()

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = gather_objects(
            worker.load(source.of_worker(rank, count), source.formats, SAMPLE_SIZE, options.seed)
        )
        totals = Totals.of(run, loaded)

    with run.phase("compute", "seeding"):
        search = clustering.search(run, totals)

    with run.iterations("iterating") as computed:
        while not search.done:
            sums = all_reduce(worker.step(search.centres))
            with run.phases("compute"):
                search.advance(sums)
            run.progress(str(search))

        inertia = float(sum(gather_objects(worker.score(search.best.centres))))
        computed(gather_objects(worker.phases.seconds))
    density = None
    if maps.wanted(options.out):
        with run.phase("write", "counting for the map"):
            density = all_reduce(worker.density())
    phases = gather_objects(worker.phases.seconds)
    worker.close()
    if rank != 0:
        return None
    return outcome.exact(run, search, totals, inertia, density, phases)


def published_way(run: Run) -> Outcome | None:
    rank, count = dist.get_rank(), dist.get_world_size()

    with run.phase("start", "importing scikit-learn"):
        # Here, because it takes a second, which only who asks for it shall wait.
        from taxi_clustering import published, published_torch

    with run.phase("load", "reading the blocks of every rank"):
        source = published.cut_input(run)
        rows, degrees = published_torch.load(source, rank, count)

    with run.phase("compute", f"clustering one in {count} of the trips, in batches"):
        clusters, seed = run.parameters.clusters, run.options.seed
        mine = published_torch.cluster(rows, degrees, rank, count, clusters, seed)

    with run.phase("communicate", "gathering the centres"):
        parts = gather_objects(mine)
    if rank != 0:
        return None
    with run.phase("compute", "clustering their centres"):
        centres = published.merge(parts, run)
    return published.outcome(run, parts, centres, run_plain.clustered)


METHODS = {"exact": exact, "published": published_way}

main = torch_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
