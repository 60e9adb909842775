"""Records: where they are, that they come back whole, and what makes two runs the same run."""

import dataclasses
import json
from typing import Any

import pytest
from studykit import records
from studykit.errors import DataError, UsageError
from studykit.options import Options, Study, configuration, parse_size, validate
from studykit.records import Check, DatasetInfo, Record
from studysweep.cells import to_argv


@dataclasses.dataclass(frozen=True)
class Parameters:
    k: int = 3
    fast: bool = False
    name: str | None = None


STUDY = Study(
    name="a-study",
    package="a_study",
    engines=("plain",),
    dataset="numbers",
    parameters=Parameters,
    locate=lambda options, parameters: DatasetInfo(name="numbers", uri="x", bytes=1),
)


def record(**changes: object) -> Record:
    dataset = DatasetInfo(name="numbers", uri="/data/numbers.csv", bytes=10, rows=2)
    given = {
        "study": "a-study", "engine": "plain", "method": "exact", "dataset": dataset,
        "workers": 1, "threads": 1, "status": "done", "config_hash": "0" * 16,
        "phases": {"load": 0.25}, "check": Check(passed=True, oracle="by hand"), **changes,
    }  # fmt: skip
    return Record.model_validate(given)


def test_a_record_comes_back_as_it_was(tmp_path):
    uri = records.write(record(), str(tmp_path))
    assert uri == str(tmp_path / "a-study" / "plain" / f"{'0' * 16}-r0.json")
    assert records.read(uri) == record()


@pytest.mark.parametrize("change", [{"status": "fine"}, {"surprise": 1}, {"schema_version": 2}])
def test_what_is_no_record_is_refused(tmp_path, change):
    path = tmp_path / "x-r0.json"
    path.write_text(json.dumps({**record().model_dump(), **change}))
    with pytest.raises(DataError, match="not a result record"):
        records.read(str(path))


def asked(**changes: Any) -> str:
    parameters = Parameters(**{k: v for k, v in changes.items() if k in ("k", "fast", "name")})
    options = {k: v for k, v in changes.items() if k not in ("k", "fast", "name")}
    given = dataclasses.replace(Options(workers=2, size="tiny"), **options)
    return records.config_hash(configuration(STUDY, "plain", given, parameters))


@pytest.mark.parametrize(
    "change",
    [{"k": 4}, {"workers": 1}, {"size": "1gb"}, {"seed": 1}, {"split_size": "1MB"},
     {"method": "published"}, {"check": False}, {"data": "x.csv"}, {"bad_rows": "skip"}],
)  # fmt: skip
def test_what_is_asked_changes_the_hash(change):
    assert asked(**change) != asked()


@pytest.mark.parametrize(
    "change", [{"results": "elsewhere"}, {"json": True}, {"debug": True}, {"timeout": 5.0}]
)
def test_how_it_is_shown_does_not_change_the_hash(change):
    assert asked(**change) == asked()


def test_a_limit_of_bad_rows_counts_where_they_may_be_skipped():
    assert asked(bad_rows_limit="2%") == asked()
    assert asked(bad_rows="skip", bad_rows_limit="2%") != asked(bad_rows="skip")


def test_bad_rows_are_skipped_by_studies_that_can_and_their_own_method():
    lenient = dataclasses.replace(STUDY, skips_bad_rows=True, methods=("exact", "published"))
    asked = Options(bad_rows="skip", workers=1)
    validate(lenient, "plain", asked, Parameters())
    with pytest.raises(UsageError, match="a-study reads whole files or none"):
        validate(STUDY, "plain", asked, Parameters())
    with pytest.raises(UsageError, match="--method exact only"):
        validate(lenient, "plain", dataclasses.replace(asked, method="published"), Parameters())


def test_only_what_is_no_default_is_on_a_command_line():
    assert to_argv(Options(), Parameters()) == []
    options = Options(size="1gb", workers=2, check=False, oversubscribe=True)
    assert to_argv(options, Parameters(k=5, fast=True)) == [
        "--size", "1gb", "--workers", "2", "--oversubscribe", "--no-check", "--k", "5", "--fast"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30MB", 30_000_000), ("4GiB", 4 << 30), ("1.5gb", 1_500_000_000), ("17", 17), ("2 kb", 2000)],
)
def test_sizes_are_read(text, expected):
    assert parse_size(text) == expected
