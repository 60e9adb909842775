"""The most memory that this process had while something was done, where the system can tell.

Linux remembers a process's largest resident set and forgets it when asked to (proc(5),
clear_refs), so nothing is sampled and no peak is missed. It is the memory of the whole process,
libraries and data included, which all trials of a process share; a trial's own is what it adds to
that of a trial that needs little.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWN = Path("/proc/self")
FORGET = "5"


class Peak:
    """`bytes` once the block is over; None where the system does not tell."""

    bytes: int | None = None


@contextmanager
def peak() -> Iterator[Peak]:
    """Not for two at once in one process: the second would forget the first one's."""
    found = Peak()
    try:
        (OWN / "clear_refs").write_text(FORGET)
        known = True
    except OSError:
        known = False
    yield found
    if known:
        found.bytes = _largest()


def _largest() -> int | None:
    try:
        lines = (OWN / "status").read_text().splitlines()
    except OSError:
        return None
    said = next((line for line in lines if line.startswith("VmHWM:")), None)
    return None if said is None else 1024 * int(said.split()[1])
