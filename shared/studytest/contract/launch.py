"""The launch scripts: this machine, the hosts of a file, and what is left when something fails."""

import os
import signal
from pathlib import Path

import pytest
from studykit import records
from studykit.records import Record

from studytest import launching, leftovers, running
from studytest.contract.answers import PlainAnswer
from studytest.running import Finished

EVEN = "localhost\nlocalhost:1\n"
ONE = "localhost\n"
UNEVEN = "# this machine, thrice\nlocalhost:2\n\nlocalhost  # again\nlocalhost\n"
"""Four workers on three hosts, two of which start at a time."""
HOSTS_OF_THEM = {"ray": 3, "torch": 3, "dask": 1}
"""Dask's workers know their machine's address; Ray and torch start one of theirs for each entry."""
WRONG_HOSTS = {
    "no hosts": ("", 2, "no hosts"),
    "two words": ("one two:3\n", 2, "line 1"),
    "no slots": ("a:0\n", 2, "line 1"),
    "no file": (None, 5, "read"),
}


class Launch(PlainAnswer):
    def launched(self, engine: str, *argv: object) -> Finished:
        return running.finish(launching.launch(self.case.launch / f"{engine}.sh", *argv))

    def test_hosts_give_the_answer_of_one_process(
        self, scripted: str, data: Path, plain: Record, tmp_path: Path
    ) -> None:
        hosts = launching.hosts_file(tmp_path, UNEVEN)
        with leftovers.nothing_left():
            finished = self.launched(
                scripted, "--hosts", hosts, "--data", data, "--json",
                "--results", tmp_path / "results", *self.case.answer_options,
            )  # fmt: skip
        assert finished.code == 0, finished.stderr
        record = finished.record
        self.case.same(record["quality"], plain.quality)
        assert (record["workers"], record["hosts"]) == (4, HOSTS_OF_THEM[scripted])
        assert record["check"]["passed"] is True

    def test_this_machine_needs_no_hosts(self, data: Path, tmp_path: Path) -> None:
        """By one of the scripts: what they share finds it out."""
        (engine,) = self.case.scripted[-1:]
        with leftovers.nothing_left():
            finished = self.launched(
                engine, "--data", data, "--json", "--results", tmp_path, *self.case.answer_options
            )
        assert finished.code == 0, finished.stderr
        assert finished.record["workers"] == len(os.sched_getaffinity(0))
        (path,) = tmp_path.rglob("*.json")
        assert records.read(str(path)).status == "done"

    def test_the_exit_code_is_that_of_the_study(self, scripted: str, tmp_path: Path) -> None:
        hosts = launching.hosts_file(tmp_path, ONE)
        path, said = self.case.damaged(tmp_path)
        with leftovers.nothing_left():
            finished = self.launched(
                scripted, "--hosts", hosts, "--data", path, "--results", tmp_path / "results"
            )
        assert finished.code == 2, finished.stderr
        assert str(path) in finished.stderr and said in finished.stderr

    @pytest.mark.parametrize("wrong", WRONG_HOSTS)
    def test_a_wrong_file_of_hosts_is_refused(self, wrong: str, tmp_path: Path) -> None:
        content, code, word = WRONG_HOSTS[wrong]
        hosts = tmp_path / "hosts.txt"
        if content is not None:
            hosts.write_text(content)
        for engine in self.case.scripted:
            finished = self.launched(engine, "--hosts", hosts)
            assert finished.code == code
            assert word in finished.error

    def test_ctrl_c_leaves_nothing(self, scripted: str, data: Path, tmp_path: Path) -> None:
        hosts = launching.hosts_file(tmp_path, EVEN)
        with leftovers.nothing_left(30):
            process = launching.launch(
                self.case.launch / f"{scripted}.sh", "--hosts", hosts, "--data", data,
                "--results", tmp_path / "results", "--no-check", *self.case.endless,
            )  # fmt: skip
            running.wait_for_line(process, self.case.working)
            os.killpg(process.pid, signal.SIGINT)
            finished = running.finish(process, 60)
        assert finished.code == 130, finished.stderr
        assert not (tmp_path / "results").exists()
