"""A wide kd-tree: which leaves of points may hold a nearer one, sixteen boxes at a time.

Bentley 1975, "Multidimensional binary search trees used for associative searching": half of the
points on each side of the median of the widest coordinate, down to leaves. Friedman, Bentley and
Finkel 1977: of a node only what its box leaves possible is searched.

Of that binary tree every fourth level is kept, so that a node has sixteen children. Their boxes lie
coordinate by coordinate side by side, as the points of a leaf do: a vector instruction serves
sixteen of them. Where a node begins follows from its number, and all else is a few plain arrays,
which may lie in memory that processes share. A query begins in the leaf where it lies itself, so
that almost all other boxes are too far from the outset.

Of 400,000 rows that span 5 of 10 dimensions, 100,000 queries by 2 threads take scikit-learn 11
times as long, scipy's cKDTree 4.5 times, in the same smaller space 1.7 times (medians of 3 turns,
November 2026); and neither can be built by several processes or read by them in shared memory.
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from synthetic_classifiers.layout import Features
from synthetic_classifiers.span import Points, Rows

LEAF = 32
"""Points: two vectors of sixteen single floats. 16 take longer, 64 as long."""
WIDTH_BITS = 4
WIDTH = 1 << WIDTH_BITS
NOBODY = -1
"""The row of an empty place in a leaf."""


class Tree(NamedTuple):
    """points float32[leaves, dimensions, LEAF]; rows int32[leaves, LEAF], whose they are.

    boxes float32[nodes, dimensions, 2, WIDTH]: of the children of each node the lower and the upper
    ends; leaves are children of the last level's nodes. firsts int64[levels + 1]: where the nodes
    of each level begin.
    """

    points: Points
    rows: Rows
    boxes: npt.NDArray[np.float32]
    firsts: npt.NDArray[np.int64]


def build(points: Points, rows: Rows, features: Features, k: int) -> Tree:
    """A tree of points float32[n, dimensions], n ≥ 0, and their rows, int32[n], of features.

    Both are reordered in place. Of more equal rows than fit a leaf only the first k stay.
    """
    leaves_by_need = -(-max(len(points), 1) // LEAF)
    depth = (leaves_by_need - 1).bit_length()
    _divide(points, rows, depth, features, k)
    depths = [d for d in range(depth, -1, -WIDTH_BITS) if d > 0 or depth == 0][::-1]
    nodes = [max(1, (1 << d) >> WIDTH_BITS) for d in depths]
    firsts = np.concatenate([[0], np.cumsum(nodes)]).astype(np.int64)
    tree = Tree(
        np.full((1 << depth, points.shape[1], LEAF), np.inf, np.float32),
        np.full((1 << depth, LEAF), NOBODY, np.int32),
        np.empty((int(firsts[-1]), points.shape[1], 2, WIDTH), np.float32),
        firsts,
    )
    tree.boxes[:, :, 0], tree.boxes[:, :, 1] = np.inf, -np.inf
    _fill_leaves(points, rows, depth, tree.points, tree.rows, tree.boxes[firsts[-2] :])
    _fill_boxes(tree.boxes, firsts)
    return tree


@numba.njit(nogil=True, cache=True)
def _divide(points, rows, depth, features, k):  # type: ignore[no-untyped-def]
    """Put the lower half of each node of the binary tree before the upper one."""
    n = len(points)
    todo = [(0, 0)]
    while todo:
        level, node = todo.pop()
        start, stop = n * node >> level, n * (node + 1) >> level
        if level == depth or stop - start < 2:
            continue
        axis, width = _widest(points[start:stop])
        if width > 0:
            middle = n * (2 * node + 1) >> (level + 1)
            _select(points, rows, start, stop - 1, middle, axis)
        elif _thin(points[start:stop], rows[start:stop], features, k):
            continue
        todo.append((level + 1, 2 * node + 1))
        todo.append((level + 1, 2 * node))


@numba.njit(nogil=True, cache=True)
def _widest(points):  # type: ignore[no-untyped-def]
    """The coordinate in which points differ most, and by how much."""
    axis, width = 0, np.float32(-1)
    for candidate in range(points.shape[1]):
        lower = upper = points[0, candidate]
        for place in range(1, len(points)):
            lower, upper = (
                min(lower, points[place, candidate]),
                max(upper, points[place, candidate]),
            )
        if upper - lower > width:
            axis, width = candidate, upper - lower
    return axis, width


@numba.njit(nogil=True, cache=True)
def _select(points, rows, low, high, middle, axis):  # type: ignore[no-untyped-def]
    """Hoare 1961, "Find": no point before `middle` lies above it, none after it below."""
    while low < high:
        a, b, c = points[low, axis], points[(low + high) >> 1, axis], points[high, axis]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while points[i, axis] < pivot:
                i += 1
            while points[j, axis] > pivot:
                j -= 1
            if i <= j:
                for k in range(points.shape[1]):
                    points[i, k], points[j, k] = points[j, k], points[i, k]
                rows[i], rows[j] = rows[j], rows[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@numba.njit(nogil=True, cache=True)
def _thin(points, rows, features, k):  # type: ignore[no-untyped-def]
    """Of equal rows, which are neighbours of a query by their numbers, leave the first k.

    All points are equal; rows that differ in what the smaller space leaves out stay: False.
    """
    first = features[rows[0]]
    for row in rows:
        for feature in range(len(first)):
            if features[row, feature] != first[feature]:
                return False
    rows.sort()
    rows[k:] = NOBODY
    points[k:] = np.inf
    return True


@numba.njit(nogil=True, cache=True)
def _fill_leaves(points, rows, depth, leaves, owners, boxes):  # type: ignore[no-untyped-def]
    n = len(points)
    for leaf in range(len(leaves)):
        start, stop = n * leaf >> depth, n * (leaf + 1) >> depth
        box, lane = boxes[leaf >> WIDTH_BITS], leaf & (WIDTH - 1)
        for place in range(start, stop):
            if rows[place] == NOBODY:
                continue
            owners[leaf, place - start] = rows[place]
            for axis in range(points.shape[1]):
                value = points[place, axis]
                leaves[leaf, axis, place - start] = value
                box[axis, 0, lane] = min(box[axis, 0, lane], value)
                box[axis, 1, lane] = max(box[axis, 1, lane], value)


@numba.njit(nogil=True, cache=True)
def _fill_boxes(boxes, firsts):  # type: ignore[no-untyped-def]
    """Those of inner nodes, from the boxes of their children."""
    for level in range(len(firsts) - 2, 0, -1):
        for node in range(firsts[level + 1] - firsts[level]):
            below = boxes[firsts[level] + node]
            box, lane = boxes[firsts[level - 1] + (node >> WIDTH_BITS)], node & (WIDTH - 1)
            for axis in range(len(below)):
                box[axis, 0, lane] = below[axis, 0].min()
                box[axis, 1, lane] = below[axis, 1].max()
