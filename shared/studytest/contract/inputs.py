"""Input that is read whatever its form, or refused in one line that names it; nothing is written
by halves."""

from collections.abc import Callable
from pathlib import Path

import pytest
from studykit import records
from studykit.records import PLAIN

from studytest.columns import as_parquet
from studytest.contract.answers import PlainAnswer
from studytest.contract.of_study import Joining
from studytest.forms import FOREIGN

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "CRLF": lambda content: content.replace(b"\n", b"\r\n"),
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "no newline at the end": lambda content: content.removesuffix(b"\n"),
    "Parquet": as_parquet,
}


class Inputs(PlainAnswer):
    @pytest.mark.quick
    @pytest.mark.parametrize("form", FORMS)
    def test_the_form_of_a_file_changes_nothing(
        self, form: str, data: Path, plain: records.Record, tmp_path: Path
    ) -> None:
        path = tmp_path / "data" / data.name
        path.parent.mkdir()
        path.write_bytes(FORMS[form](data.read_bytes()))
        self.case.same(self.answer(PLAIN, path, tmp_path, "--workers", 2), plain.quality)

    @pytest.mark.quick
    @pytest.mark.parametrize("form", FOREIGN)
    def test_what_is_no_text_is_refused_for_what_it_is(
        self, form: str, data: Path, tmp_path: Path
    ) -> None:
        made_of, said = FOREIGN[form]
        path = tmp_path / data.name
        path.write_bytes(made_of(data.read_bytes()))
        line = self.refused(
            PLAIN, 2, "--data", path, "--workers", 1, "--results", tmp_path / "results"
        )
        assert str(path) in line and said in line and line.isprintable()

    @pytest.mark.quick
    def test_damaged_input_is_exit_2_and_nothing_is_written(
        self, damage: str, data: Path, tmp_path: Path
    ) -> None:
        damaged = self.case.damages[damage]
        path = tmp_path / "data" / (damaged.file_name or data.name)
        path.parent.mkdir()
        path.write_bytes(damaged.content)
        out = tmp_path / "out" / (damaged.out or self.case.outs[0])
        out.parent.mkdir()
        line = self.refused(
            PLAIN, 2, "--data", path, "--workers", 1, "--results", tmp_path / "results",
            "--out", out, *damaged.argv,
        )  # fmt: skip
        for word in (str(path), *damaged.said):
            assert word in line
        assert list(out.parent.iterdir()) == []
        (record,) = (tmp_path / "results").rglob("*.*")
        assert records.read(str(record)).status == "failed"

    @pytest.mark.quick
    def test_a_missing_file_is_exit_5_with_its_uri(self, engine: str, tmp_path: Path) -> None:
        line = self.refused(
            engine, 5, "--data", tmp_path / "nowhere.csv", "--workers", 1, "--results", tmp_path
        )
        assert str(tmp_path / "nowhere.csv") in line

    @pytest.mark.quick
    def test_a_folder_without_data(self, engine: str, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        line = self.refused(engine, 2, "--data", tmp_path / "empty", "--workers", 1)
        assert str(tmp_path / "empty") in line and "no data" in line

    def test_damage_is_named_by_the_worker_that_finds_it(
        self, engine: str, joining: Joining, tmp_path: Path
    ) -> None:
        path, said = self.case.damaged(tmp_path)
        results = tmp_path / "results"
        line = self.refused(
            engine, 2, "--data", path, "--workers", 2, "--oversubscribe", "--results", results,
            "--split-size", self.case.damaged_split_size, *joining(engine),
        )  # fmt: skip
        assert str(path) in line and said in line and line.isprintable()
        assert [p.suffix for p in results.rglob("*") if p.is_file()] == [".json"]
