"""What the ranks exchange: edges once, sums and contributions in every iteration, over gloo.

Within a host edges and contributions are in memory that its ranks share, and are not sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from studykit.engines import host_memory
from studykit.engines.collectives import all_reduce, gather_objects
from studykit.engines.host_memory import Hosts, Shared

from twitter_pagerank import relabel, windows
from twitter_pagerank.kernel import Floats
from twitter_pagerank.worker import Parcel, Worker


def join_ids(mine: npt.NDArray[Any], dense: bool) -> npt.NDArray[Any]:
    """`relabel.join` over the ranks."""
    if dense:
        return all_reduce(mine.view(np.int64), dist.ReduceOp.BOR).view(np.uint64)
    return relabel.join(gather(mine, gather_objects(len(mine))), dense)


def gather(mine: npt.NDArray[Any], lengths: Sequence[int]) -> list[npt.NDArray[Any]]:
    """float64 or int64 arrays of these lengths from every rank; gloo wants them equally long."""
    padded = np.zeros(max(lengths), mine.dtype)
    padded[: len(mine)] = mine
    received = np.empty((len(lengths), len(padded)), mine.dtype)
    dist.all_gather_into_tensor(torch.from_numpy(received.ravel()), torch.from_numpy(padded))
    return [part[:length] for part, length in zip(received, lengths, strict=True)]


def transfer(
    sent: Mapping[int, npt.NDArray[Any]], received: Mapping[int, npt.NDArray[Any]]
) -> None:
    """Arrays to other ranks, and from other ranks into arrays: {rank: any 8-byte numbers [length]}.

    Both sides know the length. What is empty does not travel.
    """
    transfers = [
        dist.P2POp(way, torch.from_numpy(array.view(np.int64)), other)
        for way, arrays in ((dist.irecv, received), (dist.isend, sent))
        for other, array in arrays.items()
        if len(array)
    ]
    for request in dist.batch_isend_irecv(transfers) if transfers else []:
        request.wait()


def exchange_edges(worker: Worker, cuts: list[int], hosts: Hosts) -> list[Parcel]:
    """Scatter this rank's edges; returns what every rank has for it.

    The ranks of a host scatter into memory that all of them see.
    """
    rank, count = dist.get_rank(), dist.get_world_size()
    far = hosts.elsewhere(rank)
    near = [other for other in range(count) if other not in (rank, *far)]
    shared = Shared(8 * worker.edges_loaded) if near else None
    keys = None if shared is None else host_memory.attach(shared.name, np.uint64)
    parcels = worker.scatter(cuts, keys)
    counts = gather_objects([parcel.edges_of_bucket for parcel in parcels])
    names = gather_objects(None if shared is None else shared.name)
    received = {other: np.empty(int(counts[other][rank].sum()), np.uint64) for other in far}
    transfer({other: parcels[other].keys for other in far}, received)
    for other in near:
        borders = np.cumsum([0, *(each.sum() for each in counts[other])])
        theirs = host_memory.attach(str(names[other]), np.uint64)
        received[other] = theirs[borders[rank] : borders[rank + 1]]
    dist.barrier()  # All have it open.
    if shared is not None:
        shared.close()
    received[rank] = parcels[rank].keys
    return [Parcel(received[other], counts[other][rank]) for other in range(count)]


class Exchange:
    """What an iteration exchanges: contributions with other hosts, sums with all ranks."""

    def __init__(self, worker: Worker, hosts: Hosts, cuts: list[int]) -> None:
        rank = dist.get_rank()
        self._worker, self._hosts = worker, hosts
        self._buckets = np.diff(cuts).tolist()
        self._firsts = [worker.buckets.first_vertex(cut) for cut in cuts]
        # The first rank of a host has its window, and writes down there what comes from elsewhere.
        leader = hosts.leader(rank)
        far = hosts.elsewhere(rank)
        self._receivers = [other for other in hosts.leaders if other in far]
        self._senders = far if leader == rank else []
        vertices = worker.vertices.count
        shared = windows.shared_window(vertices) if leader == rank else None
        names = gather_objects(None if shared is None else shared.name)
        self._window = windows.attach_window(str(names[leader]))
        dist.barrier()  # All have it open.
        if shared is not None:
            shared.close()

    def start(self, out_degree: npt.NDArray[np.uint32]) -> Floats:
        """`Worker.start` in the window of this host; returns the sums of all."""
        return self.sums(self._worker.start(out_degree, self._window))

    def contributions(self) -> None:
        """Send this rank's to the first rank of every other host, which writes them down.

        Within a host there is nothing to send.
        """
        if not self._hosts.others:
            return
        arriving = {
            sender: self._worker.contributions(*self._firsts[sender : sender + 2])
            for sender in self._senders
        }
        transfer({leader: self._worker.outgoing for leader in self._receivers}, arriving)
        dist.barrier()  # Nobody reads before all is written.

    def sums(self, mine: Floats) -> Floats:
        """This rank's sums, float64[its buckets, 2] → those of all ranks: a barrier as well."""
        gathered = gather(mine.ravel(), [2 * count for count in self._buckets])
        return np.concatenate(gathered).reshape(-1, 2)

    def ranks(self) -> Floats:
        """Of all vertices, float64[n]."""
        return np.concatenate(gather(self._worker.ranks, np.diff(self._firsts).tolist()))
