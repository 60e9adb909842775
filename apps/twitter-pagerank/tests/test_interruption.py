"""Killed workers and interrupted runs: the same answer or a clear error, and nothing left."""

import signal
import time
from pathlib import Path

import psutil
import pytest
from study_data import follower_graph
from study_data import stores
from studytest import leftovers
from studytest import running

SLOW = ("--tolerance", "1e-300", "--max-iterations", 100_000, "--no-check", "--oversubscribe")
"""Iterations that go on until the test ends them."""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    stores.locate(follower_graph.DATASET, "tiny", str(folder))
    return folder


def start_slow(engine: str, store: Path, results: Path, *more: object):
    process = running.start(
        f"twitter_pagerank.run_{engine}", "--size", "tiny", "--store", store, "--workers", 2,
        "--results", results, *SLOW, *more,
    )  # fmt: skip
    running.wait_for_line(process, "iterating")
    return process


def worker_processes(engine: str, pid: int) -> list[psutil.Process]:
    mark = {"ray": "ray::RayWorker", "torch": "twitter_pagerank.run_torch"}[engine]
    return [p for p in running.descendants(pid) if mark in " ".join(p.cmdline())]


@pytest.mark.parametrize("engine", ["plain", "ray", "torch"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(store, tmp_path, engine, number, code):
    with leftovers.nothing_left():
        process = start_slow(engine, store, tmp_path)
        time.sleep(0.5)
        finished = running.interrupt(process, number)
    assert finished.code == code, finished.stderr
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.rglob("*")) == []


def test_a_killed_rank_ends_the_run_with_a_clear_error(store, tmp_path):
    with leftovers.nothing_left():
        process = start_slow("torch", store, tmp_path)
        worker_processes("torch", process.pid)[1].kill()
        finished = running.finish(process, 30)
    assert finished.code == 1
    assert "killed by signal 9" in finished.error
    assert len(list(tmp_path.rglob("*.json"))) == 1


def test_a_killed_actor_does_not_change_the_answer(store, tmp_path):
    argv = ("--size", "tiny", "--store", store, "--workers", 2, "--oversubscribe", "--json")
    module = "twitter_pagerank.run_ray"
    calm = running.run(module, *argv, "--tolerance", "1e-14", "--results", tmp_path / "calm")
    with leftovers.nothing_left():
        # Long enough to be hit: so many iterations that their end is the same answer.
        process = running.start(
            module, *argv, "--tolerance", "1e-300", "--max-iterations", 600,
            "--results", tmp_path / "killed",
        )  # fmt: skip
        running.wait_for_line(process, "iterating")
        worker_processes("ray", process.pid)[0].kill()
        finished = running.finish(process)
    assert finished.code == 3, finished.stderr  # 600 iterations do not reach 1e-300
    quality = finished.record["quality"]
    assert quality["attempts"] == 2
    places = [entry["vertex"] for entry in quality["top"]]
    assert places == [entry["vertex"] for entry in calm.record["quality"]["top"]]
    for found, right in zip(quality["top"], calm.record["quality"]["top"], strict=True):
        assert found["rank"] == pytest.approx(right["rank"], rel=1e-12)
