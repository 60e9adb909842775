"""Trips of Parquet, as the city publishes them: the same bits as from CSV; wrong rows named."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv, parquet
from studykit.errors import DataError
from studytest import running
from taxi import NAMES_OF_2009, made_up, read, sample
from taxi_clustering.sample import SAMPLE_SIZE, Sample


def table(path: Path) -> pa.Table:
    """A CSV's columns: times in microseconds, numbers as Arrow finds them."""
    found = csv.read_csv(path)
    for place, field in enumerate(found.schema):
        if pa.types.is_timestamp(field.type):
            found = found.set_column(place, field.name, found[place].cast(pa.timestamp("us")))
    return found


def write(path: Path, columns: pa.Table, group: int = 700) -> Path:
    parquet.write_table(columns, path, row_group_size=group)
    return path


def same(one: Any, other: Any) -> bool:
    return (
        (one.rows, one.rejects.tolist()) == (other.rows, other.rejects.tolist())
        and np.array_equal(np.concatenate(one.points, 1), np.concatenate(other.points, 1))
        and np.array_equal(sampled(one), sampled(other))
    )


def sampled(trips: Any) -> Any:
    return Sample.of([trips.sample], SAMPLE_SIZE).points


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    return made_up(tmp_path_factory.mktemp("trips") / "trips.csv", 3000)


@pytest.mark.parametrize("split_size", [1, 1 << 30])
def test_the_trips_are_those_of_the_text(tmp_path, text, split_size):
    path = write(tmp_path / "trips", table(text))
    assert same(read(path, split_size), read(text))


def test_real_trips_are_those_of_the_text(tmp_path):
    text = sample("2015-01")
    assert same(read(write(tmp_path / "trips.parquet", table(text))), read(text))


def test_the_names_of_2009_and_its_times_as_text(tmp_path, text):
    columns = table(text)
    for place in (1, 2):
        times = columns[place].cast(pa.timestamp("s")).cast(pa.string())
        columns = columns.set_column(place, columns.schema.names[place], times)
    names = [NAMES_OF_2009.get(name, name) for name in columns.schema.names]
    path = write(tmp_path / "trips.parquet", columns.rename_columns(names).select(names[::-1]))
    assert same(read(path), read(text))


@pytest.mark.parametrize("kind", ["s", "ms", "us", "ns"])
def test_times_of_any_unit(tmp_path, text, kind):
    columns = table(text)
    name = columns.schema.names[1]
    columns = columns.set_column(1, name, columns[1].cast(pa.timestamp(kind)))
    assert same(read(write(tmp_path / "trips.parquet", columns)), read(text))


def with_times(columns: pa.Table, convert: Any) -> pa.Table:
    for place in (1, 2):
        changed = convert(columns[place].cast(pa.timestamp("us")))
        columns = columns.set_column(place, columns.schema.names[place], changed)
    return columns


TIMES = {
    "universal time": lambda column: pc.assume_timezone(column, "America/New_York").cast(
        pa.timestamp("us", "UTC")
    ),
    "New York's own": lambda column: pc.assume_timezone(column, "America/New_York"),
    "as the city's site writes them": lambda column: pc.strftime(
        column.cast(pa.timestamp("s")), "%m/%d/%Y %I:%M:%S %p", locale="C"
    ),
}


@pytest.mark.parametrize("form", TIMES)
def test_times_with_a_zone_or_as_text_are_new_yorks(tmp_path, text, form):
    columns = with_times(table(text), TIMES[form])
    assert same(read(write(tmp_path / "trips.parquet", columns)), read(text))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("pickup_longitude", float("nan"), "nan"),
        ("total_amount", None, "a missing value"),
        ("tpep_pickup_datetime", None, "a missing value"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, text, column, value, said):
    columns = table(text)
    values = columns[column].to_pylist()
    values[1000] = value
    place = columns.schema.names.index(column)
    whole = columns.set_column(place, column, pa.array(values, columns[place].type))
    path = write(tmp_path / "trips.parquet", whole)
    with pytest.raises(DataError, match=said) as caught:
        read(path)
    found = caught.value
    assert (found.place, found.column) == ("row 1001 (row group 1)", column)
    assert "--bad-rows skip" in found.reason


def changed(columns: pa.Table, values: dict[int, tuple[str, Any]]) -> pa.Table:
    """{row: (column, another value)}; times as text, so that one can be none."""
    columns = with_times(columns, lambda c: c.cast(pa.timestamp("s")).cast(pa.string()))
    for row, (name, value) in values.items():
        place = columns.schema.names.index(name)
        column = columns[place].to_pylist()
        column[row] = value
        columns = columns.set_column(place, name, pa.array(column, columns[place].type))
    return columns


MISSING = {10: ("dropoff_latitude", None), 999: ("total_amount", float("nan")),
           2500: ("tpep_dropoff_datetime", None)}  # fmt: skip
BAD = {11: ("tpep_pickup_datetime", "noon"), 1700: ("trip_distance", float("inf"))}


@pytest.mark.parametrize("split_size", [1, 1 << 30])
def test_rows_that_lack_a_value_or_cannot_be_read_are_counted_where_that_is_asked(
    tmp_path, text, split_size
):
    columns = changed(table(text), MISSING | BAD)
    path = write(tmp_path / "trips.parquet", columns)
    found = read(path, split_size, count_missing=True, skip_bad=True)
    good = pa.array([row not in MISSING | BAD for row in range(3000)])
    right = read(write(tmp_path / "good.parquet", columns.filter(good)))
    assert np.array_equal(sampled(found), sampled(right))
    assert found.rejects.tolist() == [*right.rejects.tolist()[:-1], len(MISSING)]
    assert (found.rows, found.bad.skipped) == (3000 - len(BAD), len(BAD))
    assert [row.offset for row in found.bad.first] == list(BAD)
    with pytest.raises(DataError, match="'noon' is no time") as caught:
        read(path, split_size, count_missing=True)
    assert caught.value.place == "row 12 (row group 0)"


def test_what_was_left_out_is_in_the_record_and_on_the_screen(tmp_path, text):
    path = write(tmp_path / "trips.parquet", changed(table(text), MISSING | BAD))
    done = running.call(
        "taxi_clustering.run_plain", "--data", path, "--workers", 2, "--clusters", 5,
        "--bad-rows", "skip", "--missing", "count", "--json", "--results", tmp_path / "results",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    quality = done.record["quality"]
    assert quality["rejects"]["missing"] == len(MISSING)
    assert [row["place"] for row in quality["bad_rows"]["first"]] == [
        "row 12 (row group 0)",
        "row 1701 (row group 2)",
    ]
    assert f"{path}, row 12 (row group 0): column tpep_pickup_datetime: 'noon'" in done.stderr
    assert done.record["check"]["passed"] is True
    few = running.call(
        "taxi_clustering.run_plain", "--data", path, "--workers", 1, "--bad-rows", "skip",
        "--missing", "count", "--bad-rows-limit", "0.01%", "--results", tmp_path / "results",
    )  # fmt: skip
    assert few.code == 2 and "row 12 (row group 0): 2 of " in few.error


def test_trips_without_coordinates_are_refused(tmp_path):
    now = [datetime.datetime(2016, 7, 1)]
    columns = {"tpep_pickup_datetime": now, "tpep_dropoff_datetime": now, "trip_distance": [1.0],
               "PULocationID": [1], "DOLocationID": [2], "total_amount": [5.0]}  # fmt: skip
    path = write(tmp_path / "trips.parquet", pa.table(columns))
    with pytest.raises(DataError, match="location ids") as caught:
        read(path)
    assert caught.value.uri == str(path)


def test_polars_reads_every_row(tmp_path, text):
    done = running.call(
        "taxi_clustering.peers", "polars", "--data", write(tmp_path / "trips", table(text)),
        "--workers", 1, "--json", "--results", tmp_path / "results",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert done.record["check"]["detail"] == {"rows": 3000, "expected": 3000}
