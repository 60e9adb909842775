"""Whole runs: what is kept of a killed one, broken images, the engines' own ways."""

import time
from pathlib import Path

import pytest
from case import CASE, SMALL, RanksApart
from studytest import leftovers, running
from studytest.contract.of_study import OfStudy
from tables import write_made

PICTURES = 160
SLOW = ("--weights", "random", "--side", 160, "--fold-count", 4, "--epochs", 1)
"""Images that take some hundredths of a second each, so that a run can be met half way."""


class TestRuns(RanksApart, OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def many(self, tmp_path_factory):
        return write_made(tmp_path_factory.mktemp("many") / "lesions", PICTURES, seed=3)

    @pytest.fixture(scope="class")
    def undisturbed(self, many, tmp_path_factory):
        """The record of a run that nobody disturbed, and the bytes of its features."""
        folder = tmp_path_factory.mktemp("undisturbed")
        file = folder / "features.parquet"
        record = self.called(
            "plain", "--data", many, *SLOW, "--workers", 1, "--features", file,
            "--results", folder,
        )  # fmt: skip
        return record, file.read_bytes()

    def test_a_killed_run_goes_on_where_it_was(self, engine, many, undisturbed, tmp_path):
        file = tmp_path / "features.parquet"
        argv = ("--data", many, *SLOW, "--workers", 2, "--oversubscribe", "--features", file)
        killed = running.start(
            CASE.module(engine), *argv, "--no-check", "--results", tmp_path / "killed"
        )
        kept = _wait_for_parts(file, killed)
        running.kill_tree(killed.pid)
        killed.communicate()
        assert not file.exists() and kept
        record = self.called(engine, *argv, "--results", tmp_path / "again")
        right, content = undisturbed
        assert 0 < record["quality"]["images_read"] < PICTURES
        CASE.same(record["quality"], right["quality"])
        assert file.read_bytes() == content

    def test_a_killed_worker_costs_what_it_had_not_handed_over(
        self, ray, many, undisturbed, tmp_path
    ):
        file = tmp_path / "features.parquet"
        with leftovers.nothing_left():
            process = running.start(
                CASE.module(ray), "--data", many, *SLOW, "--workers", 2, "--oversubscribe",
                "--features", file, "--json", "--results", tmp_path / "results",
            )  # fmt: skip
            _wait_for_parts(file, process)
            below = running.command_lines(process.pid)
            victim = next(one for one, words in below.items() if "ray::RayWorker" in str(words))
            victim.kill()
            finished = running.finish(process)
        assert finished.code == 0, finished.stderr
        record, (right, content) = finished.record, undisturbed
        assert record["quality"]["attempts"] == 2
        assert record["quality"]["images_read"] < PICTURES
        CASE.same(record["quality"], right["quality"])
        assert file.read_bytes() == content

    def test_features_of_other_weights_are_refused(self, many, undisturbed, tmp_path):
        _, content = undisturbed
        file = tmp_path / "features.parquet"
        file.write_bytes(content)
        line = self.refused(
            "plain", 2, "--data", many, *SLOW, "--seed", 43, "--workers", 1,
            "--features", file, "--results", tmp_path / "results",
        )  # fmt: skip
        assert str(file) in line and "weights" in line
        assert file.read_bytes() == content

    @pytest.fixture
    def damaged(self, tmp_path):
        """Valid input, but for a picture that is cut short and one that is a web page."""
        table = write_made(tmp_path / "lesions", 60)
        images = table.parent / "images"
        (images / "000010.jpg").write_bytes((images / "000010.jpg").read_bytes()[:400])
        (images / "000020.jpg").write_text("<html>please log in</html>")
        return table

    def test_a_broken_picture_is_named(self, engine, damaged, joining, tmp_path):
        line = self.refused(
            engine, 2, "--data", damaged, *SMALL, "--workers", 2, "--oversubscribe",
            "--results", tmp_path / "results", *joining(engine),
        )  # fmt: skip
        assert "000010.jpg: this picture" in line or "000020.jpg: this is no picture" in line

    def test_a_missing_picture_is_named(self, damaged, tmp_path):
        (damaged.parent / "images" / "000003.jpg").unlink()
        line = self.refused("plain", 2, "--data", damaged, *SMALL, "--workers", 1,
                            "--results", tmp_path / "results")  # fmt: skip
        assert "000003.jpg: this image is missing" in line

    def test_broken_pictures_can_be_left_out(self, damaged, tmp_path):
        record = self.called(
            "plain", "--data", damaged, *SMALL, "--workers", 1, "--skip-broken",
            "--results", tmp_path / "results",
        )  # fmt: skip
        quality = record["quality"]
        assert (quality["broken"], quality["images"], quality["rows"]) == (2, 58, 60)
        assert record["check"]["passed"]

    def test_the_engines_own_way_gives_the_same_answer(
        self, framework, many, undisturbed, tmp_path
    ):
        record = running.run(
            CASE.module(framework), "--data", many, *SLOW, "--workers", 2, "--oversubscribe",
            "--method", "native", "--json", "--results", tmp_path,
        ).record  # fmt: skip
        assert record["check"]["passed"]
        CASE.same(record["quality"], undisturbed[0]["quality"])

    def test_folds_by_picture_say_that_they_leak(self, many, tmp_path):
        record = self.called(
            "plain", "--data", many, *SLOW, "--workers", 1, "--folds", "published",
            "--results", tmp_path,
        )  # fmt: skip
        assert record["quality"]["groups_shared_by_folds"] > 0
        assert record["check"]["passed"]


def _wait_for_parts(file: Path, process) -> list[Path]:
    """Until a first part of the features is kept."""
    folder, until = file.with_name(file.name + ".parts"), time.monotonic() + 120
    while time.monotonic() < until:
        if found := list(folder.glob("*.arrow")):
            return found
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    raise AssertionError("no part was kept")
