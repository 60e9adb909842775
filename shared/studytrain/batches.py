"""Which rows are learned from together, and which of them by whom."""

import numpy as np
import numpy.typing as npt


def order(rows: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The rows [rows] in the order of an epoch: of seed and epoch alone, not of the ranks."""
    return np.random.default_rng([seed % 2**64, epoch]).permutation(rows)


def cut(rows: int, size: int, least: int = 1) -> list[tuple[int, int]]:
    """[start, stop) of the batches of an epoch, `size` rows each; the last one may have fewer.

    Where it would have fewer than `least`, these go with the batch before: batch norm has no
    variance of one value.
    """
    starts = list(range(0, rows, size))
    if len(starts) > 1 and rows - starts[-1] < least:
        starts.pop()
    return list(zip(starts, [*starts[1:], rows], strict=True))


def share(start: int, stop: int, rank: int, world_size: int) -> tuple[int, int]:
    """The part of [start, stop) that is a rank's: sizes differ by one at most, and may be 0."""
    rows = stop - start
    return start + rows * rank // world_size, start + rows * (rank + 1) // world_size
