"""A sweep says what it reuses although a run now would differ: other code, libraries or data."""

import pytest
import synthetic
from sample_study.sample import Sample
from sample_study.study import STUDY
from studykit import machine
from studykit.records import DatasetInfo
from studysweep import reuse

pytest_plugins = "sample_study.fixtures"

FIRST, SECOND = "a" * 40, "b" * 40


@pytest.fixture(autouse=True)
def clean_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "commit", lambda: FIRST)


def test_records_of_this_commit_these_libraries_and_this_data_are_reused_in_silence(
    called: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    called.run()
    called.run(repeats=2)
    assert "reused" not in capsys.readouterr().err


def test_another_commit_is_said_before_anything_runs(
    called: Sample, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called.run()
    monkeypatch.setattr(machine, "commit", lambda: SECOND)
    capsys.readouterr()
    called.run(repeats=2)
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == [
        "4 cells, 2 finished before",
        "2 of the 2 reused records differ: commit aaaaaaaaa (now bbbbbbbbb)."
        " --fresh runs all again",
    ]
    assert said[2].startswith("round 2: tiny")


def test_other_libraries_are_said(
    called: Sample, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "versions", lambda packages: {"numpy": "1.26.4", "numba": "0.60"})
    called.run()
    monkeypatch.setattr(machine, "versions", lambda packages: {"numpy": "2.1.0", "numba": "0.60"})
    called.run()
    assert "2 reused records differ: numpy 1.26.4 (now 2.1.0). --fresh" in capsys.readouterr().err


def test_other_data_is_said(called: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    (called.home / "sha256").write_text("1" * 64)
    called.run()
    (called.home / "sha256").write_text("2" * 64)
    called.run(repeats=2)
    assert "differ: numbers 111111111 (now 222222222). --fresh" in capsys.readouterr().err


def test_fresh_reuses_nothing_and_has_nothing_to_say(
    called: Sample, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called.run()
    monkeypatch.setattr(machine, "commit", lambda: SECOND)
    assert [record.commit for record in called.run(fresh=True)] == [SECOND, SECOND]
    assert "reused" not in capsys.readouterr().err
    assert len(called.log) == 4


def _said(then: str | None, now: str | None) -> str | None:
    return reuse.said(STUDY, [synthetic.record(commit=then)], {}, now)


def test_a_checkout_with_changes_is_not_known_to_be_the_same() -> None:
    assert _said(FIRST, FIRST) is None
    assert "commit aaaaaaaaa (now aaaaaaaaa+)" in str(_said(FIRST, FIRST + "+"))
    assert "commit aaaaaaaaa+ (now aaaaaaaaa)" in str(_said(FIRST + "+", FIRST))
    assert "commit aaaaaaaaa+ (now aaaaaaaaa+)" in str(_said(FIRST + "+", FIRST + "+"))


def test_outside_a_checkout_no_commit_differs() -> None:
    assert _said(None, FIRST) is None
    assert _said(FIRST, None) is None


def test_data_without_a_hash_is_known_by_its_size() -> None:
    record = synthetic.record(gigabytes=1.0)
    inputs = {record.dataset.uri: DatasetInfo(name="user", uri=record.dataset.uri, bytes=7)}
    said = str(reuse.said(STUDY, [record], inputs, None))
    assert "numbers of 1,000,000,000 bytes (now 7)" in said


def test_only_the_records_that_differ_are_counted() -> None:
    kept = [synthetic.record(round=number, commit=FIRST) for number in (1, 2)]
    kept.append(synthetic.record(round=3, commit=SECOND))
    assert str(reuse.said(STUDY, kept, {}, FIRST)).startswith("1 of the 3 reused records differ")
