"""Parquet: every row once, from every store, and little of it held."""

import datetime
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parquet_files import IDS, TABLE, WANTED, rows_of, values, written
from studykit import columnar, cutting, storage
from studykit.columnar import LABELS, fetching
from studykit.errors import DataError, StorageError
from studykit.storage import contents
from studytest import fake_stores

folder = fake_stores.folder


@pytest.mark.parametrize("size", [1, 50_000, 1 << 30])
@pytest.mark.parametrize("piece", [1 << 23, 5000, 100])
def test_every_row_is_read_once_from_every_store(
    folder: str, size: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PIECE_BYTES", piece)
    uri = written(storage.join(folder, "a.parquet"), TABLE, row_group_size=1300)
    cut = cutting.splits(uri, size)
    assert [group for split in cut for group in split.groups] == list(range(8))  # type: ignore[attr-defined]
    assert len(cut) == {1: 8, 1 << 30: 1}.get(size, len(cut))
    assert pickle.loads(pickle.dumps(cut)) == cut
    assert values(uri, WANTED, size, batch_rows=400) == {
        name: TABLE[name].to_pylist() for name in WANTED.names
    }


INTEGERS = [pa.int8(), pa.int32(), pa.int64(), pa.uint8(), pa.float32(), pa.float64()]


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 127), st.none()), st.floats(width=32), st.text(max_size=3)
        ),
        min_size=1,
        max_size=60,
    ),
    kind=st.sampled_from(INTEGERS),
    group=st.integers(1, 70),
    batch=st.integers(1, 70),
    size=st.sampled_from([1, 500, 1 << 30]),
    dictionary=st.booleans(),
)
def test_any_table_is_read_back_or_its_first_missing_value_named(
    rows: Any, kind: Any, group: int, batch: int, size: int, dictionary: bool
) -> None:
    ids, numbers, labels = map(list, zip(*rows, strict=True))
    table = {"id": pa.array(ids, kind), "v": pa.array(numbers, pa.float32()), "l": labels}
    wanted = pa.schema([("l", LABELS), ("id", pa.int64()), ("v", pa.float64())])
    with tempfile.TemporaryDirectory() as folder:
        uri = written(folder + "/a", table, row_group_size=group, use_dictionary=dictionary)
        try:
            found = values(uri, wanted, size, batch_rows=batch)
        except DataError as error:
            row = ids.index(None)
            assert error.place == f"row {row + 1} (row group {row // group})"
            return
    assert None not in ids
    assert (found["id"], found["l"]) == (ids, labels)
    assert np.array_equal(found["v"], numbers, equal_nan=True)


WRITERS: dict[str, dict[str, Any]] = {
    **{name: {"compression": name} for name in ("none", "gzip", "brotli", "zstd", "lz4")},
    "pages of version 2": {"data_page_version": "2.0", "data_page_size": 2000},
    "an index of pages": {"write_page_index": True, "data_page_size": 2000},
    "no dictionary": {"use_dictionary": False},
    "differences": {
        "use_dictionary": False,
        "column_encoding": {
            "id": "DELTA_BINARY_PACKED",
            "value": "BYTE_STREAM_SPLIT",
            "label": "DELTA_BYTE_ARRAY",
        },
    },
    "no schema of Arrow's": {"store_schema": False},
}


@pytest.mark.parametrize("options", WRITERS.values(), ids=list(WRITERS))
def test_what_other_writers_write_is_read(folder: str, options: dict[str, Any]) -> None:
    uri = written(storage.join(folder, "a.parquet"), TABLE, row_group_size=3000, **options)
    assert values(uri, WANTED) == {name: TABLE[name].to_pylist() for name in WANTED.names}


def test_timestamps_of_old_writers(tmp_path: Path) -> None:
    """96 bits, as Spark and Impala wrote them; beyond the nanoseconds of 64 bits too."""
    times = [datetime.datetime(2009, 1, 4, 2, 52, 0, 7), datetime.datetime(2300, 1, 1)]
    column = pa.array(times, pa.timestamp("us"))
    uri = written(tmp_path / "a", {"a": column}, use_deprecated_int96_timestamps=True)
    assert values(uri, pa.schema([("a", pa.timestamp("us"))]))["a"] == times


def test_of_a_large_row_group_little_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_stores.empty_folder("s3", tmp_path, monkeypatch)
    noise = np.random.default_rng(1).normal(size=2_000_000)
    written("s3://bucket/a", {"a": noise}, row_group_size=1 << 30)
    kind = pa.schema([("a", pa.float64())])
    for uri, most in ((str(tmp_path / "bucket" / "a"), 4_000_000), ("s3://bucket/a", 8_000_000)):
        (split,) = columnar.splits(uri, 1)
        before, peak = pa.total_allocated_bytes(), 0
        for rows in rows_of(split, kind, batch_rows=1 << 14):
            assert len(rows) <= 1 << 14
            peak = max(peak, pa.total_allocated_bytes() - before)
        assert peak < most < noise.nbytes


def test_the_rows_of_a_folder_are_those_of_its_files(folder: str) -> None:
    parts = [TABLE.slice(0, 4000), TABLE.slice(4000, 0), TABLE.slice(4000)]
    for number, part in enumerate(parts):
        name = f"part-{number}" + (".parquet" if number else "")  # One is known by its bytes alone.
        written(storage.join(folder, "b", name), part, row_group_size=1000)
    storage.write_bytes(storage.join(folder, "b", "_SUCCESS"), b"")
    assert values(storage.join(folder, "b"), IDS)["id"] == list(range(10_000))


def test_only_the_wanted_columns_are_asked_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_stores.empty_folder("s3", tmp_path, monkeypatch)
    noise = np.random.default_rng(1).normal(size=(2, 300_000))
    uri = written("s3://bucket/a", {"unused": noise[0], "id": np.arange(300_000), "v": noise[1]},
                  row_group_size=100_000, compression="none", use_dictionary=False)  # fmt: skip
    (split,) = columnar.splits(uri, 1 << 30)
    asked: list[int] = []
    held: list[int] = []
    fetch = fetching.FetchedFile._fetch

    def counted(file: fetching.FetchedFile, piece: fetching.Piece) -> Any:
        asked.append(piece.stop - piece.start)
        held.append(len(file._held))
        return fetch(file, piece)

    monkeypatch.setattr(fetching, "PIECE_BYTES", 1 << 18)
    monkeypatch.setattr(fetching, "GAP_BYTES", 1 << 10)
    monkeypatch.setattr(fetching.FetchedFile, "_fetch", counted)
    wanted = pa.schema([("v", pa.float64())])
    assert sum(len(rows) for rows in rows_of(split, wanted)) == 300_000
    assert 8 * 300_000 <= sum(asked) < 1.2 * 8 * 300_000
    assert max(held) <= 2


def test_a_server_that_fails_now_and_then_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_stores.empty_folder("s3", tmp_path, monkeypatch)
    uri = written("s3://bucket/a", TABLE, row_group_size=1000)
    (split,) = columnar.splits(uri, 1 << 30)
    reader, failures = contents.range_reader, iter([True, False] * 50)

    def failing(uri: str) -> Any:
        if next(failures, False):
            raise OSError("connection reset")
        return reader(uri)

    monkeypatch.setattr(contents, "range_reader", failing)
    monkeypatch.setattr("studykit.storage.failures.FIRST_PAUSE_SECONDS", 0.0)
    assert sum(len(rows) for rows in rows_of(split, IDS)) == 10_000
    monkeypatch.setattr(contents, "range_reader", lambda uri: 1 / 0)
    (tmp_path / "bucket" / "a").unlink()
    with pytest.raises(StorageError):
        list(rows_of(split, IDS))
