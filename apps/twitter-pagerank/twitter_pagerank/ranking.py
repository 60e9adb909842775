"""The answer: a rank for every vertex, what a record says of it, and its table.

The ranks sum to 1; ties are ranked by the smaller id.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rich.table import Table
from studykit import tables

from twitter_pagerank.kernel import Floats
from twitter_pagerank.study import Parameters

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """ids int64[n] ascending, ranks float64[n] beside them.

    `edges` are distinct, `lines` are all that were read; `residual` is the L1 distance of the last
    two iterations.
    """

    ids: Ids
    ranks: Floats
    edges: int
    lines: int
    iterations: int
    residual: float

    def quality(self, parameters: Parameters) -> dict[str, Any]:
        return {
            "vertices": len(self.ids),
            "edges": self.edges,
            "duplicate_edges": self.lines - self.edges,
            "iterations": self.iterations,
            "residual": self.residual,
            "top": top(self.ranks, self.ids, parameters.top),
            "rank_quantiles": _quantiles(self.ranks),
        }


def top(ranks: Floats, ids: Ids, count: int) -> list[dict[str, float | int]]:
    """The highest ranks, ties by the smaller id: [{vertex, rank}]. `ids` are ascending."""
    count = min(count, len(ranks))
    if count == 0:
        return []
    threshold = np.partition(ranks, len(ranks) - count)[len(ranks) - count]
    candidates = np.flatnonzero(ranks >= threshold)
    order = candidates[np.lexsort((candidates, -ranks[candidates]))][:count]
    return [{"vertex": int(ids[v]), "rank": float(ranks[v])} for v in order]


def _quantiles(ranks: Floats) -> dict[str, float]:
    """Ranks at fixed shares of the vertices, highest first: enough to draw the distribution."""
    shares = [10.0**exponent for exponent in np.arange(-7, 0.01, 0.25)]
    shares = [share for share in shares if share * len(ranks) >= 1] or [1.0]
    values = np.quantile(ranks, [1 - share for share in shares], method="higher")
    return {f"{share:.3g}": float(value) for share, value in zip(shares, values, strict=True)}


def write(ids: Ids, ranks: Floats, uri: str) -> dict[str, str]:
    """Vertex and rank as .parquet or .csv, by the ending of the URI; returns {"ranks": where}."""
    return {"ranks": tables.write(pa.table({"vertex": ids, "rank": ranks}), uri)}


def top_table(top: list[dict[str, Any]]) -> Table:
    table = Table(title=f"Top {len(top)}")
    table.add_column("place", justify="right")
    table.add_column("vertex", justify="right")
    table.add_column("rank", justify="right")
    for place, entry in enumerate(top, start=1):
        table.add_row(str(place), str(entry["vertex"]), f"{entry['rank']:.6e}")
    return table
