"""What this machine is and how fast it is right now: the ground under every comparison."""

import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from studykit import processor, storage

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "ARROW_NUM_THREADS",
)
"""Every pool that a worker's libraries size from the environment when they are imported."""

PIECE_BYTES = 1 << 24
"""Of a file that is read to see how fast it comes."""


def pin_threads(threads: int) -> dict[str, str]:
    """Set this process's thread pools; return the variables for the processes it starts."""
    variables = {name: str(threads) for name in THREAD_VARIABLES}
    os.environ.update(variables)
    threadpool_limits(threads)  # Of BLAS and OpenMP, where they were loaded before.
    return variables


def cores() -> int:
    """Cores that this process may use: its affinity, cut by a control group's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _text("/sys/fs/cgroup/cpu.max").split()
    if len(quota) == 2 and quota[0] != "max":
        return max(1, min(allowed or 1, int(quota[0]) // int(quota[1])))
    return allowed or 1


def memory_bytes() -> int:
    """Memory that this process may use: the machine's, cut by a control group's limit."""
    limits = [psutil.virtual_memory().total]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = _text(path)
        if text.isdigit():
            limits.append(int(text))
    return min(limits)


def gpus() -> int:
    """NVIDIA GPUs that the driver shows, without importing a framework."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1")])
    devices = Path("/proc/driver/nvidia/gpus")
    return len(list(devices.iterdir())) if devices.is_dir() else 0


def describe() -> dict[str, Any]:
    return {
        "cores": cores(),
        "memory_bytes": memory_bytes(),
        "gpus": gpus(),
        **processor.describe(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def commit() -> str | None:
    """The checkout's commit, `+` where files differ from it; None outside a checkout."""
    folder = Path(__file__).parent
    try:
        revision = _git(folder, "rev-parse", "HEAD")
        return revision + ("+" if _git(folder, "status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def probe() -> float:
    """Seconds of a fixed small job (sorting and summing 2^20 numbers): how busy the machine is."""
    numbers = np.random.default_rng(0).random(1 << 20)
    began = time.monotonic()
    for _ in range(2):
        np.sort(numbers).cumsum()
    return time.monotonic() - began


def read_rate(uri: str, threads: int, at_most: int = 1 << 29) -> float:
    """Bytes per second at which `threads` readers bring the first `at_most` bytes into memory.

    As they are stored, piece by piece: a `.gz`, of which a split is the whole file, no less.
    """
    pieces = []
    for file in storage.list_files(uri):
        stop = min(storage.size(file), at_most)
        pieces += [
            (file, start, min(PIECE_BYTES, stop - start)) for start in range(0, stop, PIECE_BYTES)
        ]
        at_most -= stop
    began = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        read = sum(pool.map(lambda piece: _read(*piece), pieces))
    return read / max(time.monotonic() - began, 1e-9)


def _read(uri: str, start: int, count: int) -> int:
    with storage.open_input(uri) as file:
        file.seek(start)
        return len(file.read(count))


def copy_rate(threads: int, megabytes: int = 64) -> float:
    """Bytes per second of memory traffic (read + written) that `threads` copies reach together."""
    sources = [np.ones(megabytes << 17) for _ in range(threads)]
    targets = [np.empty_like(source) for source in sources]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(np.copyto, targets, sources))
        began = time.monotonic()
        list(pool.map(np.copyto, targets, sources))
        seconds = time.monotonic() - began
    return 2 * sum(source.nbytes for source in sources) / max(seconds, 1e-9)


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        # Looking must not lock the index: a run that is killed would leave it locked.
        ["git", "--no-optional-locks", "-C", str(folder), *arguments],
        capture_output=True,
        check=True,
        text=True,
        timeout=5,
    ).stdout.strip()


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
