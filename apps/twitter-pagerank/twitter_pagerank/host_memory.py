"""Memory that the workers of one host share, so that nothing is sent or held twice there.

Two things lie in it. Edges on their way to an owner of the same host are written there by one and
read by the other, where a socket would copy them twice. And the contributions of all vertices are
there once, however many workers read them: these gather at random, and copies would push each
other out of the processor's cache (two on one chip took 1.4 to 1.8 times as long an iteration as
two that share). MPI calls that a shared-memory window (MPI 3, §11.2).

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

from twitter_pagerank.kernel import Floats


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
        """Hosts that a worker's contributions have to be sent to, all but its own."""
        return len(set(self.places)) - 1

    def leader(self, worker: int) -> int:
        """The first worker of the same host, which has the host's window and lets others in."""
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
        self._file = os.memfd_create("pagerank")
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


def shared_window(vertices: int) -> Shared:
    """Contributions of all vertices, twice: an iteration reads one half and writes the other."""
    return Shared(2 * 8 * vertices)


def attach_window(name: str) -> Floats:
    """float64[2, vertices]"""
    return attach(name, np.float64).reshape(2, -1)


def private_window(vertices: int) -> Floats:
    """For the workers of one process: float64[2, vertices]."""
    return np.empty((2, vertices))
