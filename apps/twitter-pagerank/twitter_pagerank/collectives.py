"""What the ranks exchange, in arrays of NumPy: thin forms of torch's collectives over gloo."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from studykit.engines.collectives import all_reduce
from studykit.engines.collectives import gather_objects

from twitter_pagerank import host_memory
from twitter_pagerank import relabel
from twitter_pagerank.host_memory import Shared
from twitter_pagerank.kernel import Floats
from twitter_pagerank.kernel import Keys
from twitter_pagerank.worker import Segment
from twitter_pagerank.worker import Worker


def join_ids(mine: npt.NDArray[Any], dense: bool) -> npt.NDArray[Any]:
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


def exchange(worker: Worker, cuts: list[int]) -> list[Segment]:
    """Scatter a worker's edges; returns what every rank has for this one, its own first.

    Within a host nothing is sent: its ranks scatter into memory that all of them see.
    """
    rank, places = dist.get_rank(), gather_objects(host_memory.place())
    others = [other for other in range(len(places)) if other != rank]
    near = [other for other in others if places[other] == places[rank]]
    far = [other for other in others if places[other] != places[rank]]
    shared = Shared(8 * worker.edges_loaded) if near else None
    segments = worker.scatter(cuts, None if shared is None else _keys(shared.name))
    counts = gather_objects([segment.edges_of_bucket for segment in segments])
    names = gather_objects(None if shared is None else shared.name)
    received = _send({other: segments[other].keys for other in far},
                     {other: int(counts[other][rank].sum()) for other in far})  # fmt: skip
    for other in near:
        borders = np.cumsum([0, *(count.sum() for count in counts[other])])
        received[other] = _keys(str(names[other]))[borders[rank] : borders[rank + 1]]
    dist.barrier()  # All have it open.
    if shared is not None:
        shared.close()
    foreign = [Segment(received[other], counts[other][rank]) for other in others]
    return [segments[rank], *foreign]


def _keys(name: str) -> Keys:
    return host_memory.attach(name, np.uint64)


def _send(keys: dict[int, Keys], lengths: dict[int, int]) -> dict[int, Keys]:
    """{rank of another host: keys for it} → what these, so many keys, have for this one."""
    received = {other: torch.empty(length, dtype=torch.int64) for other, length in lengths.items()}
    transfers = [
        transfer
        for other, mine in keys.items()
        for transfer in (
            dist.P2POp(dist.irecv, received[other], other),
            dist.P2POp(dist.isend, torch.from_numpy(mine.view(np.int64)), other),
        )
    ]
    for request in dist.batch_isend_irecv(transfers) if transfers else []:
        request.wait()
    return {other: tensor.numpy().view(np.uint64) for other, tensor in received.items()}


def lengths(worker: Worker, cuts: list[int]) -> list[int]:
    """Vertices of every rank."""
    return np.diff([worker.buckets.first_vertex(cut) for cut in cuts]).tolist()


def gather_floats(mine: Floats, sizes: list[int]) -> list[Floats]:
    """float64 arrays of the given lengths from every rank; gloo wants them equally long."""
    widest = max(sizes)
    padded = torch.zeros(widest, dtype=torch.float64)
    padded[: len(mine)] = torch.from_numpy(mine)
    received = torch.empty(widest * len(sizes), dtype=torch.float64)
    dist.all_gather_into_tensor(received, padded)
    return [
        received[place * widest : place * widest + size].numpy() for place, size in enumerate(sizes)
    ]


class Exchange:
    """What an iteration exchanges: sums with all ranks, contributions with those of other hosts."""

    def __init__(self, worker: Worker, cuts: list[int]) -> None:
        self._worker = worker
        self._sizes = [2 * count for count in np.diff(cuts).tolist()]
        self._lengths = lengths(worker, cuts)
        self._firsts = [worker.buckets.first_vertex(cut) for cut in cuts]
        places = gather_objects(host_memory.place())
        mine = places[dist.get_rank()]
        foreign = [rank for rank, place in enumerate(places) if place != mine]
        self.receivers = len(places) - 1 if foreign else 0
        # The first rank of a host has its window, and writes down there what comes from elsewhere.
        leader = places.index(mine)
        self._written = foreign if leader == dist.get_rank() else []
        vertices = worker.vertices.count
        shared = host_memory.shared_window(vertices) if leader == dist.get_rank() else None
        names = gather_objects(None if shared is None else shared.name)
        self.window = host_memory.attach_window(str(names[leader]))
        dist.barrier()  # All have it open.
        if shared is not None:
            shared.close()

    def __call__(self, sums: Floats) -> Floats:
        """This rank's sums → those of all; then all contributions are in the window too."""
        if self.receivers:
            received = gather_floats(self._worker.outgoing, self._lengths)
            for rank in self._written:
                self._worker.receive(self._firsts[rank], received[rank])
        # Nobody has all sums before everybody has written: it is the barrier as well.
        return np.concatenate(gather_floats(sums.ravel(), self._sizes)).reshape(-1, 2)
