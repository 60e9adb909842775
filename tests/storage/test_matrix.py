"""A study, on each of its engines, from HDFS and S3: the answer of a local run.

On S3 each engine is started as its user does, on HDFS its entry point is called in this process,
but for torch: ranks forked from one that has just read there would share its connections.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs
from servers import Server
from study_data import copying
from studykit import storage
from studykit.storage import filesystems
from studytest import forms, running, the_study
from studytest.columns import as_parquet
from studytest.figures import assert_equal, of_the_answer

CASE = the_study.case()
WITH = ("--workers", 2, "--oversubscribe", "--json", "--timeout", running.LIMIT_SECONDS)


def called(engine: str, *argv: object) -> dict[str, Any]:
    return record_of(running.call(CASE.module(engine), *WITH, *CASE.answer_options, *argv))


def started(engine: str, *argv: object) -> dict[str, Any]:
    return record_of(running.run(CASE.module(engine), *WITH, *CASE.answer_options, *argv))


def record_of(done: running.Finished) -> dict[str, Any]:
    assert done.code == 0, done.stderr
    return done.record


@cache
def local(folder: Path) -> dict[str, Any]:
    """The record of one plain process on the local disk."""
    return called("plain", "--size", "tiny", "--store", folder, "--results", folder / "results")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("here")


@pytest.mark.parametrize("store", ["hdfs", "s3"], indirect=True)
@pytest.mark.parametrize("engine", CASE.engines)
def test_a_store_gives_the_answer_of_the_local_disk(engine: str, store: Server, here: Path) -> None:
    place = f"{store.uri}/{CASE.study.package}"
    run = started if filesystems.scheme(place) == "s3" or engine == "torch" else called
    record = run(
        engine, "--size", "tiny", "--store", f"{place}/data",
        "--results", f"{place}/results", "--out", f"{place}/{engine}/answer.csv",
    )  # fmt: skip
    expected = local(here)
    assert record["status"] == "done"
    assert record["dataset"]["sha256"] == expected["dataset"]["sha256"]
    assert record["dataset"]["uri"].startswith(place)
    assert_same(record["quality"], expected["quality"])
    assert record["outputs"] and all(uri.startswith(place) for uri in record["outputs"].values())
    listed = _listed(place)
    assert not any("/." in name for name in listed), "an unfinished file was left"
    assert set(record["outputs"].values()) <= set(listed)
    assert sum(f"/{engine}/" in name and name.endswith(".json") for name in listed) == 1


@pytest.mark.parametrize("store", ["hdfs", "s3"], indirect=True)
def test_a_copy_in_compressed_parts_is_read_as_data_of_ones_own(
    store: Server, here: Path, tmp_path: Path
) -> None:
    """Named by a pattern, which fits the folders that they lie in."""
    expected = local(here)
    made = Path(expected["dataset"]["uri"])
    _require_tables(made)
    place = f"{store.uri}/{CASE.study.package}/copied"
    if made.is_dir():
        # Its files have names that say what they are for.
        for number, path in enumerate(_data_files(made)):
            part = tmp_path / f"part={number}" / path.name
            part.parent.mkdir()
            part.write_bytes(forms.zstd(path.read_bytes()))
        copying.copy(str(tmp_path), place)
    else:
        copying.copy(str(forms.in_parts(made.read_bytes(), tmp_path)), place)
    record = called("plain", "--data", f"{place}/part=*", "--results", here / "copied")
    assert_same(record["quality"], expected["quality"])


@pytest.mark.parametrize("store", ["hdfs", "s3"], indirect=True)
def test_a_copy_as_parquet_is_read_as_data_of_ones_own(store: Server, here: Path) -> None:
    expected = local(here)
    copy = f"{store.uri}/{CASE.study.package}/as-parquet/table"
    made = Path(expected["dataset"]["uri"])
    _require_tables(made)
    for path in _data_files(made):
        name = f"{copy}/{path.stem}" if made.is_dir() else copy
        storage.write_bytes(name, as_parquet(path.read_bytes()))
    record = called("plain", "--data", copy, "--results", here / "as-parquet")
    assert_same(record["quality"], expected["quality"])


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_comparison_tells_a_local_store_from_one_on_s3(store: Server, tmp_path: Path) -> None:
    done = running.run(
        f"{CASE.study.package}.compare", "--size", "tiny",
        "--store", f"{tmp_path},{store.uri}/compared",
        "--engines", "plain", "--workers", 1, "--repeats", 1, "--pause", 0, "--json",
        "--results", tmp_path / "results", *CASE.answer_options,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["runs"] for row in rows] == [1, 1], done.stderr
    assert {row["uri"].startswith("s3://") for row in rows} == {True, False}
    assert all(row["load_seconds"]["median"] > 0 for row in rows)
    assert rows[0]["bytes_read"] == rows[1]["bytes_read"]
    assert all(row["ratio_to_plain"]["median"] == 1 for row in rows)


def _require_tables(made: Path) -> None:
    if any(path.is_dir() for path in _data_files(made)):
        pytest.skip("its data are images with a table: neither compressed nor in parts")


def _data_files(made: Path) -> list[Path]:
    """The data set's file, or those of its folder, of which one with _ lists the others."""
    return sorted(made.glob("[!_]*")) if made.is_dir() else [made]


def _listed(place: str) -> list[str]:
    """All names below a place, hidden ones too."""
    files, path = filesystems.filesystem(place)
    found = files.get_file_info(fs.FileSelector(path, recursive=True))
    return [filesystems.uri_of(place, one.path) for one in found if one.is_file]


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """All figures of the answer are equal; what an engine says of its own work may differ."""
    assert expected
    assert_equal(of_the_answer(found), of_the_answer(expected), "quality")
