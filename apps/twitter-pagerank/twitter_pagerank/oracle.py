"""An independent look at the whole input, and the check of the ranks against it.

Nothing of the kernel is used: files are read by other means (oracle_edges.py), ids found in a
table or by search, duplicate edges by sorting all of them (oracle_keys.py).

The PageRank equation F is applied once, in float64, to the ranks x that are judged. In the L1 norm
F brings any two vectors of equal sum together by the damping d (Langville & Meyer 2006, section
4.6), so the true ranks are no farther from x than |x - F(x)| / (1 - d), however x was found: to
iterate from the start again would tell no more. Engines stop when two iterations are less than the
tolerance t apart, and then |x - F(x)| < d t. That is allowed, beside rounding: what passes is
within t d / (1 - d) of the true ranks. Errors below that are not seen.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from studykit import machine, pages
from studykit.errors import CheckError
from studykit.records import Check
from studykit.run import Run
from studykit.storage import whole_lines

from twitter_pagerank import oracle_edges, oracle_keys
from twitter_pagerank.ranking import Ranking

SHARE_OF_MEMORY = 1 / 4
"""Of this machine's, for edges."""
MOST_PARTS = 16
LARGEST_TABLE = 1 << 30
ROUNDING = 1e-12

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]
"""Edges: see oracle_keys.py."""
Table = npt.NDArray[np.int32]


def check(run: Run, ranking: Ranking) -> Check:
    """Compare a ranking with the input: vertices, edges, sum, and the ranks themselves."""
    if not (np.diff(ranking.ids) > 0).all():
        raise CheckError("the ranked vertices are not in ascending order, each once")
    damping, total = run.parameters.damping, float(ranking.ranks.sum())
    expected, edges = apply_equation(run, ranking)
    residual = float(np.abs(expected - ranking.ranks).sum())
    allowed = run.parameters.tolerance * damping + ROUNDING
    passed = abs(total - 1.0) < 1e-9 and bool((ranking.ranks > 0).all())
    return Check(
        passed=passed and edges == ranking.edges and residual <= allowed,
        oracle="PageRank equation applied once",
        detail={
            "sum_of_ranks": total,
            "edges": edges,
            "l1_residual": residual,
            "allowed": allowed,
            "l1_distance_at_most": residual / (1 - damping),
        },
    )


def apply_equation(run: Run, ranking: Ranking) -> tuple[Floats, int]:
    """(ranks after one more iteration, distinct edges). CheckError for other vertices.

    Edges are held as keys of 8 bytes. Where those are too many, the input is read several times,
    each time for other sources; all edges of a source are held together, so that its duplicates
    and its out-degree are complete.
    """
    n, damping = len(ranking.ids), run.parameters.damping
    passes = ranking.lines // edges_per_pass() + 1
    narrow, table = _numbering(ranking.ids)
    incoming, edges = np.zeros(n), 0
    follows = np.zeros(n, bool)

    def degrees_of(keys: Keys) -> tuple[npt.NDArray[np.int32], int]:
        degrees = np.zeros(n, np.int32)
        distinct = oracle_keys.count_degrees(keys, table, degrees)
        _complete(distinct >= 0)
        return degrees, distinct

    def flow(keys: Keys) -> Floats:
        heads = np.zeros(n)
        _complete(oracle_keys.flow(keys, table, shares, heads))
        return heads

    for turn in range(passes):
        keys = _sorted_keys(run, ranking.lines, narrow, len(table), turn, passes)
        degrees = np.zeros(n, np.int32)
        for some, distinct in whole_lines.over(degrees_of, _parts(keys), parts()):
            degrees += some
            edges += distinct
        shares = np.divide(ranking.ranks, degrees, out=np.zeros(n), where=degrees > 0)
        for heads in whole_lines.over(flow, _parts(keys), parts()):
            incoming += heads
        follows |= degrees > 0
    # Ranks are positive (or wrong): where none comes in, no edge does.
    if not (follows | (incoming != 0)).all():
        raise CheckError("ranked vertices do not occur in the input")
    dangling = float(ranking.ranks[~follows].sum())
    return (1 - damping) / n + damping * (incoming + dangling / n), edges


def parts() -> int:
    """Into which edges are cut, each with ranks of its own."""
    return min(machine.cores(), MOST_PARTS)


def edges_per_pass() -> int:
    return int(machine.memory_bytes() * SHARE_OF_MEMORY) // 8


def _sorted_keys(
    run: Run, lines: int, narrow: Callable[[Ids], Ids], ids: int, turn: int, passes: int
) -> Keys:
    """All edges of every `passes`-th source, ascending. Narrow ids are below `ids`."""

    def as_keys(sources: Ids, destinations: Ids) -> Keys:
        keys = np.empty(len(sources), np.int64)
        tails, heads = narrow(sources), narrow(destinations)
        count = oracle_keys.join(tails, heads, ids, turn, passes, keys)
        _complete(count >= 0)
        return keys[:count]

    keys, count = pages.empty((lines // passes + 1,), np.int64), 0
    for block in oracle_edges.read_for(run, as_keys):
        if count + len(block) > len(keys):  # A source has more than its share.
            keys = np.concatenate([keys[:count], np.empty(len(keys) + len(block), np.int64)])
        keys[count : count + len(block)] = block
        count += len(block)
    keys, cores = keys[:count], machine.cores()
    cuts = [count * part // cores for part in range(cores + 1)]
    if count >= cores > 1:
        keys.partition(cuts[1:-1])
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda low, high: keys[low:high].sort(), cuts[:-1], cuts[1:]))
    return keys


def _parts(keys: Keys) -> Iterator[Keys]:
    """Equal edges together."""
    places = np.array([len(keys) * part // parts() for part in range(1, parts())], np.int64)
    cuts = np.searchsorted(keys, keys[places]) if len(keys) else places
    return (keys[low:high] for low, high in pairwise([0, *cuts.tolist(), len(keys)]))


def _numbering(ids: Ids) -> tuple[Callable[[Ids], Ids], Table]:
    """For ids ascending: (what makes some of them narrow enough for a table, the table).

    It has the place + 1 of a narrow id, 0 where there is none.
    """
    largest = int(ids[-1])
    if largest < LARGEST_TABLE:
        table = np.zeros(largest + 1, np.int32)  # Zero, where there is no id, costs no memory.
        table[ids] = np.arange(1, len(ids) + 1, dtype=np.int32)
        return lambda some: some, table

    def search(some: Ids) -> Ids:
        places = np.minimum(np.searchsorted(ids, some), len(ids) - 1)
        _complete(bool((ids[places] == some).all()))
        return places

    return search, np.arange(1, len(ids) + 1, dtype=np.int32)


def _complete(found: bool) -> None:
    if not found:
        raise CheckError("a vertex of the input has no rank")
