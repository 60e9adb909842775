"""From sparse 64-bit ids to 0 … n-1, in the order of the ids, without a dictionary or a big sort.

Dense ids (Twitter's end at 61.6 million): every worker marks the ids that it saw in a bitmap, the
bitmaps are joined by OR, and an id's new number is the count of ones before it: a stored count up
to its 64-bit word, plus a population count within the word. Two bits per possible id, and the
table of 16 bytes per word stays in the cache. Sparse ids: the sorted union of the workers' ids,
and a binary search.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from twitter_pagerank.edges import EdgeChunk

BITS_PER_EDGE = 32
SMALLEST_DENSE_ID = 1 << 26
"""A bitmap is worth it up to 8 MB in any case, and beyond that while it takes 4 bytes an edge."""


def is_dense(largest: int, edges: int) -> bool:
    """Whether ids up to `largest` are relabelled by a bitmap, given how many edges there are."""
    return largest < max(SMALLEST_DENSE_ID, BITS_PER_EDGE * edges)


@dataclass
class DenseIds:
    """`table` uint64[words, 2]: the bits of each word, and how many ones all words before have."""

    table: npt.NDArray[np.uint64]
    count: int

    @classmethod
    def from_bitmap(cls, words: npt.NDArray[np.uint64]) -> "DenseIds":
        """`words` uint64[n]: bit b of word w is set where id 64 w + b occurs."""
        table = np.empty((len(words), 2), np.uint64)
        table[:, 0] = words
        ones = np.bitwise_count(words).astype(np.uint64)
        np.cumsum(ones, out=table[:, 1])
        table[:, 1] -= ones
        return cls(table, int(ones.sum()))

    def numbers(self, ids: npt.NDArray[np.generic]) -> npt.NDArray[np.uint32]:
        """ids (all of which occur) → their numbers, uint32; in place where ids are of this type."""
        numbers = ids if ids.dtype == np.uint32 else np.empty(ids.size, np.uint32)
        _dense_numbers(ids, self.table, numbers)
        return numbers  # type: ignore[return-value]

    def ids(self, first: int, stop: int) -> npt.NDArray[np.int64]:
        """The ids whose numbers are first … stop-1."""
        words = np.ascontiguousarray(self.table[:, 1])
        low = max(int(np.searchsorted(words, first, side="right")) - 1, 0)
        high = int(np.searchsorted(words, stop, side="left"))
        bits = np.unpackbits(
            np.ascontiguousarray(self.table[low:high, 0]).view(np.uint8), bitorder="little"
        )
        found = np.flatnonzero(bits) + 64 * low
        begin = first - int(words[low]) if len(words) else 0
        return found[begin : begin + stop - first].astype(np.int64)


@dataclass
class SparseIds:
    """`sorted_ids` int64[n]: all ids that occur, ascending."""

    sorted_ids: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.sorted_ids)

    def numbers(self, ids: npt.NDArray[np.generic]) -> npt.NDArray[np.uint32]:
        return np.searchsorted(self.sorted_ids, ids).astype(np.uint32)

    def ids(self, first: int, stop: int) -> npt.NDArray[np.int64]:
        return self.sorted_ids[first:stop]


Vertices = DenseIds | SparseIds


def occurring(chunks: Sequence[EdgeChunk], largest: int, dense: bool) -> npt.NDArray[np.generic]:
    """The ids of some chunks: a bitmap uint64[largest // 64 + 1], or sorted and unique int64."""
    if dense:
        words = np.zeros(largest // 64 + 1, np.uint64)
        for chunk in chunks:
            _mark(chunk.sources, words)
            _mark(chunk.destinations, words)
        return words
    parts = [np.unique(part) for chunk in chunks for part in (chunk.sources, chunk.destinations)]
    return np.unique(np.concatenate(parts or [np.empty(0)]).astype(np.int64))


def join(parts: Sequence[npt.NDArray[np.generic]], dense: bool) -> npt.NDArray[np.generic]:
    """Combine what several workers, or threads, saw."""
    if not dense:
        return np.unique(np.concatenate(list(parts)))
    joined = parts[0].copy()
    for part in parts[1:]:
        np.bitwise_or(joined, part, out=joined)
    return joined


def count(joined: npt.NDArray[np.generic], dense: bool) -> int:
    """How many vertices there are, without the table that numbers them."""
    return int(np.bitwise_count(joined).sum()) if dense else len(joined)


def vertices(joined: npt.NDArray[np.generic], dense: bool) -> Vertices:
    return DenseIds.from_bitmap(joined) if dense else SparseIds(joined)  # type: ignore[arg-type]


_1, _6, _63 = np.uint64(1), np.uint64(6), np.uint64(63)


@numba.njit(nogil=True, cache=True)
def _mark(ids, words):  # type: ignore[no-untyped-def]
    for k in range(ids.size):
        i = np.uint64(ids[k])
        words[i >> _6] |= _1 << (i & _63)


@numba.njit(nogil=True, inline="always")
def population_count(word):  # type: ignore[no-untyped-def]
    """Ones in a uint64 (Warren, Hacker's Delight, 5-1); LLVM makes one instruction of it."""
    word -= (word >> _1) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@numba.njit(nogil=True, cache=True)
def _dense_numbers(ids, table, numbers):  # type: ignore[no-untyped-def]
    for k in range(ids.size):
        i = np.uint64(ids[k])
        word = i >> _6
        below = table[word, 0] & ((_1 << (i & _63)) - _1)
        numbers[k] = table[word, 1] + population_count(below)
