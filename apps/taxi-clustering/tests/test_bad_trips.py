"""Rows that cannot be read, and rows that lack a value: refused, skipped or counted, as asked."""

import tempfile
from pathlib import Path

import pytest
from case import CASE
from forms import Form
from forms import lines as lines_of
from forms import trips as made
from hypothesis import given, settings
from hypothesis import strategies as st
from studykit.errors import DataError
from studytest.contract.of_study import OfStudy
from taxi import HEADER, made_up, read, row, write_trips
from taxi_clustering import oracle_rows
from taxi_clustering.exact_rows import SURPLUS

LINES = [line.encode() for line in lines_of(Form(), made(120))]
BAD = {
    b"": None,
    b"not a row": "expected … columns, found …",
    LINES[1] + b",7": "expected … columns, found …",
    LINES[1].replace(b"2015-01-15 08", b"2015-02-30 08"): (
        "column tpep_pickup_datetime: … is no time"
    ),
    LINES[1].replace(b"-73.96", b"west"): "column dropoff_longitude: … is no finite number",
    LINES[1].replace(b"-73.96", b"inf"): "column dropoff_longitude: … is no finite number",
    LINES[1].replace(b"-73.96", b'"1,073.96"'): "column dropoff_longitude: … is no finite number",
    LINES[1].replace(b"-73.96", b"\0"): "a NUL byte",
    LINES[1].replace(b"-73.96", b'"-73.96'): "a quote that is not closed in its line",
    LINES[1].replace(b",", b"\r", 1): "a carriage return inside the line",
}
"""{a line: what is counted of it}; a blank one is none."""
MISSING = {
    LINES[1].replace(b"-73.96", word): f"column dropoff_longitude: a missing value{shown}"
    for word, shown in (
        (b"", ""),
        (b" ", ""),
        (b"NaN", " (…)"),
        (b"null", " (…)"),
        (b"\\N", " (…)"),
    )
}
MENDED = [LINES[1] + b",,", LINES[1] + b', ,""', LINES[1].replace(b"-73.96", b'"-73.96"') + b","]

INSERTED = st.lists(
    st.tuples(st.integers(1, 120), st.sampled_from([*BAD, *MISSING, *MENDED])), max_size=30
)


def inserted(path: Path, places: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Write the trips with further lines before those of these numbers → (line, what it is)."""
    rows, found = list(LINES), []
    for place, line in sorted(places, key=lambda item: item[0], reverse=True):
        rows.insert(place, line)
    path.write_bytes(b"\n".join(rows) + b"\n")
    for number, line in enumerate(rows, start=1):
        if line in MISSING or line in MENDED or BAD.get(line):
            found.append((number, line))
    return found


@settings(max_examples=60, deadline=None)
@given(places=INSERTED, split_size=st.sampled_from([1 << 20, 1000, 150]), count=st.booleans())
def test_the_same_rows_are_left_out_however_the_file_is_cut(places, split_size, count):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trips.csv"
        wrong = inserted(path, places)
        found = read(path, split_size, count_missing=count, skip_bad=True)
        missing = [line for _, line in wrong if line in MISSING]
        mended = [line for _, line in wrong if line in MENDED]
        skipped = [line for _, line in wrong if BAD.get(line) or (line in missing and not count)]
        assert found.rows == 120 + len(mended) + (len(missing) if count else 0)
        assert (found.rejects[-1], found.bad.mended) == (len(missing) * count, len(mended))
        assert found.bad.skipped == len(skipped)
        expected = [BAD.get(line) or MISSING[line] for line in skipped] + [SURPLUS] * len(mended)
        assert found.bad.reasons == {reason: expected.count(reason) for reason in expected}
        text = path.read_bytes()
        numbers = [text[: bad.offset].count(b"\n") + 1 for bad in found.bad.first]
        listed = [number for number, line in wrong if not (line in MISSING and count)]
        assert numbers == listed[:10]
        batches = list(oracle_rows.batches_for(str(path), True, True, lambda batch: batch))
        assert sum(batch.bad for batch in batches) == len(skipped) - len(missing) * (not count)
        assert sum(batch.missing for batch in batches) == len(missing)
        assert sum(len(batch.columns["from"]) for batch in batches) == 120 + len(mended)


@settings(max_examples=30, deadline=None)
@given(places=INSERTED, split_size=st.sampled_from([1 << 20, 1000, 150]), count=st.booleans())
def test_without_leave_the_first_of_them_is_refused_with_its_line(places, split_size, count):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trips.csv"
        wrong = [one for one in inserted(path, places) if not (count and one[1] in MISSING)]
        if not wrong:
            read(path, split_size, count_missing=count)
            return
        with pytest.raises(DataError, match="--bad-rows skip") as caught:
            read(path, split_size, count_missing=count)
        assert (caught.value.uri, caught.value.line) == (str(path), wrong[0][0])


class TestBadRows(OfStudy):
    case = CASE

    def test_too_many_are_refused_with_their_share(self, tmp_path):
        rows = [row(pickup=(-73.98, 40.75 + i / 1000)) for i in range(98)]
        path = write_trips(tmp_path / "trips.csv", [*rows, "x", row(total="y")])
        argv = ("--data", path, "--clusters", 4, "--workers", 1, "--results", tmp_path / "r")
        line = self.refused("plain", 2, *argv, "--bad-rows", "skip")
        assert f"{path}, line 100: 2 of 100 rows cannot be read (2.00%)" in line
        assert "--bad-rows-limit 1%" in line
        found = self.called("plain", *argv, "--bad-rows", "skip", "--bad-rows-limit", "2%")
        assert found["quality"]["bad_rows"] == {
            "rows": 2,
            "skipped": 2,
            "share": 0.02,
            "reasons": {
                "column total_amount: … is no finite number": 1,
                "expected … columns, found …": 1,
            },
            "first": [
                {"file": str(path), "line": 100, "reason": "expected 19 columns, found 1"},
                {
                    "file": str(path),
                    "line": 101,
                    "reason": "column total_amount: 'y' is no finite number:"
                    " write digits with a point, without commas or units",
                },
            ],
        }
        assert found["check"]["passed"] is True

    def test_missing_values_are_counted_under_a_rule_of_their_own(self, tmp_path):
        path = made_up(tmp_path / "trips.csv", 300)
        with path.open("a") as file:
            file.write(row(dropoff=("", "")) + "\n" + row(total="NULL") + "\n")
        argv = ("--data", path, "--clusters", 4, "--workers", 1, "--results", tmp_path / "r")
        line = self.refused("plain", 2, *argv)
        assert "line 302, column dropoff_longitude: a missing value: --missing count" in line
        found = self.called("plain", *argv, "--missing", "count")
        assert found["quality"]["rejects"]["missing"] == 2
        assert found["quality"]["rows_read"] == 302
        assert found["check"]["passed"] is True
        assert "bad_rows" not in found["quality"]

    def test_nothing_but_bad_rows_is_no_answer(self, tmp_path):
        path = write_trips(tmp_path / "trips.csv", ["x"] * 5, HEADER)
        line = self.refused(
            "plain", 2, "--data", path, "--workers", 1, "--bad-rows", "skip",
            "--bad-rows-limit", "100%", "--results", tmp_path / "r",
        )  # fmt: skip
        assert "no trips" in line
