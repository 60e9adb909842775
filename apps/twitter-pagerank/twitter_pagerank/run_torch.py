"""PageRank on torch.distributed: one rank per worker, edges and contributions over gloo.

    ./pants run apps/twitter-pagerank:torch -- --size tiny --workers 2
    torchrun --nproc-per-node 2 -m twitter_pagerank.run_torch --size tiny

Every rank runs this file from top to bottom; what a rank needs from the others it gets from a
collective: all_reduce (ids, counts, out-degrees), all_to_all (edges), all_gather (contributions).
A rank that dies ends the run: its launcher stops the others and says so.
"""

import contextlib
import os
import sys

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from studykit import cli
from studykit import torch_engine
from studykit.options import Options
from studykit.options import Study
from studykit.run import Outcome
from studykit.run import Run
from studykit.run import execute

from twitter_pagerank import kernel
from twitter_pagerank import relabel
from twitter_pagerank import study
from twitter_pagerank import worker as workers
from twitter_pagerank.device import DeviceWorker
from twitter_pagerank.study import Parameters
from twitter_pagerank.study import Ranking
from twitter_pagerank.study import Totals
from twitter_pagerank.worker import Segment
from twitter_pagerank.worker import Worker


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
            Worker(options.threads, parameters.damping)
            if device == "cpu"
            else DeviceWorker(device, options.threads, parameters.damping)
        )
        dist.barrier()

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        part = source.of_worker(rank, count)
        loaded = gather_objects(worker.load(part, source.formats, parameters.reverse))
        totals = Totals.of(loaded, source)
        dense = relabel.is_dense(totals.largest, totals.edges)
        joined = join_ids(worker.occurring(totals.largest, dense), dense)
        counts = all_reduce(worker.relabel(joined, dense))
        cuts = kernel.cut(counts, worker.buckets, count)
        segments = exchange(worker.scatter(cuts), rank)
        out_degree = worker.build(segments, cuts[rank], cuts[rank + 1])
        out_degree = all_reduce(out_degree.view(np.int32)).view(np.uint32)
        del segments, joined

    with run.phase("communicate", "iterating"):
        outgoing, sums = gather_step(worker, *worker.start(out_degree), cuts)
        iterations, residual = 0, float("inf")
        while residual >= parameters.tolerance and iterations < parameters.max_iterations:
            outgoing, sums = gather_step(worker, *worker.step(outgoing, sums), cuts)
            residual = kernel.residual(sums)
            iterations += 1
            run.progress(f"iteration {iterations}, L1 distance {residual:.1e}")

    with run.phase("communicate", "gathering the ranks"):
        ids = worker.vertices.ids(0, worker.vertices.count)
        ranks = np.concatenate(gather_floats(worker.ranks, lengths(worker, cuts)))
        edges = sum(gather_objects(worker.edges))
    phases = gather_objects(worker.phases.seconds)
    worker.close()
    study.split_iterations(run, phases)
    if rank != 0:
        return None
    ranking = Ranking(ids, ranks, edges, totals.edges, iterations, residual)
    sent = study.bytes_sent(totals.edges, len(ids), iterations, count)
    return study.outcome(run, ranking, worker_phases=phases, bytes_sent=sent)


def published_way(run: Run) -> Outcome | None:
    with run.phase("start", "importing torch_ppr"):
        from twitter_pagerank import published

    with run.phase("load", "looking at the input"):
        source = study.cut_input(run)
        part = source.of_worker(dist.get_rank(), dist.get_world_size())

    with run.phase("compute", f"ranking {len(source.splits)} chunks"):
        reverse = run.parameters.reverse
        mine = published.merge(
            published.rank_chunk(split, source.formats[split.uri], reverse) for split in part
        )
    with run.phase("communicate", "gathering the scores"):
        scores = published.merge(gather_objects(mine))
    if dist.get_rank() != 0:
        return None
    return study.published_outcome(run, scores)


METHODS = {"exact": exact, "published": published_way}


def gather_objects(mine: object) -> list:  # type: ignore[type-arg]
    """One small object of every rank, in the order of ranks, on every rank."""
    gathered = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, mine)
    return gathered


def all_reduce(array: npt.NDArray, operation: object = dist.ReduceOp.SUM) -> npt.NDArray:  # type: ignore[type-arg]
    """Combine an int32 or int64 array of equal length over the ranks, in place."""
    dist.all_reduce(torch.from_numpy(array), op=operation)
    return array


def join_ids(mine: npt.NDArray, dense: bool) -> npt.NDArray:  # type: ignore[type-arg]
    """`relabel.join` over the ranks."""
    if dense:
        return all_reduce(mine.view(np.int64), dist.ReduceOp.BOR).view(np.uint64)
    parts = gather_integers(mine)
    return relabel.join(parts, dense)


def gather_integers(mine: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """int64 arrays of any lengths from every rank."""
    sizes = gather_objects(len(mine))
    received = torch.empty(sum(sizes), dtype=torch.int64)
    sent = torch.from_numpy(np.ascontiguousarray(mine)).repeat(len(sizes))
    dist.all_to_all_single(received, sent, sizes, [len(mine)] * len(sizes))
    return np.split(received.numpy(), np.cumsum(sizes)[:-1])


def exchange(segments: list[Segment], rank: int) -> list[Segment]:
    """Send segment i to rank i; returns what every rank has sent to this one."""
    counts = gather_objects([segment.edges_of_bucket for segment in segments])
    mine = [per_owner[rank] for per_owner in counts]
    sizes = [int(per_bucket.sum()) for per_bucket in mine]
    # The segments of one scatter lie one after the other in the same array.
    keys = segments[0].keys.base
    received = torch.empty(sum(sizes), dtype=torch.int64)
    dist.all_to_all_single(
        received,
        torch.from_numpy(keys.view(np.int64)),
        sizes,
        [len(segment.keys) for segment in segments],
    )
    parts = np.split(received.numpy().view(np.uint64), np.cumsum(sizes)[:-1])
    return [Segment(part, per_bucket) for part, per_bucket in zip(parts, mine, strict=True)]


def lengths(worker: Worker, cuts: list[int]) -> list[int]:
    """Vertices of every rank."""
    return np.diff([worker.buckets.first_vertex(cut) for cut in cuts]).tolist()


def gather_floats(mine: npt.NDArray[np.float64], sizes: list[int]) -> list[npt.NDArray[np.float64]]:
    """float64 arrays of the given lengths from every rank; gloo wants them equally long."""
    widest = max(sizes)
    padded = torch.zeros(widest, dtype=torch.float64)
    padded[: len(mine)] = torch.from_numpy(mine)
    received = torch.empty(widest * len(sizes), dtype=torch.float64)
    dist.all_gather_into_tensor(received, padded)
    return [
        received[place * widest : place * widest + size].numpy() for place, size in enumerate(sizes)
    ]


def gather_step(
    worker: Worker,
    outgoing: npt.NDArray[np.float64],
    sums: npt.NDArray[np.float64],
    cuts: list[int],
) -> tuple[list[npt.NDArray[np.float64]], npt.NDArray[np.float64]]:
    """What `Worker.step` returned, of every rank, as it wants it next."""
    buckets = np.diff(cuts).tolist()
    flat = gather_floats(sums.ravel(), [2 * count for count in buckets])
    return gather_floats(outgoing, lengths(worker, cuts)), np.concatenate(flat).reshape(-1, 2)


def main_body(given: Study, engine: str, options: Options, parameters: Parameters) -> int:
    study.validate(parameters)
    study.check_out(options.out)
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
    torch_engine.launch("twitter_pagerank.run_torch", run.options, sys.argv[1:])


main = cli.entry_point(study.STUDY, "torch", main_body)

if __name__ == "__main__":
    main()
