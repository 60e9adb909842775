"""What the ranks exchange, in arrays of NumPy: thin forms of torch's collectives over gloo."""

from typing import Any
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from twitter_pagerank import relabel
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
    """Send segment i to rank i; returns what every rank has sent to this one."""
    counts = gather_objects([segment.edges_of_bucket for segment in segments])
    mine = [per_owner[rank] for per_owner in counts]
    sizes = [int(per_bucket.sum()) for per_bucket in mine]
    # The segments of one scatter lie one after the other in the same array.
    keys = segments[0].keys.base
    assert keys is not None
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


def gather_step(
    worker: Worker,
    outgoing: Floats,
    sums: Floats,
    cuts: list[int],
) -> tuple[list[Floats], Floats]:
    """What `Worker.step` returned, of every rank, as it wants it next."""
    buckets = np.diff(cuts).tolist()
    flat = gather_floats(sums.ravel(), [2 * count for count in buckets])
    return gather_floats(outgoing, lengths(worker, cuts)), np.concatenate(flat).reshape(-1, 2)
