"""Killed workers and interrupted runs: the same answer or a clear error, and nothing left."""

import signal
import time
from pathlib import Path

import psutil
import pytest
from studytest import leftovers
from studytest import running
from taxi import made_up

SLOW = ("--restarts", 1_000_000, "--no-check", "--oversubscribe")
"""Restarts that go on until the test ends them."""


@pytest.fixture(scope="module")
def trips(tmp_path_factory) -> Path:
    return made_up(tmp_path_factory.mktemp("trips") / "trips.csv", 3000)


def start_slow(engine: str, trips: Path, results: Path):
    process = running.start(
        f"taxi_clustering.run_{engine}", "--data", trips, "--workers", 2, "--results", results,
        *SLOW,
    )  # fmt: skip
    running.wait_for_line(process, "iterating")
    return process


def worker_processes(engine: str, pid: int) -> list[psutil.Process]:
    mark = {"ray": "ray::RayWorker", "torch": "taxi_clustering.run_torch"}[engine]
    return [p for p in running.descendants(pid) if mark in " ".join(p.cmdline())]


@pytest.mark.parametrize(
    ("engine", "number", "code"),
    [
        ("plain", signal.SIGINT, 130),
        ("plain", signal.SIGTERM, 143),
        ("ray", signal.SIGTERM, 143),
        ("torch", signal.SIGINT, 130),
    ],
)
def test_a_signal_leaves_nothing(trips, tmp_path, engine, number, code):
    with leftovers.nothing_left():
        process = start_slow(engine, trips, tmp_path)
        time.sleep(0.5)
        finished = running.interrupt(process, number)
    assert finished.code == code, finished.stderr
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.rglob("*")) == []


def test_a_killed_rank_ends_the_run_with_a_clear_error(trips, tmp_path):
    with leftovers.nothing_left():
        process = start_slow("torch", trips, tmp_path)
        worker_processes("torch", process.pid)[1].kill()
        finished = running.finish(process, 30)
    assert finished.code == 1
    assert "killed by signal 9" in finished.error
    assert len(list(tmp_path.rglob("*.json"))) == 1


def test_a_killed_actor_does_not_change_the_answer(trips, tmp_path):
    argv = ("--data", trips, "--workers", 2, "--oversubscribe", "--json", "--restarts", 60)
    calm = running.run("taxi_clustering.run_plain", *argv, "--results", tmp_path / "calm")
    with leftovers.nothing_left():
        process = running.start("taxi_clustering.run_ray", *argv, "--results", tmp_path / "killed")
        running.wait_for_line(process, "iterating")
        worker_processes("ray", process.pid)[0].kill()
        finished = running.finish(process)
    assert finished.code == 0, finished.stderr
    assert finished.record["quality"]["attempts"] == 2
    assert finished.record["quality"]["centres"] == calm.record["quality"]["centres"]
