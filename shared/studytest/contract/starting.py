"""A signal or the time limit while Ray, Dask or the ranks are still starting leaves nothing."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from studykit import records

from studytest import leftovers, running
from studytest.contract.interruption import SIGNALS, Interruption, Start, Temporary
from studytest.running import Finished

BEGUN = {"ray": "starting Ray", "dask": "starting Dask"}
"""What is said when that phase begins; the launcher of ranks says nothing."""
LATER_SECONDS = {"ray": 0.8, "dask": 0.8, "torch": 0.2}
"""From then: well within the phase, which is short where ranks are forked. On a machine that has
started the engine by then it is less."""
LIMIT_SECONDS = {"ray": 1.5, "dask": 0.8, "torch": 0.1}
"""From when the command line has been read. A machine that is busy one moment and not the next may
have begun no run by then, or have started the engine: then another one is tried."""
TRIES = 6


class Starting(Interruption):
    def test_a_signal_while_the_engine_starts_leaves_nothing(
        self, framework: str, start_endless: Start, tmp_path: Path, temporary: Temporary
    ) -> None:
        later = LATER_SECONDS[framework]

        def interrupted(number: signal.Signals) -> Finished:
            process = start_endless(framework, tmp_path, TMPDIR=str(temporary(number)))
            if framework in BEGUN:
                running.wait_for_line(process, BEGUN[framework])
            else:
                self.wait_for_ranks(process.pid)
            if number == signal.SIGTERM:
                time.sleep(later)
            return running.interrupt(process, number)

        for _ in range(TRIES):
            with leftovers.nothing_left(), ThreadPoolExecutor() as side_by_side:
                ended = dict(zip(SIGNALS, side_by_side.map(interrupted, SIGNALS), strict=True))
            if self.case.working not in ended[signal.SIGTERM].stderr:
                break
            later /= 2
        for number, code in SIGNALS.items():
            assert ended[number].code == code, ended[number].stderr
            assert "Traceback" not in ended[number].stderr
            assert self.case.working not in ended[number].stderr, "it had started"
            assert list(temporary(number).iterdir()) == []
        assert list(tmp_path.iterdir()) == []

    def wait_for_ranks(self, pid: int) -> None:
        """Until the launcher has forked the first."""
        while not self.workers_of("torch", pid):
            time.sleep(0.02)

    def test_past_the_time_limit_while_the_engine_starts(
        self, framework: str, start_endless: Start, tmp_path: Path, temporary: Temporary
    ) -> None:
        limit, folder = LIMIT_SECONDS[framework], temporary(signal.SIGALRM)
        for number in range(TRIES):
            results = tmp_path / f"{number}"
            with leftovers.nothing_left():
                process = start_endless(framework, results, "--timeout", limit, TMPDIR=str(folder))
                finished = running.finish(process, 60)
            assert finished.code == 124, finished.stderr
            assert f"--timeout {limit:g} s" in finished.error
            assert list(folder.iterdir()) == []
            if self.case.working in finished.stderr:
                limit *= 0.7
            elif not results.exists():  # Nor had the run begun.
                limit *= 1.5
            else:
                (path,) = results.rglob("*.*")
                assert records.read(str(path)).status == "timeout"
                return
        pytest.fail(f"in no phase of starting: {finished.stderr}")
