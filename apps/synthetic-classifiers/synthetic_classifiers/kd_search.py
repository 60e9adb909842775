"""The search of a wide kd-tree: from each query's own leaf outwards, nearest boxes first."""

import numba
import numpy as np
import numpy.typing as npt

from synthetic_classifiers.candidates import limit, offer, squared_distance
from synthetic_classifiers.kd_tree import LEAF, WIDTH, WIDTH_BITS

NO_HOME = -1
"""The leaf of a query that lies in another tree."""

Leaves = npt.NDArray[np.int64]


@numba.njit(nogil=True, cache=True)
def _gaps(boxes, node, points, query, gaps):  # type: ignore[no-untyped-def]
    """Squared distances of a query from the boxes of a node's children → gaps."""
    zero = np.float32(0)
    for lane in range(len(gaps)):
        gaps[lane] = zero
    for axis in range(points.shape[1]):
        at = points[query, axis]
        # Not for lane in range(WIDTH): a loop of known length is unrolled before it is vectorised.
        for lane in range(len(gaps)):
            below, above = boxes[node, axis, 0, lane] - at, at - boxes[node, axis, 1, lane]
            gap = below if below > above else above
            gap = gap if gap > zero else zero
            gaps[lane] += gap * gap


@numba.njit(nogil=True, cache=True)
def homes(boxes, firsts, points):  # type: ignore[no-untyped-def]
    """Of queries, float32[q, dimensions], the leaf whose box is nearest, level by level."""
    gaps, leaves = np.empty(WIDTH, np.float32), np.empty(len(points), np.int64)
    for query in range(len(points)):
        node = 0
        for level in range(len(firsts) - 1):
            _gaps(boxes, firsts[level] + node, points, query, gaps)
            nearest = 0
            for lane in range(WIDTH):
                if gaps[lane] < gaps[nearest]:
                    nearest = lane
            node = (node << WIDTH_BITS) + nearest
        leaves[query] = node
    return leaves


@numba.njit(nogil=True, cache=True)
def _look(  # type: ignore[no-untyped-def]
    leaves, rows, leaf, points, query, steps, bound, features, own, norm, scale, distances, places
):
    """Take the rows of a leaf into the nearest so far; returns what may be nearer still."""
    for lane in range(len(steps)):
        steps[lane] = np.float32(0)
    for axis in range(points.shape[1]):
        at = points[query, axis]
        for lane in range(len(steps)):
            step = leaves[leaf, axis, lane] - at
            steps[lane] += step * step
    nearer = np.int32(0)
    for lane in range(len(steps)):
        nearer |= np.int32(steps[lane] <= bound)
    if nearer:
        for lane in range(LEAF):
            row = rows[leaf, lane]
            # Empty places are infinitely far, which is near enough as long as nothing is found.
            if steps[lane] <= bound and row >= 0:
                distance = squared_distance(own, query, features, row)
                if offer(distance, row, distances, places, query):
                    bound = limit(distances[query, -1], norm, scale, points.shape[1])
    return bound


@numba.njit(nogil=True, cache=True)
def search(  # type: ignore[no-untyped-def]
    leaves, rows, boxes, firsts, features, scale,
    queries, home, points, own, norms, distances, places,
):  # fmt: skip
    """Take the rows of a tree into the nearest so far of these queries; leaves looked into.

    A tree's four arrays, the training rows float32[n, d] whose points it holds, the scale of their
    space; the numbers of the queries asked for and the leaf where each lies, int64[asked]; of all
    queries their points, features, norms, and the nearest so far.
    """
    gaps, steps = np.empty(WIDTH, np.float32), np.empty(LEAF, np.float32)
    levels = len(firsts) - 1
    top = len(leaves) >> (WIDTH_BITS * (levels - 1))  # The root's children, the only fewer ones.
    depth, nodes = np.empty(WIDTH * levels + 1, np.int64), np.empty(WIDTH * levels + 1, np.int64)
    ahead = np.empty(WIDTH * levels + 1, np.float32)
    looked = 0
    for number in range(len(queries)):
        query = queries[number]
        norm = norms[query]
        bound = limit(distances[query, -1], norm, scale, points.shape[1])
        begin = home[number]
        if begin != NO_HOME:
            bound = _look(leaves, rows, begin, points, query, steps, bound,
                          features, own, norm, scale, distances, places)  # fmt: skip
            looked += 1
        depth[0], nodes[0], ahead[0], size = 0, 0, 0, 1
        while size:
            size -= 1
            level, node = depth[size], nodes[size]
            if ahead[size] > bound:
                continue
            if level == levels:
                if node != begin:
                    bound = _look(leaves, rows, node, points, query, steps, bound,
                          features, own, norm, scale, distances, places)  # fmt: skip
                    looked += 1
                continue
            _gaps(boxes, firsts[level] + node, points, query, gaps)
            lanes = top if level == 0 else WIDTH
            size = _push(
                gaps, lanes, bound, level + 1, node << WIDTH_BITS, depth, nodes, ahead, size
            )
    return looked


@numba.njit(nogil=True, cache=True)
def _push(gaps, lanes, bound, level, first, depth, nodes, ahead, size):  # type: ignore[no-untyped-def]
    """The children that are near enough, the nearest last; returns the stack's size."""
    begin = size
    for lane in range(lanes):
        gap = gaps[lane]
        if gap <= bound:
            at = size
            while at > begin and ahead[at - 1] < gap:
                depth[at], nodes[at], ahead[at] = depth[at - 1], nodes[at - 1], ahead[at - 1]
                at -= 1
            depth[at], nodes[at], ahead[at] = level, first + lane, gap
            size += 1
    return size
