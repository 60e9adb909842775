"""k-means over taxi pickups on torch.distributed: one rank per worker, sums all-reduced by gloo.

    ./pants run apps/taxi-clustering:torch -- --size tiny --workers 2
    torchrun --nproc-per-node 2 -m taxi_clustering.run_torch --size tiny

Every rank runs this file from top to bottom and keeps its points; after each iteration an
all_reduce leaves the same k × 3 sums on all of them, so each goes on to the same next centres.
A rank that dies ends the run: its launcher stops the others and says so.
"""

import contextlib
import os
import sys

import torch.distributed as dist
from studykit import cli
from studykit.engines import torch_engine
from studykit.options import Options
from studykit.options import Study
from studykit.run import Outcome
from studykit.run import Run
from studykit.run import execute

from taxi_clustering import maps
from taxi_clustering import study
from taxi_clustering import worker as workers
from taxi_clustering.clustering import SAMPLE_SIZE
from taxi_clustering.collectives import all_reduce
from taxi_clustering.collectives import gather_objects
from taxi_clustering.device import DeviceWorker
from taxi_clustering.study import Parameters
from taxi_clustering.worker import Worker


def compute(run: Run) -> Outcome | None:
    with contextlib.ExitStack() as stack:
        with run.phase("start", "joining the ranks"):
            stack.enter_context(torch_engine.group(run.options))
        trace = stack.enter_context(torch_engine.profiled(run.options))
        result = METHODS[run.options.method](run)
        traces = gather_objects(trace()) if run.options.profile else []
        run.profiles |= {f"trace-rank-{rank}.json": kept for rank, kept in enumerate(traces)}
        peaks = gather_objects(torch_engine.host_peak(run))
        if result is not None:
            result.hosts, result.host_peaks = torch_engine.hosts(), [p for p in peaks if p]
        return result


def exact(run: Run) -> Outcome | None:
    options, parameters = run.options, run.parameters
    rank, count = dist.get_rank(), dist.get_world_size()

    with run.phase("start", "compiling or loading the kernels"):
        workers.warm_up()
        device = torch_engine.device(options)
        worker = (
            Worker(options.threads) if device == "cpu" else DeviceWorker(device, options.threads)
        )
        dist.barrier()

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = gather_objects(
            worker.load(source.of_worker(rank, count), source.formats, SAMPLE_SIZE, options.seed)
        )
        totals = study.totals(run, loaded)

    with run.phase("compute", "seeding"):
        search = study.search(run, totals)

    with run.phase("communicate", "iterating"):
        while not search.done:
            sums = all_reduce(worker.step(search.centres))
            with run.phases("compute"):
                search.advance(sums)
            run.progress(str(search))

    with run.phase("communicate", "adding up the inertia"):
        inertia = sum(gather_objects(worker.score(search.best.centres)))
    density = None
    if maps.wanted(options.out):
        with run.phase("write", "counting for the map"):
            density = all_reduce(worker.density())
    phases = gather_objects(worker.phases.seconds)
    worker.close()
    study.split_iterations(run, phases)
    if rank != 0:
        return None
    sent = study.bytes_sent(parameters, search.steps, count)
    return study.outcome(
        run, search, totals, inertia, density, worker_phases=phases, bytes_sent=sent
    )


def published_way(run: Run) -> Outcome | None:
    with run.phase("start", "importing scikit-learn"):
        from taxi_clustering import published

    with run.phase("load", "looking at the input"):
        source = study.cut_input(run)
        part = source.of_worker(dist.get_rank(), dist.get_world_size())

    with run.phase("compute", f"clustering {len(source.splits)} blocks"):
        clusters, seed = run.parameters.clusters, run.options.seed
        mine = [
            published.cluster_block(split, source.formats[split.uri], clusters, seed)
            for split in part
        ]
    with run.phase("communicate", "gathering the centres"):
        ranks = gather_objects(mine)
        # In the order of the file, as one process would have them.
        blocks = [ranks[i % len(ranks)][i // len(ranks)] for i in range(len(source.splits))]
    if dist.get_rank() != 0:
        return None
    with run.phase("compute", "clustering their centres"):
        centres = published.merge(blocks, run)
    return published.outcome(run, blocks, centres)


METHODS = {"exact": exact, "published": published_way}


def main_body(given: Study, engine: str, options: Options, parameters: Parameters) -> int:
    study.validate(parameters)
    maps.check_out(options.out)
    if not torch_engine.is_rank():
        return execute(given, engine, options, parameters, launch, sampled=False, quiet=True)
    return execute(
        given, engine, options, parameters, compute,
        sampled_pid=os.getppid(),
        sampled=torch_engine.local_rank() == 0,
        quiet=torch_engine.rank() != 0,
    )  # fmt: skip


def launch(run: Run) -> None:
    torch_engine.started_at(run.phases.seconds["start"])
    torch_engine.launch("taxi_clustering.run_torch", run.options, sys.argv[1:])


main = cli.entry_point(study.STUDY, "torch", main_body)

if __name__ == "__main__":
    main()
