"""The processor of this machine: its name, caches and vector extensions.

Linux says it in files (man 5 proc_cpuinfo; Documentation/ABI/testing/sysfs-devices-system-cpu);
of another system the name alone is known.
"""

import dataclasses
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CPUINFO = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")

_VECTORS = re.compile(r"(sse|ssse|avx|fma|f16c|amx|asimd|neon|sve|sme(?!p)|altivec|vsx)[a-z0-9_]*")
_WIDENING = ("neon", "asimd", "sve", "sve2", "sse2", "sse4_2", "avx", "avx2", "avx512f")


@dataclass(frozen=True)
class Cache:
    """One cache that the first processor uses, and how many processors use it with that one."""

    level: int
    kind: str
    bytes: int
    shared_by: int


def describe(cpuinfo: Path = CPUINFO, cache_folder: Path = CACHES) -> dict[str, Any]:
    """What a record says of the processor; None, null in a record, is what is not known."""
    return {
        "processor": name(cpuinfo),
        "caches": [dataclasses.asdict(cache) for cache in caches(cache_folder)] or None,
        "vector_extensions": vector_extensions(cpuinfo),
    }


def name(cpuinfo: Path = CPUINFO) -> str:
    named = _field(cpuinfo, "model name")
    return named or platform.processor() or platform.machine()


def vector_extensions(cpuinfo: Path = CPUINFO) -> list[str] | None:
    """As Linux names them, such as avx2 and avx512f; x86 has them as flags, ARM as Features."""
    flags = _field(cpuinfo, "flags|Features")
    return None if flags is None else sorted(set(filter(_VECTORS.fullmatch, flags.split())))


def caches(folder: Path = CACHES) -> list[Cache]:
    """Those of the first processor, the smallest level first; none where the system says none."""
    found = []
    for described in folder.glob("index*"):
        try:
            level, kind, size, sharing = (
                (described / part).read_text().strip()
                for part in ("level", "type", "size", "shared_cpu_list")
            )
        except OSError:
            continue  # A virtual machine may leave some of them out.
        kilobytes = re.fullmatch(r"([1-9][0-9]*)K", size)
        if kilobytes:
            bytes_ = int(kilobytes[1]) << 10
            found.append(Cache(int(level), kind.lower(), bytes_, max(_processors(sharing), 1)))
    return sorted(found, key=lambda cache: (cache.level, cache.kind))


def shown(machine: Mapping[str, Any]) -> str:
    """One line of what a record's `machine` holds: the name, caches behind the first level, the
    widest vectors."""
    parts = [str(machine.get("processor") or "Processor not recorded")]
    for cache in machine.get("caches") or ():
        if cache["level"] > 1:
            size = f"{cache['bytes'] / (1 << 20):.4g} MiB"
            of = f" for {cache['shared_by']}" if cache["shared_by"] > 1 else ""
            parts.append(f"L{cache['level']} {size}{of}")
    vectors = machine.get("vector_extensions") or ()
    parts += [vector for vector in _WIDENING if vector in vectors][-1:]
    return ", ".join(parts)


def _field(cpuinfo: Path, title: str) -> str | None:
    try:
        text = cpuinfo.read_text()
    except OSError:
        return None
    found = re.search(rf"^(?:{title})[ \t]*:[ \t]*(.*\S)", text, re.MULTILINE)
    return found[1] if found else None


def _processors(listed: str) -> int:
    """How many are in a list such as `0-3,8`."""
    ranges = re.findall(r"([0-9]+)(?:-([0-9]+))?", listed)
    return sum(int(last or first) - int(first) + 1 for first, last in ranges)
