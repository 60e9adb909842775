"""Interrupted runs and killed workers: the same answer or a clear error, and nothing left."""

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import psutil
import pytest
from studykit import records
from studykit.records import PLAIN

from studytest import leftovers, running
from studytest.contract.of_study import OfStudy
from studytest.forking import Forked, Forks

Start = Callable[..., Forked]
Temporary = Callable[[signal.Signals], Path]

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""Signals and the exit codes that say them."""
ENDS = SIGNALS | {signal.SIGKILL: -signal.SIGKILL}
"""Those, and the one of which a process hears nothing."""
KEPT_BY_LIBRARIES = "torchinductor_*"
"""In TMPDIR: the cache of torch's compiler, one for all processes of a user. torch makes the folder
when a library like torchvision is imported, and means to find it again."""


class Interruption(OfStudy):
    @pytest.fixture(scope="class")
    def start(self) -> Iterator[Start]:
        """(engine, options, **variables) → a run of it; all are imported once."""
        with Forks(self.case.imports) as forks:
            yield lambda engine, *argv, **variables: forks.start(
                self.case.module(engine), *argv, **variables
            )

    @pytest.fixture(scope="class")
    def start_endless(self, start: Start, data: Path) -> Start:
        """(engine, folder of results, options, **variables) → a run that a test has to end."""
        return lambda engine, results, *argv, **variables: start(
            engine, "--data", data, "--workers", 2, "--oversubscribe", "--no-check",
            "--results", results, *self.case.endless, *argv, **variables,
        )  # fmt: skip

    @pytest.fixture
    def temporary(self) -> Iterator[Temporary]:
        """For the TMPDIR of a run that a signal ends: a short path, because Ray's sockets lie
        below it."""
        with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:

            def below(number: signal.Signals) -> Path:
                path = Path(folder) / number.name
                path.mkdir(exist_ok=True)
                return path

            yield below

    def test_a_signal_leaves_nothing(
        self, engine: str, start_endless: Start, tmp_path: Path, temporary: Temporary
    ) -> None:
        with leftovers.nothing_left():
            # Side by side: most of their time they wait for what they have started.
            started = {n: start_endless(engine, tmp_path, TMPDIR=str(temporary(n))) for n in ENDS}
            for process in started.values():
                running.wait_for_line(process, self.case.working)
            time.sleep(0.5)
            ended = {n: running.interrupt(process, n) for n, process in started.items()}
        for number, code in ENDS.items():
            assert ended[number].code == code, ended[number].stderr
            assert "Traceback" not in ended[number].stderr
            left = [path.name for path in temporary(number).iterdir()]
            assert [name for name in left if not fnmatch(name, KEPT_BY_LIBRARIES)] == []
        assert list(tmp_path.rglob("*")) == []

    def test_past_the_time_limit_is_exit_124(self, start_endless: Start, tmp_path: Path) -> None:
        # A busy machine may need longer to begin its work: then the limit is a longer one.
        for limit in (3, 10, 30):
            results = tmp_path / f"{limit}"
            finished = running.finish(start_endless(PLAIN, results, "--timeout", limit))
            assert finished.code == 124, finished.stderr
            assert f"--timeout {limit} s" in finished.error
            (path,) = results.rglob("*.json")
            assert records.read(str(path)).status == "timeout"
            if self.case.working in finished.stderr:
                return
        pytest.fail(f"no work begun within {limit} s: {finished.stderr}")

    def workers_of(self, engine: str, pid: int) -> list[psutil.Process]:
        mark, lines = self.case.mark_of_workers(engine), running.command_lines(pid)
        return [process for process, words in lines.items() if mark in " ".join(words)]

    def test_a_killed_rank_ends_the_run_with_a_clear_error(
        self, torch: str, start_endless: Start, tmp_path: Path
    ) -> None:
        with leftovers.nothing_left():
            process = start_endless(torch, tmp_path)
            running.wait_for_line(process, self.case.working)
            self.workers_of(torch, process.pid)[1].kill()
            finished = running.finish(process, 30)
        assert finished.code == 1
        assert "killed by signal 9" in finished.error
        assert len(list(tmp_path.rglob("*.json"))) == 1

    def test_a_killed_worker_does_not_change_the_answer(
        self, surviving: str, start: Start, data: Path, tmp_path: Path
    ) -> None:
        argv = ("--data", data, "--workers", 2, *self.case.long)
        calm = self.called(PLAIN, *argv, "--results", tmp_path / "calm")
        with leftovers.nothing_left():
            process = start(
                surviving, *argv, "--oversubscribe", "--json", "--results", tmp_path / "killed"
            )
            running.wait_for_line(process, self.case.working)
            workers = self.workers_of(surviving, process.pid)
            assert len(workers) == 2
            workers[0].kill()
            finished = running.finish(process)
        assert finished.code == 0, finished.stderr
        quality = finished.record["quality"]
        assert finished.record["check"]["passed"] is True
        self.case.same(quality, calm["quality"])
        if surviving == "ray" and self.case.again_from_the_input:
            assert quality["attempts"] == 2
