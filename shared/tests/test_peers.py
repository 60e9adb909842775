"""The frame of every study's peers: what is refused, what is kept to, what is written down."""

import gzip
from pathlib import Path

import pytest
from sample_study.sample import Sample
from studykit import machine, records, storage
from studykit.records import Record
from studytest import running

pytest_plugins = "sample_study.fixtures"


def _peer(sample: Sample, *argv: object) -> running.Finished:
    return running.call("sample_study.peers", *argv, "--results", sample.results)


def _written(sample: Sample) -> list[Record]:
    return [records.read(str(path)) for path in Path(sample.results).rglob("*.json")]


def test_a_peer_leaves_a_record_of_one_process(sample: Sample) -> None:
    done = _peer(sample, "quick", "--workers", 1, "--json")
    assert done.code == 0, done.stderr
    (record,) = _written(sample)
    assert (record.engine, record.method, record.status) == ("quick", "peer", "done")
    assert record.check.detail == {"rows": 3, "expected": 3}
    assert record.check.oracle == "rows in the catalogue"
    assert record.devices == ["cpu"]


@pytest.mark.parametrize(("lines", "code", "status"), [(3, 0, "done"), (4, 3, "wrong")])
def test_rows_of_the_users_own_data_are_checked_against_its_lines(
    sample: Sample, tmp_path: Path, lines: int, code: int, status: str
) -> None:
    data = tmp_path / "numbers.csv"
    data.write_text("numbers\n" + "1\n\n" * lines)
    assert _peer(sample, "quick", "--data", data, "--workers", 1).code == code
    (record,) = _written(sample)
    assert (record.status, record.check.oracle) == (status, "lines of the files")
    assert record.check.detail == {"rows": 3, "expected": lines}


def test_what_is_on_no_local_disk_is_skipped_with_the_reason(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "list_files", lambda uri: [uri])
    done = _peer(sample, "quick", "--data", "s3://bucket/numbers.csv", "--workers", 1)
    assert done.code == 4
    assert "quick is compared on local files only: s3://bucket/numbers.csv" in done.error
    assert [record.status for record in _written(sample)] == ["skipped"]


def test_it_has_the_threads_of_all_workers(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[int] = []
    monkeypatch.setattr(machine, "pin_threads", pinned.append)
    done = _peer(sample, "quick", "--workers", 2, "--threads", 3, "--oversubscribe")
    assert done.code == 0, done.stderr
    assert pinned == [6]


def test_an_unknown_library_is_wrong_usage_and_the_known_ones_are_named(sample: Sample) -> None:
    done = _peer(sample, "excel")
    assert (done.code, done.error) == (2, "error: excel: known peers are quick, large")


def test_one_step_of_a_study_has_no_answer_to_write(sample: Sample) -> None:
    done = _peer(sample, "quick", "--out", "answer.csv")
    assert done.code == 2
    assert "no answer to write" in done.error
    assert _written(sample) == []


def test_what_engines_are_refused_peers_are_refused_before_they_read(sample: Sample) -> None:
    cores = machine.cores() + 1
    done = _peer(sample, "quick", "--workers", cores)
    assert done.code == 4
    assert f"ask for {cores} cores" in done.error
    assert _peer(sample, "quick", "--device", "cuda").code == 2
    assert _written(sample) == []


def test_a_peer_keeps_its_memory_limit(sample: Sample) -> None:
    done = _peer(sample, "large", "--workers", 1, "--memory-limit", "1MB")
    assert done.code == 4
    assert "--memory-limit is 1,000,000 bytes" in done.error
    assert [record.status for record in _written(sample)] == ["failed"]


def test_what_is_compressed_is_skipped_with_the_reason(sample: Sample, tmp_path: Path) -> None:
    data = tmp_path / "numbers.csv"
    data.write_bytes(gzip.compress(b"numbers\n1\n2\n3\n"))
    done = _peer(sample, "quick", "--data", data, "--workers", 1)
    assert done.code == 4
    assert f"quick is compared on plain files only: {data}" in done.error
