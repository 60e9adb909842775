"""What every study keeps: signals, limits, killed workers, launch scripts; nothing is left."""

from case import CASE
from studytest import leftovers, running
from studytest.contract import Processes


class TestProcesses(Processes):
    case = CASE

    def test_boosting_begins_again_whatever_becomes_of_a_lost_workers_peers(
        self, ray, start, data, tmp_path
    ):
        # They see it, or wait for it in the library for ever.
        argv = ("--data", data, "--workers", 2, "--algorithm", "xgboost", "--rounds", 20)
        calm = self.called("plain", *argv, "--results", tmp_path / "calm")
        with leftovers.nothing_left():
            process = start(
                ray, *argv, "--oversubscribe", "--json", "--results", tmp_path / "killed"
            )
            running.wait_for_line(process, self.case.working)
            self.workers_of(ray, process.pid)[1].kill()
            finished = running.finish(process)
        assert finished.code == 0, finished.stderr
        assert finished.record["check"]["passed"]
        assert finished.record["quality"]["attempts"] == 2
        assert finished.record["quality"]["rows"] == calm["quality"]["rows"]
