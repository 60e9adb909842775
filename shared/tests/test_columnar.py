"""Parquet: every row once, exactly as wanted, from every store; what is wrong named by its row."""

import datetime
import decimal
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from studykit import columnar, cutting, storage
from studykit.columnar import LABELS, RowGroups, fetching
from studykit.errors import DataError, StorageError
from studykit.storage import contents
from studytest import fake_stores

IDS = pa.schema([("id", pa.int64())])
folder = fake_stores.folder


def written(path: Path | str, table: Any, **options: Any) -> str:
    """A table, or columns of one, as a Parquet file: its URI."""
    whole = table if isinstance(table, pa.Table) else pa.table(table)
    sink = pa.BufferOutputStream()
    parquet.write_table(whole, sink, **options)
    storage.write_bytes(str(path), sink.getvalue().to_pybytes())
    return str(path)


def values(uri: str, wanted: pa.Schema, size: int = 1, **options: Any) -> dict[str, list[Any]]:
    """All rows of a file, or of a folder of them, split by split."""
    found: dict[str, list[Any]] = {name: [] for name in wanted.names}
    for split in cutting.splits(uri, size):
        assert isinstance(split, RowGroups)
        for rows in columnar.read(split, wanted, **options):
            for field in wanted:
                assert rows[field.name].type == field.type
                found[field.name] += rows[field.name].to_pylist()
    return found


def one(tmp_path: Path, column: Any, kind: pa.DataType) -> list[Any]:
    """What a column of a file is read as."""
    return values(written(tmp_path / "a.parquet", {"a": column}), pa.schema([("a", kind)]))["a"]


TABLE = pa.table(
    {
        "id": np.arange(10_000),
        "unused": ["x" * 50] * 10_000,
        "value": np.random.default_rng(0).normal(size=10_000),
        "label": [f"name {i % 7}" for i in range(10_000)],
    }
)
WANTED = pa.schema([("label", LABELS), ("value", pa.float64()), ("id", pa.int64())])


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
        for rows in columnar.read(split, kind, 1 << 14):
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
    assert sum(len(rows) for rows in columnar.read(split, wanted)) == 300_000
    assert 8 * 300_000 <= sum(asked) < 1.2 * 8 * 300_000
    assert max(held) <= 2


KINDS: dict[str, tuple[Any, pa.DataType, list[Any]]] = {
    "int8": (pa.array([1, -2], pa.int8()), pa.int64(), [1, -2]),
    "uint64": (pa.array([2**63 - 1], pa.uint64()), pa.int64(), [2**63 - 1]),
    "whole floats": (pa.array([1.0, -3.0]), pa.int64(), [1, -3]),
    "whole single floats": (pa.array([2.0**24], pa.float32()), pa.int64(), [2**24]),
    "whole decimals": (pa.array([decimal.Decimal("7.00")]), pa.int64(), [7]),
    "dictionary of ids": (pa.array([5, 6, 5]).dictionary_encode(), pa.int64(), [5, 6, 5]),
    "single floats": (pa.array([0.1], pa.float32()), pa.float64(), [float(np.float32(0.1))]),
    "half floats": (pa.array(np.array([0.5], np.float16)), pa.float64(), [0.5]),
    "integers as floats": (pa.array([2**53, -1]), pa.float64(), [2.0**53, -1.0]),
    "decimals": (pa.array([decimal.Decimal("17.93"), decimal.Decimal("-0.07")]), pa.float64(),
                 [17.93, -0.07]),
    "long decimals": (pa.array([decimal.Decimal("0.1000000000000000055511151231257827")]),
                      pa.float64(), [0.1]),
    "not a number": (pa.array([float("inf")]), pa.float64(), [float("inf")]),
    "text": (pa.array(["A", "B", "A"]), LABELS, ["A", "B", "A"]),
    "large text": (pa.array(["A", "B"], pa.large_string()), LABELS, ["A", "B"]),
    "text in a view": (pa.array(["A", "B"], pa.string_view()), LABELS, ["A", "B"]),
    "text as bytes": (pa.array([b"A", b"B"]), LABELS, ["A", "B"]),
    "dictionary of text": (pa.array(["A", "B"]).dictionary_encode(), LABELS, ["A", "B"]),
    "numbers as labels": (pa.array([3, 1, 3]), LABELS, ["3", "1", "3"]),
    "truths as labels": (pa.array([True, False]), LABELS, ["true", "false"]),
    "milliseconds": (pa.array([1], pa.timestamp("ms")), pa.timestamp("us"),
                     [datetime.datetime(1970, 1, 1, 0, 0, 0, 1000)]),
    "nanoseconds": (pa.array([1000], pa.timestamp("ns")), pa.timestamp("us"),
                    [datetime.datetime(1970, 1, 1, 0, 0, 0, 1)]),
    "times as text": (pa.array(["2009-01-04 02:52:00"]), pa.timestamp("us"),
                      [datetime.datetime(2009, 1, 4, 2, 52)]),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_values_of_another_type_are_the_same_values(tmp_path: Path, name: str) -> None:
    column, kind, right = KINDS[name]
    assert one(tmp_path, column, kind) == right


WRONG: dict[str, tuple[Any, pa.DataType, int, str]] = {
    "a missing value": (pa.array([1, None, 3]), pa.int64(), 2, "a missing value"),
    "missing text": (pa.array(["A", None]), LABELS, 2, "a missing value"),
    "missing of a dictionary": (pa.array(["A", None]).dictionary_encode(), LABELS, 2, "missing"),
    "nothing but missing": (pa.nulls(2), pa.float64(), 1, "a missing value"),
    "a fraction": (pa.array([1.0, 2.5]), pa.int64(), 2, "2.5 does not fit int64"),
    "no number": (pa.array([1.0, float("nan")]), pa.int64(), 2, "nan does not fit int64"),
    "a rounded id": (pa.array([1.0, 2.0**53 + 2]), pa.int64(), 2, "may have been rounded"),
    "a rounded single": (pa.array([3e7], pa.float32()), pa.int64(), 1, "may have been rounded"),
    "a fraction of a decimal": (pa.array([decimal.Decimal("7.5")]), pa.int64(), 1, "7.5 does not"),
    "too large an id": (pa.array([1, 2**63], pa.uint64()), pa.int64(), 2, "9223372036854775808"),
    "more than a double holds": (pa.array([1, 2**53 + 1]), pa.float64(), 2, "9007199254740993"),
    "bytes that are no text": (pa.array([b"A", b"\xff\x1b"]), LABELS, 2, "does not fit string"),
    "part of a microsecond": (pa.array([1000, 1], pa.timestamp("ns")), pa.timestamp("us"), 2, "us"),
    "no time": (pa.array(["2009-01-04 02:52:00", "noon"]), pa.timestamp("us"), 2, "'noon'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_does_not_fit_is_named_with_its_row(tmp_path: Path, name: str) -> None:
    column, kind, row, reason = WRONG[name]
    # Good values before and behind, in row groups of their own.
    good = column.slice(0, 1) if row > 1 else column.slice(1, 1)
    if not len(good) or good.null_count:
        good = column.slice(0, 0)
    whole = pa.chunked_array([good, column.slice(row - 1, 1), good], column.type)
    uri = written(tmp_path / "a.parquet", {"a": whole}, row_group_size=1)
    with pytest.raises(DataError) as caught:
        values(uri, pa.schema([("a", kind)]), 1 << 30)
    found = caught.value
    assert (found.uri, found.column) == (uri, "a")
    assert found.place == f"row {1 + len(good)} (row group {len(good)})"
    assert reason in found.reason
    assert str(found).isprintable()
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array(["1", "2"]), pa.int64()),
        (pa.array([True]), pa.int64()),
        (pa.array(["0.5"]), pa.float64()),
        (pa.array([0.5]), LABELS),
        (pa.array([datetime.date(2015, 1, 1)]), pa.timestamp("us")),
        (pa.array([1], pa.timestamp("us", "UTC")), pa.timestamp("us")),
        (pa.array([[1, 2]]), pa.int64()),
        (pa.array([{"b": 1}]), pa.int64()),
    ],
    ids=str,
)
def test_a_column_of_a_type_that_cannot_fit_is_refused_before_it_is_read(
    tmp_path: Path, column: Any, kind: pa.DataType
) -> None:
    uri = written(tmp_path / "a.parquet", {"a": column})
    with pytest.raises(DataError, match="cannot be read as") as caught:
        columnar.require(uri, pa.schema([("a", kind)]))
    assert caught.value.column == "a"
    assert ("nested" in caught.value.reason) == pa.types.is_nested(column.type)


def test_columns_that_may_have_missing_values_keep_them(tmp_path: Path) -> None:
    uri = written(tmp_path / "a.parquet", {"id": [1, None, 3]})
    assert values(uri, IDS, nullable=["id"]) == {"id": [1, None, 3]}


def test_a_column_that_is_not_there_or_there_twice_is_named_with_all_that_are(
    tmp_path: Path,
) -> None:
    uri = written(tmp_path / "a.parquet", {"key": [1], "b": [2]})
    with pytest.raises(DataError, match="no column 'id'; the file has: key, b"):
        columnar.require(uri, IDS)
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"])
    uri = written(tmp_path / "b.parquet", twice)
    with pytest.raises(DataError, match="column 'id' twice"):
        columnar.require(uri, IDS)


@pytest.mark.parametrize("groups", [0, 1])
def test_a_file_without_a_row_has_no_data(tmp_path: Path, groups: int) -> None:
    path = tmp_path / "a.parquet"
    with parquet.ParquetWriter(path, IDS) as writer:
        for _ in range(groups):
            writer.write_table(IDS.empty_table())
    assert columnar.splits(str(path), 1) == []
    with pytest.raises(DataError, match="no data") as caught:
        cutting.splits(str(path), 1)
    assert caught.value.uri == str(path)


def test_parquet_beside_another_form_in_one_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    written(tmp_path / "b", {"id": [1]})
    with pytest.raises(DataError, match=r"a\.csv") as caught:
        cutting.splits(str(tmp_path), 1)
    assert caught.value.uri == str(tmp_path / "b")


def test_a_text_that_begins_like_parquet_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("PAR1,PAR2\n1,2\n")
    assert not columnar.is_parquet(str(tmp_path / "a.csv"))


def damaged(content: bytes) -> dict[str, bytes]:
    return {
        "text": b"id\n1\n",
        "nothing": b"",
        "half of it": content[: len(content) // 2],
        "the end is missing": content[:-4],
        "a footer of noise": content[:-60] + b"\xf3" * 52 + content[-8:],
        "pages of noise": content[:4]
        + b"\x9a" * (len(content) // 2)
        + content[len(content) // 2 + 4 :],
    }


@pytest.mark.parametrize("how", damaged(b""))
def test_a_damaged_file_is_a_data_error_without_its_bytes(folder: str, how: str) -> None:
    uri = written(storage.join(folder, "a.parquet"), TABLE, row_group_size=5000)
    storage.write_bytes(uri, damaged(storage.read_bytes(uri))[how])
    with pytest.raises(DataError) as caught:
        values(uri, WANTED)
    assert caught.value.uri == uri
    assert str(caught.value).isprintable()


def test_a_page_whose_checksum_is_wrong_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    ids = {"id": np.arange(1000)}
    written(path, ids, compression="none", use_dictionary=False, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[4000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="row group 0"):
        values(str(path), IDS)


def test_a_missing_file_and_one_that_changed_are_storage_errors(folder: str) -> None:
    uri = storage.join(folder, "a.parquet")
    with pytest.raises(StorageError, match="no such file"):
        cutting.splits(uri, 1)
    written(uri, {"id": [1, 2]})
    (split,) = columnar.splits(uri, 1)
    written(uri, {"id": [1, 2, 3]})
    with pytest.raises(StorageError, match="changed while it was being read"):
        list(columnar.read(split, IDS))


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
    assert sum(len(rows) for rows in columnar.read(split, IDS)) == 10_000
    monkeypatch.setattr(contents, "range_reader", lambda uri: 1 / 0)
    (tmp_path / "bucket" / "a").unlink()
    with pytest.raises(StorageError):
        list(columnar.read(split, IDS))
