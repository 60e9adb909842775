"""How many sources a segment has: as many as fit in the cache that a core has for itself.

Half of that cache holds the contributions of a segment; the other is left to the sums and the
edges that pass through. Source: Linux, Documentation/ABI/testing/sysfs-devices-system-cpu.
"""

import re
from pathlib import Path

from twitter_pagerank.kernel import LOCAL_BITS

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
COMMON_BYTES = 1 << 20
"""Where the system does not say: server processors of the last ten years have 256 KB to 2 MB."""


def second_level_bytes(caches: Path = CACHES) -> int:
    """Bytes of the second-level cache, for each of the processors that share it."""
    for cache in sorted(caches.glob("index*")):
        try:
            level, size, sharing = (
                (cache / name).read_text().strip() for name in ("level", "size", "shared_cpu_list")
            )
        except OSError:
            continue
        kilobytes = re.fullmatch(r"([1-9][0-9]*)K", size)
        if level == "2" and kilobytes:
            return (int(kilobytes[1]) << 10) // max(_processors(sharing), 1)
    return COMMON_BYTES


def segment_bits(cache_bytes: int) -> int:
    """A segment has 2^… sources, whose contributions, float64, take half of the cache at most."""
    return min(max((cache_bytes // 16).bit_length() - 1, 0), LOCAL_BITS)


def _processors(listed: str) -> int:
    """How many are in a list such as `0-3,8`."""
    ranges = re.findall(r"([0-9]+)(?:-([0-9]+))?", listed)
    return sum(int(last or first) - int(first) + 1 for first, last in ranges)
