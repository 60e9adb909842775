"""The oracle's loops over edges: joined to keys, and, once these are sorted, rank sent along them.

A key is, from its highest bit: the block of the destination, the source, the destination within
its block. In order of keys what a block's destinations look into stays in the cache, and sources
are met in their order.
"""

import numba

SOURCE_BITS = 31
BLOCK_BITS = 21
"""Two million ids: 8 MB of a table of 32 bits each."""
OF_BLOCK = (1 << BLOCK_BITS) - 1
OF_SOURCE = (1 << SOURCE_BITS) - 1


@numba.njit(nogil=True, cache=True)
def join(sources, destinations, ids, turn, passes, keys):  # type: ignore[no-untyped-def]
    """Fills keys with edges of this turn's sources; returns how many, -1 for an end not in range.

    Ends are 0 … ids - 1.
    """
    count = 0
    for edge in range(len(sources)):
        source, destination = sources[edge], destinations[edge]
        if not (0 <= source < ids and 0 <= destination < ids):
            return -1
        if passes == 1 or source % passes == turn:
            block, within = destination >> BLOCK_BITS, destination & OF_BLOCK
            keys[count] = (block << SOURCE_BITS | source) << BLOCK_BITS | within
            count += 1
    return count


@numba.njit(nogil=True, cache=True)
def count_degrees(keys, table, degrees):  # type: ignore[no-untyped-def]
    """Adds to degrees int32[places] the edges of every source; returns how many are distinct.

    Keys are sorted, so that a duplicate stands behind its like; each gets the place of its source
    in place of its id. `table` has an id's place + 1, 0 where there is none: then -1 is returned.
    """
    distinct, before = 0, -1
    for edge in range(len(keys)):
        key = keys[edge]
        source = key >> BLOCK_BITS & OF_SOURCE
        place = table[source] - 1
        if place < 0:
            return -1
        keys[edge] = key + ((place - source) << BLOCK_BITS)
        if key != before:
            degrees[place] += 1
            distinct += 1
        before = key
    return distinct


@numba.njit(nogil=True, cache=True)
def flow(keys, table, shares, incoming):  # type: ignore[no-untyped-def]
    """Adds to incoming float64[places] the share of every source along each of its edges.

    False where a destination has no place.
    """
    for edge in range(len(keys)):
        if edge == 0 or keys[edge] != keys[edge - 1]:
            source = keys[edge] >> BLOCK_BITS & OF_SOURCE
            block = keys[edge] >> (BLOCK_BITS + SOURCE_BITS)
            place = table[block << BLOCK_BITS | (keys[edge] & OF_BLOCK)] - 1
            if place < 0:
                return False
            incoming[place] += shares[source]
    return True
