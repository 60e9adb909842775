"""How good the clusters are: silhouettes of a sample, and how far the hubs are from a centre.

Alexiadis et al. (2025) state the mean of the blocks' own silhouettes; here they are those of the
final clusters. Rousseeuw 1987, Silhouettes: a graphical aid to the interpretation and validation of
cluster analysis.
"""

from typing import Any

import numba
import numpy as np

from taxi_clustering import city, kernel
from taxi_clustering.kernel import Centres, Floats, Points

Z_95 = 1.96
"""Standard errors to each side of the mean of a large sample, for 95 % of such intervals."""


@numba.njit(nogil=True, cache=True)
def _silhouettes(points, starts):  # type: ignore[no-untyped-def]
    """points float32[2, n] in the order of their clusters; cluster c begins at starts[c]."""
    scores = np.zeros(points.shape[1])
    for own in range(starts.size - 1):
        for i in range(starts[own], starts[own + 1]):
            inside, nearest = 0.0, np.inf
            for other in range(starts.size - 1):
                count = starts[other + 1] - starts[other]
                total = 0.0
                for j in range(starts[other], starts[other + 1]):
                    east = np.float64(points[0, i]) - points[0, j]
                    north = np.float64(points[1, i]) - points[1, j]
                    total += np.sqrt(east * east + north * north)
                if other == own:
                    inside = total / (count - 1) if count > 1 else np.nan
                elif count > 0:
                    nearest = min(nearest, total / count)
            # Alone in its cluster, a point scores 0 by definition.
            if inside == inside and max(inside, nearest) > 0:
                scores[i] = (nearest - inside) / max(inside, nearest)
    return scores


def silhouettes(sample: Points, centres: Centres) -> Floats:
    """Of every sampled point among the sample, in no particular order; -1 … 1.

    Empty where the sample lies in one cluster alone: then there is none.
    """
    label = kernel.labels(sample, centres)
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(len(centres) + 1))
    if np.count_nonzero(np.diff(starts)) < 2:
        return np.empty(0)
    return _silhouettes(np.ascontiguousarray(sample[:, order]), starts)  # type: ignore[no-any-return]


def assess(sample: Points, centres: Centres) -> dict[str, Any]:
    """The figures of a record's `quality` that the answer itself does not need."""
    scores = silhouettes(sample, centres)
    mean, interval = None, None
    if len(scores):
        mean = float(scores.mean())
        error = Z_95 * float(scores.std(ddof=1)) / len(scores) ** 0.5
        interval = [mean - error, mean + error]
    return {
        "silhouette": mean,
        "silhouette_interval": interval,
        "silhouette_sample": len(scores),
        "hub_distance_metres": city.hub_distances(centres.astype(np.float64)),
    }
