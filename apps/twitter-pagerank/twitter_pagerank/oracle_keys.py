"""The oracle's loops over edges: ids looked up, joined to keys, and rank sent along sorted keys."""

import numba


@numba.njit(nogil=True, cache=True)
def look_up(ids, table, places):  # type: ignore[no-untyped-def]
    """`table` has an id's place + 1, 0 where there is none. False where an id has no place."""
    for edge in range(len(ids)):
        if not 0 <= ids[edge] < len(table):
            return False
        place = table[ids[edge]] - 1
        if place < 0:
            return False
        places[edge] = place
    return True


@numba.njit(nogil=True, cache=True)
def join(tails, heads, turn, passes, keys):  # type: ignore[no-untyped-def]
    """Fills keys with edges of this turn's sources; returns how many."""
    count = 0
    for edge in range(len(tails)):
        if passes == 1 or tails[edge] % passes == turn:
            keys[count] = tails[edge] << 32 | heads[edge]
            count += 1
    return count


@numba.njit(nogil=True, cache=True)
def flow(keys, ranks, incoming, follows):  # type: ignore[no-untyped-def]
    """Adds to `incoming` what every source sends along its edges; returns how many are distinct.

    Keys are sorted, so that a duplicate stands behind its like. Marks the sources in `follows`.
    """
    distinct, first = 0, 0
    while first < len(keys):
        tail = keys[first] >> 32
        degree, last = 0, first
        while last < len(keys) and keys[last] >> 32 == tail:
            degree += last == first or keys[last] != keys[last - 1]
            last += 1
        share = ranks[tail] / degree
        for edge in range(first, last):
            if edge == first or keys[edge] != keys[edge - 1]:
                incoming[keys[edge] & 0xFFFFFFFF] += share
        follows[tail] = True
        distinct += degree
        first = last
    return distinct
