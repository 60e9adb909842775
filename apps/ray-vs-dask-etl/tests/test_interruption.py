"""Killed workers and interrupted runs: the same answer or a clear error, and nothing left."""

import signal
import time
from pathlib import Path

import psutil
import pytest
from study_data import stores
from study_data import uniform_rows
from studytest import leftovers
from studytest import running

FIT = ("--task", "logistic-regression", "--solver", "lbfgs", "--size", "100mb", "--workers", 2)
ENDLESS = ("--tolerance", "1e-300", "--max-iterations", 100_000, "--no-check")
"""Iterations that go on until the test ends them."""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    stores.locate(uniform_rows.DATASET, "100mb", str(folder))
    return folder


def start_fit(engine: str, store: Path, results: Path, *more: object):
    process = running.start(
        f"ray_vs_dask_etl.run_{engine}", *FIT, "--store", store, "--results", results,
        "--oversubscribe", "--split-size", "2mb", *more,
    )  # fmt: skip
    running.wait_for_line(process, "fitting")
    return process


def worker_processes(engine: str, pid: int) -> list[psutil.Process]:
    mark = {"ray": "ray::RayWorker", "dask": "spawn_main"}[engine]
    return [p for p in running.descendants(pid) if mark in " ".join(p.cmdline())]


@pytest.mark.parametrize(
    ("engine", "number", "code"),
    [
        ("plain", signal.SIGINT, 130),
        ("plain", signal.SIGTERM, 143),
        ("ray", signal.SIGTERM, 143),
        ("dask", signal.SIGINT, 130),
        ("dask", signal.SIGTERM, 143),
    ],
)
def test_a_signal_leaves_nothing(store, tmp_path, engine, number, code):
    with leftovers.nothing_left():
        process = start_fit(engine, store, tmp_path, *ENDLESS)
        time.sleep(0.5)
        finished = running.interrupt(process, number)
    assert finished.code == code, finished.stderr
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_a_killed_worker_does_not_change_the_answer(store, tmp_path, engine):
    calm = running.run(
        "ray_vs_dask_etl.run_plain", *FIT, "--store", store, "--results", tmp_path / "calm",
        "--json", "--oversubscribe", "--no-check",
    )  # fmt: skip
    with leftovers.nothing_left():
        process = start_fit(engine, store, tmp_path / "killed", "--json")
        workers = worker_processes(engine, process.pid)
        assert len(workers) == 2
        workers[0].kill()
        finished = running.finish(process)
    assert finished.code == 0, finished.stderr
    assert finished.record["check"]["passed"] is True
    found = finished.record["quality"]["coefficients"]
    for row, right in zip(found, calm.record["quality"]["coefficients"], strict=True):
        assert row == {
            name: value if isinstance(value, str) else pytest.approx(value, abs=1e-7)
            for name, value in right.items()
        }
