"""From sparse 64-bit ids to 0 … n-1, in the order of the ids, without a dictionary or a big sort.

Dense ids (Twitter's end at 61.6 million): every worker marks the ids that it saw in a bitmap, the
bitmaps are joined by OR, and an id's new number is the count of ones before it: a stored count up
to its 64-bit word, plus a population count within the word. That count is kept in two steps, so
that it takes 16 bits a word (Jacobson 1989, Space-efficient Static Trees and Graphs): 1.25 bits per
possible id, ten megabytes for Twitter's, stay in the cache even where every worker has its own.
Sparse ids: the sorted union of the workers' ids, and a binary search.
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

GROUP_BITS = 10
GROUP = 1 << GROUP_BITS
"""Words before which a full count is kept: more, and 16 bits could not tell how many ones a group
has before its last word."""


def is_dense(largest: int, edges: int) -> bool:
    """Whether ids up to `largest` are relabelled by a bitmap, given how many edges there are."""
    return largest < max(SMALLEST_DENSE_ID, BITS_PER_EDGE * edges)


@dataclass
class DenseIds:
    """`words` uint64[n]: bit b of word w is set where id 64 w + b occurs.

    The ones before word w are before_group[w // GROUP], uint64, and before_word[w], uint16.
    """

    words: npt.NDArray[np.uint64]
    before_group: npt.NDArray[np.uint64]
    before_word: npt.NDArray[np.uint16]
    count: int

    @classmethod
    def from_bitmap(cls, words: npt.NDArray[np.uint64]) -> "DenseIds":
        ones = np.bitwise_count(words).astype(np.uint64)
        before = np.cumsum(ones) - ones
        before_group = before[::GROUP].copy()
        before_word = (before - np.repeat(before_group, GROUP)[: len(words)]).astype(np.uint16)
        # Its own: what Ray hands over cannot be written, and for that kernels are compiled again.
        return cls(words.copy(), before_group, before_word, int(ones.sum()))

    def numbers(self, ids: npt.NDArray[np.generic]) -> npt.NDArray[np.uint32]:
        """ids (all of which occur) → their numbers, uint32; in place where ids are of this type."""
        numbers = ids if ids.dtype == np.uint32 else np.empty(ids.size, np.uint32)
        _dense_numbers(ids, self.words, self.before_group, self.before_word, numbers)
        return numbers  # type: ignore[return-value]

    def ids(self, first: int, stop: int) -> npt.NDArray[np.int64]:
        """The ids whose numbers are first … stop-1."""
        before = np.repeat(self.before_group, GROUP)[: len(self.words)] + self.before_word
        word = max(int(np.searchsorted(before, first, side="right")) - 1, 0)
        found = np.empty(stop - first, np.int64)
        if len(found):
            _dense_ids(self.words, word, first - int(before[word]), found)
        return found


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
def _dense_numbers(ids, words, before_group, before_word, numbers):  # type: ignore[no-untyped-def]
    group_bits = np.uint64(GROUP_BITS)
    for k in range(ids.size):
        i = np.uint64(ids[k])
        word = i >> _6
        below = words[word] & ((_1 << (i & _63)) - _1)
        before = before_group[word >> group_bits] + np.uint64(before_word[word])
        numbers[k] = before + population_count(below)


@numba.njit(nogil=True, cache=True)
def _dense_ids(words, word, skipped, found):  # type: ignore[no-untyped-def]
    """The ids from `word` on, but for the first `skipped` ones, until found int64[m] is full."""
    k = -skipped
    while k < found.size:
        bits = words[word]
        while bits and k < found.size:
            if k >= 0:
                found[k] = (word << 6) + np.int64(population_count((bits - _1) & ~bits))
            bits &= bits - _1
            k += 1
        word += 1
