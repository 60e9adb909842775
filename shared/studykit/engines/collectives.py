"""What ranks exchange, in arrays of NumPy: thin forms of torch's collectives over gloo."""

from typing import Any, TypeVar

import numpy.typing as npt
import torch
import torch.distributed as dist

T = TypeVar("T")


def gather_objects(mine: T) -> list[T]:
    """One small object of every rank, in the order of ranks, on every rank."""
    gathered: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, mine)
    return gathered


def all_reduce(array: npt.NDArray[Any], operation: Any = dist.ReduceOp.SUM) -> npt.NDArray[Any]:
    """Combine a float64, int32 or int64 array of equal shape over the ranks, in place."""
    dist.all_reduce(torch.from_numpy(array), op=operation)
    return array
