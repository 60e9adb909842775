"""Files as users bring them to public trackers, made up here: on every engine, each kind once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from case import CASE
from studytest.contract.of_study import OfStudy
from taxi import HEADER, made_up, row
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


class TestCases(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def rows(self, tmp_path_factory: pytest.TempPathFactory) -> Rows:
        path = made_up(tmp_path_factory.mktemp("rows") / "trips.csv", ROWS)
        return [line.split(",") for line in path.read_text().splitlines()[1:]]

    @pytest.fixture(scope="class")
    def expected(self, rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("expected")
        return self.answer("plain", folder, HEADER, rows)

    def write(self, folder: Path, header: str, rows: Rows) -> Path:
        path = folder / "trips.csv"
        path.write_text("\n".join([header, *map(",".join, rows)]) + "\n")
        return path

    def answer(
        self, engine: str, folder: Path, header: str, rows: Rows, *argv: object
    ) -> dict[str, Any]:
        record = self.called(
            engine, "--data", self.write(folder, header, rows), "--clusters", 4, "--workers", 2,
            "--results", folder / "results", *argv,
        )  # fmt: skip
        assert record["check"]["passed"] is True
        found: dict[str, Any] = record["quality"]
        return found

    @pytest.mark.parametrize("name", READ)
    def test_what_is_read(self, name, rows, expected, tmp_path):
        header, change = READ[name]
        found = self.answer("plain", tmp_path, header, change(rows))
        assert (found["rows_read"], found["rejects"]) == (ROWS, expected["rejects"])
        if name != "T and Z":  # Its times are other ones, by which another sample is drawn.
            assert found["centres"] == expected["centres"]

    @pytest.mark.parametrize("name", BAD)
    def test_what_is_refused_or_skipped(self, name, rows, tmp_path):
        header, change, said, count = BAD[name]
        path = self.write(tmp_path, header, change(rows))
        argv = ("--data", path, "--clusters", 4, "--workers", 1)
        line = self.refused("plain", 2, *argv, "--results", tmp_path / "r")
        assert f"{path}, {said}" in line
        found = self.answer("plain", tmp_path, header, change(rows), "--bad-rows", "skip")
        bad = found["bad_rows"]
        skipped = 0 if count == ROWS else count
        assert (bad["rows"], bad["skipped"]) == (count, skipped)
        assert found["rows_read"] == ROWS - skipped
        assert f"line {bad['first'][0]['line']}" == said.split(",")[0].split(":")[0]
        assert len(bad["first"]) == min(count, 10) and sum(bad["reasons"].values()) == count

    def test_all_of_them_in_one_folder_on_every_engine(
        self, engine, rows, expected, joining, tmp_path
    ):
        folder, count = tmp_path / "data", len(READ) + len(BAD)
        forms = [*READ.values(), *((header, change) for header, change, _, _ in BAD.values())]
        for number, (header, change) in enumerate(forms):
            (folder / str(number)).mkdir(parents=True)
            path = self.write(folder / str(number), header, change(rows))
            path.rename(folder / f"{number}.csv")
            (folder / str(number)).rmdir()
        record = self.called(
            engine, "--data", folder, "--clusters", 4, "--workers", 2, "--split-size", "20kb",
            "--bad-rows", "skip", "--results", tmp_path / "results", *joining(engine),
        )  # fmt: skip
        found, bad = record["quality"], record["quality"]["bad_rows"]
        assert record["check"]["passed"] is True
        assert (found["rows_read"], bad["rows"]) == (count * ROWS - 2, ROWS + 2)
        places = [(Path(row["file"]).name, row["line"]) for row in bad["first"]]
        assert places == [("5.csv", 19), ("6.csv", 302), *(("7.csv", n) for n in range(2, 10))]
        assert found["rejects"]["total"] == count * expected["rejects"]["total"]

    @pytest.mark.parametrize("seed", range(4))
    def test_several_equally_good_assignments_are_right(self, seed, tmp_path):
        self.answer("plain", tmp_path, HEADER, half_way(), "--clusters", 2, "--seed", seed)

    def test_so_they_are_on_every_framework(self, framework, joining, tmp_path):
        self.answer(framework, tmp_path, HEADER, half_way(), "--clusters", 2, *joining(framework))
