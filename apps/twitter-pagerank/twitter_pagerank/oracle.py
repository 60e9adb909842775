"""An independent, slower answer, and the check against it.

Nothing of the kernel is used: files are read by other means (oracle_edges.py), ids found by
sorting, duplicates dropped by sorting pairs. Up to `FULL_BYTES` of input the whole vector is
computed again by plain power iteration and compared. Above, and where that does not come to stand
(a damping next to 1 on a periodic graph), the PageRank equation is applied once to the given ranks:
the L1 distance r between ranks and result bounds the distance to the true ranks by r / (1 - d),
because the equation contracts by d (Langville & Meyer 2006, section 4.6).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from studykit.errors import CheckError
from studykit.records import Check
from studykit.run import Run

from twitter_pagerank import oracle_edges
from twitter_pagerank.ranking import Ranking

FULL_BYTES = 100_000_000
EDGES_PER_PASS = 150_000_000
LARGEST_TABLE = 1 << 30
ROUNDING = 1e-12
STANDSTILL = 1e-14
"""L1 distance of two iterations of the oracle, by which it stops."""
POWER_ITERATION = "power iteration over sorted pairs"
EQUATION = "PageRank equation applied once"

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def check(run: Run, ranking: Ranking) -> Check:
    """Compare a ranking with the oracle: vertices, edges, sum, and the ranks themselves."""
    total = float(ranking.ranks.sum())
    passed = abs(total - 1.0) < 1e-9 and bool((ranking.ranks > 0).all())
    whole = run.dataset.bytes <= FULL_BYTES
    found = _check_whole(run, ranking) if whole else _check_equation(run, ranking)
    detail = {"sum_of_ranks": total, **found.detail}
    return Check(passed=passed and found.passed, oracle=found.oracle, detail=detail)


def _check_whole(run: Run, ranking: Ranking) -> Check:
    damping, tolerance = run.parameters.damping, run.parameters.tolerance
    links = Links.of(*_all_edges(run))
    detail: dict[str, object] = {"vertices": len(links.ids), "edges": len(links.tail)}
    same = len(links.tail) == ranking.edges and np.array_equal(links.ids, ranking.ids)
    ranks = power_iteration(links, damping) if same else None
    if ranks is not None:
        distance = float(np.abs(ranks - ranking.ranks).sum())
        # The last iterations of both moved by less than this, so they are this close to the true.
        allowed = (tolerance + STANDSTILL) * damping / (1 - damping) + ROUNDING
        detail |= {"l1_distance": distance, "allowed": allowed}
        return Check(passed=distance <= allowed, oracle=POWER_ITERATION, detail=detail)
    if not same:
        return Check(passed=False, oracle=POWER_ITERATION, detail=detail)
    residual = float(np.abs(links.step(ranking.ranks, damping) - ranking.ranks).sum())
    return _judged(run, residual, True, detail)


def _check_equation(run: Run, ranking: Ranking) -> Check:
    residual, edges = equation_residual(run, ranking)
    return _judged(run, residual, edges == ranking.edges, {"edges": edges})


def _judged(run: Run, residual: float, same: bool, detail: dict[str, object]) -> Check:
    """By how far one application of the equation moves the ranks."""
    bound = residual / (1 - run.parameters.damping)
    allowed = run.parameters.tolerance + ROUNDING
    detail |= {"l1_residual": residual, "bound": bound, "allowed": allowed}
    return Check(passed=same and residual <= allowed, oracle=EQUATION, detail=detail)


@dataclass(frozen=True)
class Links:
    """Distinct edges, from vertex `tail` to `head`: int64[edges] places in `ids`, ascending.

    `degree` int64[ids] are the edges that leave each vertex.
    """

    ids: Ids
    tail: Ids
    head: Ids
    degree: Ids

    @classmethod
    def of(cls, sources: Ids, destinations: Ids) -> "Links":
        """Edges int64[m] in any order, duplicates allowed."""
        ids = np.unique(np.concatenate([sources, destinations]))
        n = len(ids)
        pairs = np.unique(np.searchsorted(ids, sources) * n + np.searchsorted(ids, destinations))
        tail, head = np.divmod(pairs, n)
        return cls(ids, tail, head, np.bincount(tail, minlength=n))

    def step(self, ranks: Floats, damping: float) -> Floats:
        """The PageRank equation, applied once."""
        n = len(self.ids)
        flow = ranks[self.tail] / self.degree[self.tail]
        new = np.asarray(np.bincount(self.head, weights=flow, minlength=n), np.float64)
        new += ranks[self.degree == 0].sum() / n
        new *= damping
        new += (1 - damping) / n
        return new


def power_iteration(links: Links, damping: float, most: int = 1000) -> Floats | None:
    """The ranks, or None where they do not stand still after so many iterations."""
    ranks = np.full(len(links.ids), 1.0 / len(links.ids))
    for _ in range(most):
        before, ranks = ranks, links.step(ranks, damping)
        if np.abs(ranks - before).sum() < STANDSTILL:
            return ranks
    return None


def equation_residual(run: Run, ranking: Ranking) -> tuple[float, int]:
    """(L1 distance of the ranks to one application of the equation, distinct edges).

    Edges are taken by ranges of their source, as many ranges as memory asks for; a range holds
    all edges of its sources, so its duplicates and out-degrees are complete.
    """
    from scipy import sparse  # Every engine's start would wait for it.

    n, damping = len(ranking.ids), run.parameters.damping
    passes = ranking.lines // EDGES_PER_PASS + 1
    number = _numbering(ranking.ids)
    incoming, dangling, edges = np.zeros(n), 0.0, 0
    occurs = np.zeros(n, bool)
    for turn in range(passes):
        low, high = turn * n // passes, (turn + 1) * n // passes
        tails, heads = [], []
        for sources, destinations in oracle_edges.read(run):
            tail = number(sources)
            chosen = slice(None) if passes == 1 else (tail >= low) & (tail < high)
            tails.append(tail[chosen] - low)
            heads.append(number(destinations[chosen]))
        pairs = np.concatenate(tails), np.concatenate(heads)
        tails.clear()
        heads.clear()
        links = sparse.coo_array(
            (np.ones(len(pairs[0]), np.float32), pairs), shape=(high - low, n)
        ).tocsr()  # Adds up duplicates: each entry is one distinct edge.
        edges += links.nnz
        links.data[:] = 1
        degree = np.diff(links.indptr)
        occurs[low:high] |= degree > 0
        occurs[links.indices] = True
        ranks = ranking.ranks[low:high]
        incoming += links.T @ (ranks / np.maximum(degree, 1))
        dangling += float(ranks[degree == 0].sum())
    if not occurs.all():
        raise CheckError(f"{int((~occurs).sum())} ranked vertices do not occur in the input")
    expected = (1 - damping) / n + damping * (incoming + dangling / n)
    return float(np.abs(expected - ranking.ranks).sum()), edges


def _numbering(ids: Ids) -> Callable[[Ids], npt.NDArray[np.int32]]:
    """ids ascending → a function from some of them to their places, int32."""

    def search(some: Ids) -> npt.NDArray[np.int32]:
        places = np.minimum(np.searchsorted(ids, some), len(ids) - 1)
        return np.where(ids[places] == some, places, -1).astype(np.int32)

    def complete(places: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        if len(places) and places.min() < 0:
            raise CheckError("a vertex of the input has no rank")
        return places

    if ids[-1] >= LARGEST_TABLE:
        return lambda some: complete(search(some))
    table = np.full(int(ids[-1]) + 2, -1, np.int32)
    table[ids] = np.arange(len(ids), dtype=np.int32)
    return lambda some: complete(table[np.minimum(some, len(table) - 1)])


def _all_edges(run: Run) -> tuple[Ids, Ids]:
    parts = list(oracle_edges.read(run))
    return np.concatenate([s for s, _ in parts]), np.concatenate([d for _, d in parts])
