"""Files as users bring them to public trackers, made up here: on every engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from case import CASE
from pyarrow import parquet
from studytest.contract.brought import Brought
from taxi import HEADER, NAMES_OF_2009, made_up, row
from taxi_clustering import city

HEADER_2010 = (
    "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,pickup_longitude,"
    "pickup_latitude,rate_code,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,"
    "fare_amount,surcharge,mta_tax,tip_amount,tolls_amount,total_amount"
)
ROWS = 600

Rows = list[list[str]]


def american(time: str) -> str:
    day, clock = time.split(" ")
    year, month, date = day.split("-")
    hour = int(clock[:2])
    return f"{month}/{date}/{year} {hour % 12 or 12:02}{clock[2:]} {'AM' if hour < 12 else 'PM'}"


def with_times(change: Callable[[str], str]) -> Callable[[Rows], Rows]:
    return lambda rows: [[row[0], change(row[1]), change(row[2]), *row[3:]] for row in rows]


def without_dropoff(rows: Rows) -> Rows:
    return [*rows[:17], [*rows[17][:9], "", "", *rows[17][11:]], *rows[18:]]


READ: dict[str, tuple[str, Callable[[Rows], Rows]]] = {
    "further columns": (
        f"{HEADER},trip_distance_km,total_minutes",
        lambda rows: [[*row, "1.35", "27"] for row in rows],
    ),
    "AM and PM": (HEADER, with_times(american)),
    "T and Z": (HEADER, with_times(lambda time: time.replace(" ", "T") + "Z")),
    "fractions of a second": (HEADER, with_times(lambda time: time + ".000")),
    "lines of blanks": (HEADER, lambda rows: [["   "], *rows[:300], ["  "], *rows[300:]]),
}
MORE_READ: dict[str, tuple[str, Callable[[Rows], Rows]]] = {
    "blanks around quotes": (
        '"' + HEADER.replace(",", '", "') + '"',
        lambda rows: [[f' "{value}" ' for value in row] for row in rows],
    ),
}
"""By one process: what tells them apart every engine uses."""
BAD: dict[str, tuple[str, Callable[[Rows], Rows], str, int]] = {
    "a missing dropoff": (
        HEADER, without_dropoff, "line 19, column dropoff_longitude: a missing value", 1,
    ),
    "a field too many": (
        HEADER_2010,
        lambda rows: [[*row[:17], row[18], *["7.5"] * (number == 300)]
                      for number, row in enumerate(rows)],
        "line 302: expected 18 columns, found 19", 1,
    ),
    "empty fields at the end of every row": (
        HEADER_2010, lambda rows: [[*row[:17], row[18], "", ""] for row in rows],
        "line 2: expected 18 columns, found 20", ROWS,
    ),
}  # fmt: skip
"""name → header, what becomes of the rows; what the refusal says, and how many rows are bad."""


def half_way() -> Rows:
    """Trips from both ends of a metre, and from its middle, which may count for either of them.

    No centre moves by the tolerance: so the ends, or an end and the middle, are the answer.
    """
    places = [40.75 + steps / city.GRID / city.METRES_PER_LATITUDE for steps in (0, 128, 256)]
    trips = [row(pickup=(city.CENTRE_LONGITUDE, place)) for place in places for _ in range(4)]
    return [trip.split(",") for trip in trips]


class TestCases(Brought):
    case = CASE

    @pytest.fixture(scope="class")
    def rows(self, tmp_path_factory: pytest.TempPathFactory) -> Rows:
        path = made_up(tmp_path_factory.mktemp("rows") / "trips.csv", ROWS)
        return [line.split(",") for line in path.read_text().splitlines()[1:]]

    @pytest.fixture(scope="class")
    def expected(self, rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
        path = write(tmp_path_factory.mktemp("expected"), HEADER, rows)
        return self.clustered("plain", (), path)

    def clustered(
        self, engine: str, joined: tuple[object, ...], path: Path, *argv: object
    ) -> dict[str, Any]:
        record = self.called(
            engine, "--data", path, "--clusters", 4, "--workers", 1,
            "--results", path.parent / "results", *joined, *argv,
        )  # fmt: skip
        assert record["check"]["passed"] is True
        found: dict[str, Any] = record["quality"]
        return found

    @pytest.mark.parametrize("name", READ)
    def test_what_is_read(self, engine, name, rows, expected, joined, tmp_path):
        header, change = READ[name]
        path = write(tmp_path, header, change(rows))
        # Times of another zone are other ones, by which another sample is drawn.
        self.assert_read(engine, joined, path, expected, centres=name != "T and Z")

    @pytest.mark.parametrize("name", MORE_READ)
    def test_so_is_this(self, name, rows, expected, tmp_path):
        header, change = MORE_READ[name]
        self.assert_read("plain", (), write(tmp_path, header, change(rows)), expected)

    def assert_read(self, engine, joined, path, expected, centres=True):
        found = self.clustered(engine, joined, path)
        assert (found["rows_read"], found["rejects"]) == (ROWS, expected["rejects"])
        assert found["centres"] == expected["centres"] or not centres

    def test_the_citys_parquet_of_2009(self, engine, rows, expected, joined, tmp_path):
        """Its names, times as text, numbers as doubles."""
        columns = dict(zip(HEADER.split(","), zip(*rows, strict=True), strict=True))
        table = {
            new: columns[old] if "time" in old else [float(value) for value in columns[old]]
            for old, new in NAMES_OF_2009.items()
        }
        path = tmp_path / "yellow_tripdata_2009-01.parquet"
        parquet.write_table(pa.table(table), path, row_group_size=200)
        self.assert_read(engine, joined, path, expected)

    @pytest.mark.parametrize("name", BAD)
    def test_what_is_refused(self, engine, name, rows, joined, tmp_path):
        header, change, said, _ = BAD[name]
        path = write(tmp_path, header, change(rows))
        line = self.refused(
            engine, 2, "--data", path, "--clusters", 4, "--workers", 1, "--results", tmp_path / "r",
            *joined,
        )  # fmt: skip
        assert f"{path}, {said}" in line

    @pytest.mark.parametrize("name", BAD)
    def test_it_is_skipped_where_that_is_asked(self, engine, name, rows, joined, tmp_path):
        header, change, said, count = BAD[name]
        path = write(tmp_path, header, change(rows))
        found = self.clustered(engine, joined, path, "--bad-rows", "skip")
        bad = found["bad_rows"]
        skipped = 0 if count == ROWS else count
        assert (bad["rows"], bad["skipped"]) == (count, skipped)
        assert found["rows_read"] == ROWS - skipped
        assert f"line {bad['first'][0]['line']}" == said.split(",")[0].split(":")[0]
        assert len(bad["first"]) == min(count, 10) and sum(bad["reasons"].values()) == count

    @pytest.mark.parametrize("seed", range(4))
    def test_several_equally_good_assignments_are_right(self, seed, tmp_path):
        path = write(tmp_path, HEADER, half_way())
        self.clustered("plain", (), path, "--clusters", 2, "--seed", seed)

    def test_so_they_are_on_every_engine(self, engine, joined, tmp_path):
        path = write(tmp_path, HEADER, half_way())
        self.clustered(engine, joined, path, "--clusters", 2)


def write(folder: Path, header: str, rows: Rows) -> Path:
    path = folder / "trips.csv"
    path.write_text("\n".join([header, *map(",".join, rows)]) + "\n")
    return path
