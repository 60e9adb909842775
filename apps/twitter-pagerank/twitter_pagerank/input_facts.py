"""What a record says of the input beside its edges: which way they count, what was not read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from twitter_pagerank.edge_format import EdgeFormat
from twitter_pagerank.study import Parameters, Totals


def of(totals: Totals, ids: npt.NDArray[np.int64], parameters: Parameters) -> dict[str, Any]:
    """For `quality`; `ids` are those of all vertices, ascending."""
    formats = totals.formats
    notes = [note for form in formats.values() for note in form.notes]
    for uri, form in formats.items():
        if form.first is not None and _are_sizes(*form.first[1:], totals.lines[uri], ids):
            line, vertices, edges = form.first
            notes.append(
                f"{uri}, line {line}, read as an edge, says more likely that there are {vertices}"
                f" vertices and {edges} edges: --skip-lines {line} leaves it out"
            )
    return {
        "direction": _direction(formats, parameters.reverse),
        "unused_columns": list(
            dict.fromkeys(name for form in formats.values() for name in form.unused)
        ),
        "notes": notes,
        **totals.skipped,
    }


def _direction(formats: Mapping[str, EdgeFormat], reverse: bool) -> str:
    one_way = "destination to source" if reverse else "source to destination"
    said = sorted({form.undirected for form in formats.values() if form.undirected})
    if not said:
        return one_way
    both = f"both ways ({', '.join(said)})"
    all_both = all(form.undirected for form in formats.values())
    return both if all_both else f"{both}; in the other files {one_way}"


def _are_sizes(vertices: int, edges: int, lines: int, ids: npt.NDArray[np.int64]) -> bool:
    """Whether a first line counts the lines after it, and no id there is above its first number."""
    above = ids[np.searchsorted(ids, vertices, side="right") :]
    return edges == lines - 1 > 0 and (len(above) == 0 or above.tolist() == [edges])
