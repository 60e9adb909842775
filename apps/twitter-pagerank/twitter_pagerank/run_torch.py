"""PageRank on torch.distributed: one rank per worker, edges and contributions over gloo.

    ./pants run apps/twitter-pagerank:torch -- --size tiny --workers 2
    torchrun --nproc-per-node 2 -m twitter_pagerank.run_torch --size tiny

Every rank runs this file from top to bottom; what a rank needs from the others it gets from a
collective (ids, counts, out-degrees, sums) or from memory that its host's ranks share (edges,
contributions), which only other hosts have to be sent. A rank that dies ends the run: its launcher
stops the others and says so.
"""

from pathlib import Path

import numpy as np
import torch.distributed as dist
from studykit import processes
from studykit.engines import host_memory, torch_engine
from studykit.engines.collectives import all_reduce, gather_objects
from studykit.engines.host_memory import Hosts
from studykit.run import Outcome, Run

from twitter_pagerank import kernel, outcome, relabel, run_plain, study
from twitter_pagerank import worker as workers
from twitter_pagerank.device import DeviceWorker
from twitter_pagerank.ranking import Ranking
from twitter_pagerank.study import Totals
from twitter_pagerank.torch_exchange import Exchange, exchange_edges, join_ids
from twitter_pagerank.worker import Worker


def exact(run: Run) -> Outcome | None:
    options, parameters = run.options, run.parameters
    rank, count = dist.get_rank(), dist.get_world_size()

    with run.phase("start", "compiling or loading the kernels"):
        workers.warm_up()
        worker = (
            Worker(options.threads, parameters.damping)
            if run.device == "cpu"
            else DeviceWorker(run.device, options.threads, parameters.damping)
        )
        hosts = Hosts(gather_objects(host_memory.place()))

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = gather_objects(
            worker.load(source.of_worker(rank, count), source.formats, parameters.reverse)
        )
        totals = Totals.of(run, loaded, source)
        dense = relabel.is_dense(totals.largest, totals.edges)
        joined = join_ids(worker.occurring(totals.largest, dense), dense)
        counts = all_reduce(worker.relabel(joined, dense))
        cuts = kernel.cut(counts, worker.buckets, count)
        parcels = exchange_edges(worker, cuts, hosts)
        degrees = worker.build(parcels, cuts[rank], cuts[rank + 1])
        out_degree = all_reduce(degrees.view(np.int32)).view(np.uint32)
        del parcels, degrees, joined

    with run.iterations("iterating") as computed:
        exchange = Exchange(worker, hosts, cuts)
        sums = exchange.start(out_degree)
        iterations, residual = 0, float("inf")
        while residual >= parameters.tolerance and iterations < parameters.max_iterations:
            exchange.contributions()
            sums = exchange.sums(worker.step(sums))
            residual = kernel.residual(sums)
            iterations += 1
            run.progress(f"iteration {iterations}, L1 distance {residual:.1e}")

        ids = worker.vertices.ids(0, worker.vertices.count)
        ranks = exchange.ranks()
        edges = sum(gather_objects(worker.edges))
        phases = gather_objects(worker.phases.seconds)
        computed(phases)
    worker.close()
    if rank != 0:
        return None
    ranking = Ranking(ids, ranks, edges, totals.edges, iterations, residual)
    sent = outcome.bytes_sent(ranking, count, hosts.others)
    return outcome.exact(run, ranking, totals, phases, sent)


def published_way(run: Run) -> Outcome | None:
    rank, count = dist.get_rank(), dist.get_world_size()

    with run.phase("start", "importing torch_ppr"):
        # Here, because it takes a second, which only who asks for it shall wait.
        from twitter_pagerank import published, published_torch

    with run.phase("load", "looking at the input"):
        source = study.cut_input(run, published_torch.CHUNK_BYTES)

    with processes.temporary_folder("pagerank-published-") as folder:
        with run.phase("compute", f"ranking {len(source.splits)} chunks"):
            reverse = run.parameters.reverse
            published_torch.rank_into(Path(folder), source, reverse, rank, count)

        with run.phase("communicate", "merging the files"):
            merged = published_torch.merged(Path(folder))
    if merged is None:
        return None
    scores, ranks_merged = merged
    return published.outcome(run, scores, run_plain.exact, ranks_merged=ranks_merged)


METHODS = {"exact": exact, "published": published_way}

main = torch_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
