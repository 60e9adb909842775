"""A run: what is booked where, what is chosen, what its errors leave in the record, its budget."""

import dataclasses
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from studykit import processes, records
from studykit.errors import (
    BusyError,
    DataError,
    ResourceError,
    StorageError,
    StudyError,
    TimeLimitError,
    UsageError,
)
from studykit.execution import execute
from studykit.options import Options, Study
from studykit.records import Check, DatasetInfo
from studykit.run import Outcome, Run
from studytest import running


@dataclasses.dataclass(frozen=True)
class Parameters:
    task: str = "count"


DATASET = DatasetInfo(name="numbers", uri="/numbers.csv", bytes=1)
STUDY = Study(
    name="a-study",
    package="a_study",
    engines=("plain", "ray"),
    dataset="numbers",
    parameters=Parameters,
    locate=lambda options, parameters: DATASET,
)


def run(engine: str = "ray", study: Study = STUDY, method: str = "exact") -> Run:
    return Run(study, engine, Options(method=method), Parameters(), DATASET, quiet=True)


def answer() -> Outcome:
    return Outcome(
        quality={},
        check=lambda: Check(passed=True, oracle="by hand"),
        write=lambda uri: {},
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, to be moved by hand."""
    now = [100.0]
    monkeypatch.setattr("studykit.phases.time.monotonic", lambda: now[0])
    return now


def test_of_iterations_the_slowest_workers_work_is_compute_and_the_rest_is_communicate(
    clock: list[float],
) -> None:
    some = run()
    with some.iterations("iterating") as computed:
        clock[0] += 6
        with some.phases("compute"):  # The driver's own work between two of them.
            clock[0] += 1
        clock[0] += 4
        computed([{"load": 9.0, "compute": 3.0}, {"compute": 2.0}])
    assert some.phases.seconds == {"compute": 4, "communicate": 7}


def test_iterations_of_one_plain_process_are_compute(clock: list[float]) -> None:
    alone = run("plain")
    with alone.iterations("iterating") as computed:
        clock[0] += 5
        computed([{"compute": 3.0}])
    assert alone.phases.seconds == {"compute": 5}


def test_iterations_that_fail_are_booked_too(clock: list[float]) -> None:
    some = run()
    with pytest.raises(KeyError), some.iterations("iterating"):
        clock[0] += 5
        raise KeyError
    assert some.phases.seconds == {"compute": 0, "communicate": 5}


def test_iterations_that_are_interrupted_before_they_begin(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(some: Run, text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "say", interrupted)
    some = run()
    some.quiet = False
    with pytest.raises(KeyboardInterrupt), some.iterations("iterating"):
        pass
    assert some.phases.seconds == {"compute": 0, "communicate": 0}


def test_the_function_is_that_of_the_method_and_of_the_task_where_there_are_several() -> None:
    assert run().chosen({"exact": len, "published": sum}) is len
    several = dataclasses.replace(STUDY, task="task")
    methods = {("count", "exact"): max, ("sort", "exact"): min}
    assert run(study=several).chosen(methods) is max
    with pytest.raises(UsageError, match="--method native: not on ray"):
        run(method="native").chosen({"exact": len})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ResourceError("77 GPUs asked for, none available"), "skipped"),
        (BusyError("Ray did not start"), "failed"),
        (TimeLimitError("not done"), "timeout"),
        (DataError("line 3"), "failed"),
        (ZeroDivisionError("in a kernel"), "failed"),
    ],
)
def test_only_what_cannot_change_is_skipped(tmp_path: Path, error: Exception, status: str) -> None:
    def fail(run: Run) -> Outcome:
        raise error

    options = Options(workers=1, results=str(tmp_path))
    with pytest.raises(type(error)):
        execute(STUDY, "plain", options, Parameters(), fail, quiet=True)
    (path,) = tmp_path.rglob("*-r0.json")
    record = records.read(str(path))
    assert (record.status, record.error) == (status, str(error))


def stuck(results: str, write_takes: float) -> None:
    """A run whose main thread waits for what does not come, until another one ends it."""

    def compute(run: Run) -> Outcome:
        write = run.write_failed

        def write_failed(error: Exception) -> None:
            time.sleep(write_takes)
            write(error)

        run.write_failed = write_failed
        error = BusyError("Ray has lost its raylet")
        threading.Thread(target=run.end_at_once, args=(error,)).start()
        time.sleep(600)
        return answer()

    options = Options(workers=1, results=results)
    execute(STUDY, "ray", options, Parameters(), compute, quiet=True)


@pytest.mark.parametrize("write_takes", [0, 600])
def test_a_run_whose_main_thread_is_stuck_ends_with_its_record_where_there_can_be_one(
    tmp_path: Path, write_takes: float
) -> None:
    program = f"import test_run; test_run.stuck({str(tmp_path)!r}, {write_takes})"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=running.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ended.returncode == 4
    assert "error: Ray has lost its raylet" in ended.stderr
    written = [records.read(str(path)) for path in tmp_path.rglob("*-r0.json")]
    assert [(record.status, record.error) for record in written] == (
        [] if write_takes else [("failed", "Ray has lost its raylet")]
    )


@pytest.mark.parametrize(
    "error",
    [
        DataError("not a number", uri="a.csv", line=3, column="x"),
        StorageError("gone", uri="s3://bucket/a.csv"),
        BusyError("later"),
    ],
)
def test_an_error_of_another_process_says_the_same(error: StudyError) -> None:
    came = pickle.loads(pickle.dumps(error))
    assert (type(came), str(came), vars(came)) == (type(error), str(error), vars(error))


def executed(tmp_path: Path, work: Callable[[], None], limit: int) -> records.Record:
    def compute(run: Run) -> Outcome:
        work()
        return answer()

    options = Options(workers=1, results=str(tmp_path))
    try:
        execute(STUDY, "plain", options, Parameters(), compute, memory_limit=limit, quiet=True)
    finally:
        (path,) = tmp_path.rglob("*-r0.json")
        found = records.read(str(path))
    return found


def fill_memory() -> None:
    kept = [np.ones(50_000_000) for _ in range(2)]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.05)
    del kept


def test_a_run_that_outgrows_its_memory_limit_is_ended(tmp_path: Path) -> None:
    with pytest.raises(BusyError, match=r"--memory-limit is 600,000,000 bytes, the run needed"):
        executed(tmp_path, fill_memory, 600_000_000)
    (path,) = tmp_path.rglob("*-r0.json")
    assert records.read(str(path)).status == "failed"


def test_a_run_within_its_memory_limit_goes_on(tmp_path: Path) -> None:
    record = executed(tmp_path, lambda: time.sleep(0.2), 20_000_000_000)
    assert (record.status, record.devices) == ("done", ["cpu"])


SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"


def test_what_a_block_has_started_ends_with_its_error() -> None:
    parent = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
    other = subprocess.Popen(SLEEP)
    with pytest.raises(StudyError), processes.ended_on_error():
        deaf = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE)
        assert deaf.stdout is not None
        deaf.stdout.readline()
        started = subprocess.Popen([sys.executable, "-c", parent, *SLEEP])
        while not (below := psutil.Process(started.pid).children()):
            time.sleep(0.01)
        raise StudyError
    assert deaf.wait(1) == -9
    assert started.wait(1) == -15
    assert not below[0].is_running() or below[0].status() == psutil.STATUS_ZOMBIE
    assert other.poll() is None
    other.kill()
    other.wait()


def test_what_a_block_has_started_goes_on_where_it_ends_well() -> None:
    with processes.ended_on_error():
        started = subprocess.Popen(SLEEP)
    assert started.poll() is None
    started.kill()
    started.wait()
