"""Records as a sweep leaves them, and figures of a paper; the engines' times are made up."""

import random
from typing import Any

from studykit.records import Check, DatasetInfo, Limit, Record, Status, config_hash

SPEED = {"plain": 1.0, "ray": 1.25, "torch": 1.1}
PAPER: list[dict[str, Any]] = [
    {
        "engine": engine,
        "dataset_or_task": "graph",
        "size_gb": size,
        "workers": workers,
        "worker_unit": unit,
        "metric": "wall_s",
        "measure": "wall time",
        "value": 1000.0 * size / workers,
    }
    for engine, unit, counts in (("torch", "processes", (4, 8)), ("ray", "nodes", (1, 2)))
    for size in (1.0, 2.5)
    for workers in counts
]
"""Figures of a paper, as `study_data.published` gives them: two engines, two units of workers."""


def record(
    engine: str = "plain",
    *,
    gigabytes: float = 1.0,
    workers: int = 1,
    round: int = 1,
    method: str = "exact",
    status: Status = "done",
    split_size: str | None = None,
    device: str = "cpu",
    phases: dict[str, float] | None = None,
    **fields: Any,
) -> Record:
    """One record; without `phases`, times that grow with the data and shrink with the workers."""
    noise = random.Random(f"{engine}{method}{gigabytes}{workers}{round}{split_size}").uniform(
        1, 1.2
    )
    slow = SPEED.get(engine, 0.3) * noise * (30 if method == "published" else 1)
    default = {
        "start": 0.4 if engine == "plain" else 2.5,
        "load": slow * 4 * gigabytes / workers,
        "compute": slow * 3 * gigabytes / workers,
        "communicate": 0.0 if engine == "plain" else 0.3 * gigabytes * (workers - 1) / workers,
    }
    if method == "peer":
        default = {"start": 0.2, "load": slow * 4 * gigabytes / workers}
    seconds = default if phases is None else phases
    asked = [engine, method, gigabytes, workers, split_size, device]
    came_to_an_answer = status in ("done", "unchecked", "wrong")
    passed = None if method == "published" else status == "done"
    detail = {"top_10_overlap": 0.3, "top_100_overlap": 0.42} if method == "published" else {}
    values: dict[str, Any] = {
        "study": "sample",
        "engine": engine,
        "method": method,
        "parameters": {"split_size": split_size, "device": device},
        "dataset": DatasetInfo(
            name="numbers", uri=f"/data/numbers-{gigabytes}gb.csv", bytes=int(gigabytes * 1e9)
        ),
        "workers": workers,
        "threads": 1,
        "devices": [device if device == "cpu" else f"{device} NVIDIA H100"] * workers
        if came_to_an_answer
        else [],
        "repeat": round,
        "round": round,
        "status": status,
        "error": None if status in ("done", "unchecked") else f"{status} on purpose",
        "phases": seconds if came_to_an_answer else {},
        "wall_seconds": sum(seconds.values()),
        "peak_memory_bytes": int(gigabytes * 1.4e9 + workers * 2e8),
        "driver_rss_delta_bytes": int(gigabytes * (1e9 if engine == "plain" else 5e7)),
        "quality": {"iterations": 20, "vertices": 1000},
        "check": Check(passed=passed, oracle="made up", detail=detail),
        "limit": Limit(kind="read", seconds=0.8 * gigabytes / workers),
        "config_hash": config_hash({"asked": asked}),
    }
    return Record(**{**values, **fields})


def sweep(
    *,
    sizes: tuple[float, ...] = (0.1, 1.0),
    workers: tuple[int, ...] = (1, 2),
    rounds: int = 3,
    engines: tuple[str, ...] = ("plain", "ray", "torch"),
) -> list[Record]:
    """The records of a whole comparison, in the order in which a sweep runs its cells."""
    return [
        record(engine, gigabytes=size, workers=count, round=number)
        for number in range(1, rounds + 1)
        for size in sizes
        for count in workers
        for engine in engines
    ]
