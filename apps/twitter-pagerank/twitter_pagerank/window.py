"""The contributions of all vertices, once on a host however many workers it has.

The one idea: workers gather from this vector at random, and its copies would push each other out
of the processor's cache (two on one chip took 1.4 to 1.8 times as long an iteration as two that
share). So the workers of a host map the same memory: each writes its own vertices, all read all,
and only what other hosts own has to be sent. MPI calls this a shared-memory window (MPI 3, §11.2).

The vector is there twice: an iteration reads one half and writes the other.
"""

import mmap
import os
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

import numpy as np

from twitter_pagerank.kernel import Floats

_SHARED_MEMORY = Path("/dev/shm")
_SPARE = 1.1  # of the room that a window needs, so that others have some left


def private(vertices: int) -> Floats:
    """A window for the workers of one process: float64[2, vertices]."""
    return np.empty((2, vertices))


def place() -> str:
    """Equal for processes that can share a window: the same kernel, and the same folder in it."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    machine = boot.read_text().strip() if boot.exists() else str(uuid.getnode())
    folder = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else Path(tempfile.gettempdir())
    return f"{machine}-{folder.stat().st_dev}"


def new_path(vertices: int) -> str:
    """A name that nobody has; in a folder on the disk where memory's has too little room."""
    folder = tempfile.gettempdir()
    if _SHARED_MEMORY.is_dir():
        status = os.statvfs(_SHARED_MEMORY)
        if status.f_bavail * status.f_frsize > _size(vertices) * _SPARE:
            folder = str(_SHARED_MEMORY)
    return f"{folder}/pagerank-{uuid.uuid4().hex}"


def attach(path: str, vertices: int) -> Floats:
    """Map the window of this name, float64[2, vertices]; whoever comes first makes it.

    It stays for those who have mapped it once one of them calls `forget`.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(file, _size(vertices))
        mapped = mmap.mmap(file, _size(vertices))
    finally:
        os.close(file)
    return np.frombuffer(mapped, np.float64).reshape(2, vertices)


def forget(path: str) -> None:
    """Take the name away, when all have mapped the window: then it ends with the last of them."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def _size(vertices: int) -> int:
    return 2 * 8 * vertices
