"""The same answer from every engine, with any number of workers and threads, over any splits."""

from pathlib import Path
from typing import Any

import pytest
from studykit import records
from studykit.records import PLAIN

from studytest import forms
from studytest.case import Argv
from studytest.columns import as_parquet
from studytest.contract.of_study import Joining, OfStudy


class PlainAnswer(OfStudy):
    @pytest.fixture(scope="class")
    def plain(self, data: Path, tmp_path_factory: pytest.TempPathFactory) -> records.Record:
        """One plain process with one thread over one split."""
        folder = tmp_path_factory.mktemp("plain")
        self.answer(PLAIN, data, folder, "--workers", 1, "--split-size", "1gb")
        return _record(folder)

    def answer(self, engine: str, data: Path, folder: Path, *argv: object) -> dict[str, Any]:
        """The `quality` of a run over this input, called in this process."""
        record = self.called(
            engine, "--data", data, "--results", folder, *self.case.answer_options, *argv
        )
        assert record["check"]["passed"] is True
        found: dict[str, Any] = record["quality"]
        return found


def _record(folder: Path) -> records.Record:
    (path,) = folder.rglob("*-r0.json")
    return records.read(str(path))


class Answers(PlainAnswer):
    @pytest.fixture(scope="class")
    def table(self, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """The same input as Parquet."""
        path = tmp_path_factory.mktemp("table") / "table.parquet"
        path.write_bytes(as_parquet(data.read_bytes()))
        return path

    @pytest.fixture(scope="class")
    def compressed(self, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """The same input in parts, half of it compressed."""
        return forms.in_parts(data.read_bytes(), tmp_path_factory.mktemp("compressed"))

    @pytest.mark.parametrize(
        ("workers", "more", "source"),
        [(1, (), "table"), (3, ("--threads", 2), "compressed")],
        ids=["one worker, Parquet", "three workers of two threads, compressed parts"],
    )
    def test_every_engine_gives_the_same_answer(
        self,
        engine: str,
        workers: int,
        more: tuple[object, ...],
        source: str,
        request: pytest.FixtureRequest,
        plain: records.Record,
        joining: Joining,
        tmp_path: Path,
    ) -> None:
        found = self.answer(
            engine, request.getfixturevalue(source), tmp_path, "--workers", workers, *more,
            "--split-size", self.case.split_size, *joining(engine, workers),
        )  # fmt: skip
        self.case.same(found, plain.quality)

    @pytest.mark.quick
    def test_no_convergence_is_exit_3_and_a_record_that_says_wrong(
        self, unconverged: Argv, data: Path, tmp_path: Path
    ) -> None:
        finished = self.call(
            PLAIN, "--data", data, "--workers", 1, "--results", tmp_path, "--json",
            *unconverged,
        )  # fmt: skip
        assert finished.code == 3, finished.stderr
        assert "not converged" in finished.error
        assert finished.record["status"] == "wrong"
