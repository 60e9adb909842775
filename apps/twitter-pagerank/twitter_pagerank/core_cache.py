"""How many sources a segment has: as many as fit in the cache that a core has for itself.

Half of that cache holds the contributions of a segment; the other is left to the sums and the
edges that pass through.
"""

from pathlib import Path

from studykit import processor

from twitter_pagerank.kernel import LOCAL_BITS

COMMON_BYTES = 1 << 20
"""Where the system does not say: server processors of the last ten years have 256 KB to 2 MB."""


def second_level_bytes(caches: Path = processor.CACHES) -> int:
    """Bytes of the second-level cache, for each of the processors that share it."""
    found = (cache for cache in processor.caches(caches) if cache.level == 2)
    return next((cache.bytes // cache.shared_by for cache in found), COMMON_BYTES)


def segment_bits(cache_bytes: int) -> int:
    """A segment has 2^… sources, whose contributions, float64, take half of the cache at most."""
    return min(max((cache_bytes // 16).bit_length() - 1, 0), LOCAL_BITS)
