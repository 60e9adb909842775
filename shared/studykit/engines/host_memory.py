"""Memory that the workers of one host share, so that nothing is sent or held twice there.

What one of them writes the others read, where a socket would copy it twice and each would keep a
copy, which push each other out of the processor's cache. MPI calls that a shared-memory window
(MPI 3, §11.2).

The memory has no name in any folder (memfd_create(2), reached through its owner's /proc): it ends
with the last process that has it open, however that ends.
"""

import mmap
import os
import platform
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def place() -> str:
    """Equal for processes that can share memory: of one user, on one host, in one table of its
    processes (containers have their own); elsewhere than on Linux no two can."""
    if not hasattr(os, "memfd_create"):
        return str(uuid.uuid4())
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}-{platform.node()}-{os.readlink('/proc/self/ns/pid')}-{os.getuid()}"


@dataclass(frozen=True)
class Hosts:
    """Which workers share memory: `places[i]` is the `place` of worker i."""

    places: Sequence[str]

    @property
    def others(self) -> int:
        """Hosts that what a worker has for all has to be sent to, all but its own."""
        return len(set(self.places)) - 1

    def leader(self, worker: int) -> int:
        """The first worker of the same host, which has its memory and lets others in."""
        return self.places.index(self.places[worker])

    @property
    def leaders(self) -> list[int]:
        """The first worker of every host."""
        return sorted({self.leader(worker) for worker in range(len(self.places))})

    def elsewhere(self, worker: int) -> list[int]:
        """All workers of other hosts."""
        here = self.places[worker]
        return [other for other, place in enumerate(self.places) if place != here]


class Shared:
    """`size` bytes of zeros that others of this place can map by `name` until it is closed; who has
    mapped them keeps them."""

    def __init__(self, size: int) -> None:
        self._file = os.memfd_create("study")
        os.ftruncate(self._file, size)
        self.name = f"/proc/{os.getpid()}/fd/{self._file}"

    def close(self) -> None:
        os.close(self._file)


def attach(name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """All of a shared memory as one array, any[size / size of dtype]."""
    file = os.open(name, os.O_RDWR)
    try:
        size = os.fstat(file).st_size
        return np.frombuffer(mmap.mmap(file, size), dtype) if size else np.empty(0, dtype)
    finally:
        os.close(file)
