"""What the ranks exchange, in arrays of NumPy: thin forms of torch's collectives over gloo."""

from typing import Any
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from twitter_pagerank import relabel
from twitter_pagerank import window
from twitter_pagerank.kernel import Floats
from twitter_pagerank.worker import Segment
from twitter_pagerank.worker import Worker

T = TypeVar("T")


def gather_objects(mine: T) -> list[T]:
    """One small object of every rank, in the order of ranks, on every rank."""
    gathered: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, mine)
    return gathered


def all_reduce(array: npt.NDArray[Any], operation: Any = dist.ReduceOp.SUM) -> npt.NDArray[Any]:
    """Combine an int32 or int64 array of equal length over the ranks, in place."""
    dist.all_reduce(torch.from_numpy(array), op=operation)
    return array


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


def exchange(segments: list[Segment], rank: int) -> list[Segment]:
    """Send segment i to rank i; returns what every rank has sent to this one, its own first."""
    counts = gather_objects([segment.edges_of_bucket for segment in segments])
    others = [other for other in range(len(segments)) if other != rank]
    received = {other: torch.empty(int(counts[other][rank].sum()), dtype=torch.int64)
                for other in others}  # fmt: skip
    transfers = [
        transfer
        for other in others
        for transfer in (
            dist.P2POp(dist.irecv, received[other], other),
            dist.P2POp(dist.isend, torch.from_numpy(segments[other].keys.view(np.int64)), other),
        )
    ]
    for request in dist.batch_isend_irecv(transfers) if transfers else []:
        request.wait()
    foreign = [Segment(received[o].numpy().view(np.uint64), counts[o][rank]) for o in others]
    return [segments[rank], *foreign]


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
        places = gather_objects(window.place())
        mine = places[dist.get_rank()]
        foreign = [rank for rank, place in enumerate(places) if place != mine]
        self.receivers = len(places) - 1 if foreign else 0
        # The first rank of a host writes down for all of them what comes from elsewhere.
        self._written = foreign if places.index(mine) == dist.get_rank() else []
        path = gather_objects(window.new_path(worker.vertices.count))[0]
        try:
            self.window = window.attach(path, worker.vertices.count)
            dist.barrier()
        finally:
            window.forget(path)

    def __call__(self, sums: Floats) -> Floats:
        """This rank's sums → those of all; then all contributions are in the window too."""
        if self.receivers:
            received = gather_floats(self._worker.outgoing, self._lengths)
            for rank in self._written:
                self._worker.receive(self._firsts[rank], received[rank])
        # Nobody has all sums before everybody has written: it is the barrier as well.
        return np.concatenate(gather_floats(sums.ravel(), self._sizes)).reshape(-1, 2)
