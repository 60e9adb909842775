"""Rows that cannot be read are left out alike however the input is cut, and the check agrees."""

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from case import CASE
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from ray_vs_dask_etl import oracle_rows, rows
from studykit import cutting
from studykit.text.bad_rows import BadRows
from studytest.contract.of_study import OfStudy
from tables import COLUMNS

GOOD = [f"{i},{i / 7},{-i / 3},{'ABCD'[i % 4]}".encode() for i in range(100)]
ODD = [b'7,"0.5",1e3,A', b" 8 , 2.5 ,.5,B", b'9,0.12345678901234567,1,"C"', b"", b"   "]
"""Right, and not plain; or blank."""
BAD = [
    b"not a row", b"1,2,3,A,", b"1,2,A", b"x,1,2,A", b"1.0,1,2,A", b"0x1F,1,2,A", b"1,1_0,2,A",
    b"1,,2,A", b"1,nan,2,A", b"1,inf,2,A", b"1,2,3,E", b"1,2,3,", b"1,2,3, A", b'1,2,"3,A',
    b'1,2,3,"A"x', b"1,2,\0,A", b"1\r,2,3,A", b"9223372036854775808,1,2,A", b'1,"1,5",2,A',
]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 100), st.sampled_from(BAD + ODD)), max_size=25),
    st.sampled_from([1 << 20, 300, 40]),
)
def test_bad_lines_are_left_out_and_nothing_else(places, split_size):
    lines = list(GOOD)
    for place, line in sorted(places, key=lambda item: item[0], reverse=True):
        lines.insert(place, line)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        path.write_bytes(b"\n".join([b"id,x,y,category", *lines]))
        pieces = cutting.splits(str(path), split_size)
        forms = rows.formats([str(path)], COLUMNS, skip_bad=True)
        bad, ids = BadRows(), []
        for piece in pieces:
            for chunk in rows.read(piece, forms[str(path)], COLUMNS, bad=bad):
                ids += chunk.ids.tolist()
        wrong = [number for number, line in enumerate(lines, start=2) if line in BAD]
        right = [line for line in lines if line.strip() and line not in BAD]
        assert ids == [int(line.split(b",")[0]) for line in right]
        assert bad.count == len(wrong)
        text = path.read_bytes()
        assert [text[: row.offset].count(b"\n") + 1 for row in bad.first] == wrong[:10]
        (by_oracle,) = oracle_rows.of_text(iter([text]), COLUMNS, skip=True)
        assert by_oracle().ids.tolist() == ids


class TestBadLines(OfStudy):
    case = CASE

    @pytest.mark.parametrize("task", ["etl", "logistic-regression"])
    @pytest.mark.parametrize("form", ["csv", "parquet"])
    def test_what_is_skipped_is_in_the_record_of_both_tasks(self, task, form, tmp_path):
        lines = [*GOOD * 5]
        lines[7:7] = [b"7,soon,1,A"] if form == "csv" else [b"7,nan,1,A"]
        lines[300:300] = [b"8,1,1,E"]
        path = tmp_path / f"rows.{form}"
        if form == "csv":
            path.write_bytes(b"\n".join([b"id,x,y,category", *lines]) + b"\n")
        else:
            fields = [line.decode().split(",") for line in lines]
            columns = {"id": [int(f[0]) for f in fields], "x": [float(f[1]) for f in fields],
                       "y": [float(f[2]) for f in fields],
                       "category": [f[3] for f in fields]}  # fmt: skip
            parquet.write_table(pa.table(columns), path, row_group_size=60)
        record = self.called(
            "plain", "--data", path, "--task", task, "--workers", 2, "--bad-rows", "skip",
            "--split-size", "1kb", "--results", tmp_path / "r", *(["--l2", 1] * (task != "etl")),
        )  # fmt: skip
        bad = record["quality"]["bad_rows"]
        assert record["check"]["passed"] is True
        assert (record["quality"]["rows"], bad["rows"], bad["skipped"]) == (500, 2, 2)
        if form == "csv":
            assert [row["line"] for row in bad["first"]] == [9, 302]
        else:
            places = [row["place"] for row in bad["first"]]
            assert places == ["row 8 (row group 0)", "row 301 (row group 5)"]
        assert "category: 'E' is none of A, B, C, D" in bad["first"][1]["reason"]
