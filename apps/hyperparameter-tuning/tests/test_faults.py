"""A search that was killed goes on as if it had not been, and takes nothing that is not its own."""

import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from case import CASE
from small_searches import JOBS, SEARCH, found, made, reports, wait_for_reports
from studykit import records
from studytest import joined_ray, leftovers, running
from studytest.contract.of_study import OfStudy
from studytest.forking import Forks

LONGER = (*SEARCH, "--epochs", 40, "--patience", 40)
HEAD = ("gcs_server", "raylet")
"""Ray's own processes, without which it cannot go on."""
WORKERS = ("--workers", 2, "--oversubscribe")


class TestFaults(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def start(self):
        with Forks() as forks:
            yield lambda engine, *argv, **variables: forks.start(
                CASE.module(engine), *argv, **variables
            )

    @pytest.fixture(scope="class")
    def pictures(self, tmp_path_factory):
        return made(tmp_path_factory.mktemp("pictures"))

    @pytest.fixture(scope="class")
    def undisturbed(self, pictures, tmp_path_factory):
        """The record of a search that nobody disturbed, and the folder that has it."""
        folder = tmp_path_factory.mktemp("undisturbed")
        checkpoint = folder / "search"
        record = self.called(
            "plain", *SEARCH, "--data", pictures, "--workers", 1, "--checkpoint", checkpoint,
            "--results", folder,
        )  # fmt: skip
        return record, checkpoint

    def kill(self, process) -> None:
        """The driver, by the signal that leaves it no time."""
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    def resumed(self, engine, pictures, checkpoint, tmp_path, *more, search=SEARCH):
        """The record of the search that goes on, and the jobs that it did not compute again."""
        record = self.called(
            engine, *search, "--data", pictures, *WORKERS, "--checkpoint", checkpoint, "--resume",
            "--results", tmp_path / "results", *more,
        )  # fmt: skip
        return record, record["quality"]["searches"]["pbt"]["replayed_jobs"]

    def test_on_plain_a_killed_search_goes_on_to_the_same_end(
        self, pictures, undisturbed, start, tmp_path
    ):
        checkpoint = tmp_path / "search"
        with leftovers.nothing_left():
            process = start(
                "plain", *SEARCH, "--data", pictures, *WORKERS, "--checkpoint", checkpoint,
                "--results", tmp_path / "results",
            )  # fmt: skip
            wait_for_reports(checkpoint, 7, process)
            self.kill(process)
        kept = reports(checkpoint)
        assert 7 <= len(kept) < JOBS and not (tmp_path / "results").exists()
        record, replayed = self.resumed("plain", pictures, checkpoint, tmp_path)
        assert replayed == len(kept)
        assert found(record) == found(undisturbed[0])

    def test_on_plain_an_interrupt_ends_networks_in_the_middle_of_an_epoch(
        self, pictures, start, tmp_path
    ):
        with leftovers.nothing_left():
            # An epoch takes a core a minute.
            process = start(
                "plain", "--study", "cifar10", "--data", pictures, "--network", "paper", *WORKERS,
                "--results", tmp_path / "results",
            )  # fmt: skip
            running.wait_for_line(process, "searching by pbt")
            time.sleep(1)  # Until both train.
            finished = running.interrupt(process, signal.SIGINT)
        assert finished.code == 130 and "Traceback" not in finished.stderr, finished.stderr
        assert not (tmp_path / "results").exists()

    @pytest.fixture
    def temporary(self):
        """For Ray's own files: a short path, because its sockets lie below it."""
        with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
            yield folder

    def test_on_ray_a_killed_actor_and_a_killed_driver_cost_no_trial(
        self, pictures, undisturbed, start, joining, temporary, tmp_path
    ):
        checkpoint = tmp_path / "search"
        with leftovers.nothing_left():
            process = start(
                "ray", *SEARCH, "--data", pictures, *WORKERS, "--checkpoint", checkpoint,
                "--results", tmp_path / "results", TMPDIR=temporary,
            )  # fmt: skip
            wait_for_reports(checkpoint, 2, process)
            actors = self.actors(process)
            assert len(actors) == 2
            actors[0].kill()
            # A generation has four jobs, of which either actor has two: both work again.
            wait_for_reports(checkpoint, 10, process)
            assert len(self.actors(process)) == 2
            self.kill(process)
        assert os.listdir(temporary) == []
        kept = reports(checkpoint)
        assert len(kept) < JOBS
        record, replayed = self.resumed("ray", pictures, checkpoint, tmp_path, *joining("ray"))
        assert replayed == len(kept)
        assert found(record) == found(undisturbed[0])

    @pytest.fixture(scope="class")
    def longer(self, pictures, tmp_path_factory):
        """The record of a search that takes longer than it is noticed that Ray's head is gone."""
        folder = tmp_path_factory.mktemp("longer")
        return self.called("plain", *LONGER, "--data", pictures, *WORKERS, "--results", folder)

    def test_on_ray_a_killed_head_ends_the_search_with_an_error_and_costs_no_trial(
        self, pictures, longer, start, held_ray, temporary, tmp_path
    ):
        checkpoints = {killed: tmp_path / killed / "search" for killed in HEAD}
        with leftovers.nothing_left():
            # Side by side: much of their time they wait.
            started = {}
            for killed, checkpoint in checkpoints.items():
                os.mkdir(f"{temporary}/{killed}")
                started[killed] = start(
                    "ray", *LONGER, "--data", pictures, *WORKERS, "--checkpoint", checkpoint,
                    "--results", tmp_path / killed / "results", TMPDIR=f"{temporary}/{killed}",
                )  # fmt: skip
            for killed, process in started.items():
                wait_for_reports(checkpoints[killed], 2, process)
                named = [
                    one for one, words in running.command_lines(process.pid).items()
                    if words and Path(words[0]).name == killed
                ]  # fmt: skip
                # What it forks has its name for a moment, too.
                min(named, key=psutil.Process.create_time).kill()
            finished = {killed: running.finish(process, 60) for killed, process in started.items()}
        for killed, end in finished.items():
            assert (end.code, end.error) == (4, f"error: Ray has lost its {killed}")
            assert "Traceback" not in end.stderr
            assert os.listdir(f"{temporary}/{killed}") == []
            (path,) = (tmp_path / killed / "results").rglob("*.json")
            assert records.read(str(path)).status == "failed"
        with joined_ray.joined(held_ray[0]):
            for killed, checkpoint in checkpoints.items():
                kept = reports(checkpoint)
                record, replayed = self.resumed(
                    "ray", pictures, checkpoint, tmp_path / killed, search=LONGER
                )
                assert 2 <= replayed == len(kept)
                assert found(record) == found(longer)

    def actors(self, process) -> list[psutil.Process]:
        mark, lines = CASE.mark_of_workers("ray"), running.command_lines(process.pid)
        return [one for one, words in lines.items() if mark in " ".join(words)]

    @pytest.fixture
    def checkpoint(self, undisturbed, tmp_path) -> Path:
        """A copy of a search's folder, to be damaged."""
        return Path(shutil.copytree(undisturbed[1], tmp_path / "search"))

    def refusal(self, pictures, checkpoint, tmp_path, *more) -> str:
        before = {path: path.read_bytes() for path in checkpoint.rglob("*.*")}
        line = self.refused(
            "plain", 2, *SEARCH, "--data", pictures, *WORKERS, "--checkpoint", checkpoint,
            "--results", tmp_path / "results", *(more or ("--resume",)),
        )  # fmt: skip
        assert {path: path.read_bytes() for path in checkpoint.rglob("*.*")} == before
        return line

    def test_a_state_that_is_damaged_is_named(self, pictures, checkpoint, tmp_path):
        state = max((checkpoint / "pbt").glob("*.state"), key=lambda path: int(path.stem))
        content = bytearray(state.read_bytes())
        content[len(content) // 2] ^= 1
        state.write_bytes(content)
        assert f"pbt/{state.name}: damaged" in self.refusal(pictures, checkpoint, tmp_path)

    def test_a_report_that_was_changed_by_hand_is_named(self, pictures, checkpoint, tmp_path):
        report = checkpoint / "pbt" / "5.json"
        whole = json.loads(report.read_text())
        whole["content"]["report"]["scores"] = [1.0]
        report.write_text(json.dumps(whole))
        assert "pbt/5.json: damaged" in self.refusal(pictures, checkpoint, tmp_path)

    def test_a_folder_that_is_no_search_is_named(self, pictures, tmp_path):
        foreign = tmp_path / "foreign"
        foreign.mkdir()
        (foreign / "search.json").write_text('{"epochs": 3}')
        line = self.refusal(pictures, foreign, tmp_path)
        assert "foreign/search.json: no file of a search" in line

    def test_the_search_of_another_study_is_named(self, data, pictures, tmp_path):
        trees = tmp_path / "trees"
        self.called(
            "plain", "--data", data, "--max-depth", "1,2", "--epochs", 2, "--workers", 1,
            "--checkpoint", trees, "--results", tmp_path / "results",
        )  # fmt: skip
        line = self.refusal(pictures, trees, tmp_path)
        assert "trees/search.json: a search of" in line

    @pytest.mark.parametrize(
        ("more", "named"),
        [(("--epochs", 7), "epochs"), (("--seed", 43), "seed"), (("--dropout", "0.3,0.4"), "drop")],
    )
    def test_a_search_that_asked_for_something_else_is_named(
        self, pictures, checkpoint, tmp_path, more, named
    ):
        line = self.refusal(pictures, checkpoint, tmp_path, "--resume", *more)
        assert f"search.json: a search of {named}" in line

    def test_a_search_is_not_begun_over_one_that_is_kept(self, pictures, checkpoint, tmp_path):
        line = self.refusal(pictures, checkpoint, tmp_path, "--no-check")
        assert "search.json: a search is kept there; --resume" in line
