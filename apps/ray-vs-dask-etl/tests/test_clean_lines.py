"""The compiled reader: every number it takes is the double that Python reads, or it takes none."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ray_vs_dask_etl import clean_lines
from ray_vs_dask_etl.rows import Columns, RowFormat

COLUMNS = Columns("id", ("x",), "kind", ("A", "B", "long", "lone"))
NAMES = ("id", "x", "kind")


def parse(text: bytes, names: tuple[str, ...] = NAMES, most: int = 100):
    """(ids, numbers, codes) as lists, and the offset at which the reader stopped."""
    data = np.frombuffer(text, np.uint8)
    room = np.empty(most, np.int64), np.empty((1, most)), np.empty(most, np.uint8)
    roles = RowFormat(names, 0).roles(COLUMNS)
    count, stopped = clean_lines.parse(data, 0, most, roles, *COLUMNS.tables, *room)
    return (room[0][:count].tolist(), room[1][0, :count].tolist(), room[2][:count].tolist()), int(
        stopped
    )


def number(text: str) -> float | None:
    (_, values, _), stopped = parse(f"1,{text},A\n".encode())
    assert bool(values) == (stopped > 0)
    return values[0] if values else None


def same(found: float, right: float) -> bool:
    return found == right and math.copysign(1, found) == math.copysign(1, right)


@settings(max_examples=3000, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_prints_is_read_back_to_the_last_bit(value):
    found = number(repr(value))
    assert found is None or same(found, value)


@settings(max_examples=3000, deadline=None)
@given(st.floats(1e-5, 1e6), st.integers(1, 17))
def test_usual_numbers_are_taken_and_right(value, digits):
    for text in (f"{value:.{digits}g}", f"-{value:.{digits - 1}e}", f"{value:.{min(digits, 12)}f}"):
        found = number(text)
        assert found is not None and same(found, float(text)), text


@settings(max_examples=3000, deadline=None)
@given(st.integers(2**53, 10**19 - 1), st.integers(0, 19))
def test_nineteen_digits_are_rounded_to_the_nearest(mantissa, decimals):
    text = f"{mantissa:020d}"
    text = (text[: 20 - decimals] + "." + text[20 - decimals :]) if decimals else text
    found = number(text)
    assert found is None or same(found, float(text))


@settings(max_examples=500, deadline=None)
@given(st.integers(2**52, 2**53 - 1), st.integers(1, 10))
def test_what_lies_in_the_middle_of_two_doubles_is_right_or_left_alone(mantissa, halvings):
    # (2 m + 1) / 2^k lies exactly between two doubles; its decimals end, and may be 19 or fewer.
    text = format((2 * mantissa + 1) * 5**halvings, "d")
    text = text[:-halvings].zfill(1) + "." + text[-halvings:]
    found = number(text)
    assert found is None or same(found, float(text))


@pytest.mark.parametrize(
    "text", ["0", "-0", "0.0", "-0.000", "1.", ".5", "-.5", "00012", "1e5", "1E-5", "2.5e+3",
             "0e9999", "9007199254740994", "0.0000000000000000000123", "1234567890123456789"],
)  # fmt: skip
def test_unusual_spellings_are_taken(text):
    found = number(text)
    assert found is not None and same(found, float(text))


@pytest.mark.parametrize(
    "text", ["", "-", ".", "-.", "1e", "1e+", "e5", "--1", "+1", "1 ", " 1", "nan", "inf", "0x10",
             "1_0", "1e400", "1e-400", "9007199254740993", "12345678901234567890",
             "1.5.2", "1,5", '"1"'],
)  # fmt: skip
def test_what_is_not_clean_is_left_at_the_beginning_of_its_line(text):
    (ids, _, _), stopped = parse(f"7,2,B\n1,{text},A\n".encode())
    assert (ids, stopped) == ([7], 6)


def test_categories_are_told_apart_by_all_their_bytes():
    (_, _, codes), stopped = parse(b"1,1,A\n2,1,B\n3,1,long\n4,1,lone\n5,1,lon\n")
    assert (codes, stopped) == ([0, 1, 2, 3], 30)


@pytest.mark.parametrize(
    "line", [b"1,2\n", b"1,2,A,3\n", b"1,2,C\n", b"x,2,A\n", b"1,2,\n", b"1,2,A\r1,2,A\n"]
)
def test_a_wrong_line_is_left(line):
    (ids, _, _), stopped = parse(b"9,1,A\n" + line)
    assert (ids, stopped) == ([9], 6)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends_blank_lines_and_a_missing_end(end):
    found, stopped = parse(end + b"1,2,A" + end + end + b"2,3,B")
    assert found == ([1, 2], [2.0, 3.0], [0, 1])
    assert stopped == 10 + 3 * len(end)


def test_columns_are_taken_by_role_wherever_they_stand():
    text = b"B,what ever,4,17\nA,,-1e2,18\n"
    found, stopped = parse(text, names=("kind", "other", "x", "id"))
    assert found == ([17, 18], [4.0, -100.0], [1, 0])
    assert stopped == len(text)


def test_no_more_rows_than_there_is_room_for():
    found, stopped = parse(b"1,1,A\n2,2,A\n3,3,A\n", most=2)
    assert (found[0], stopped) == ([1, 2], 12)


def test_ids_of_64_bits():
    (ids, _, _), _ = parse(b"-5,1,A\n999999999999999999,1,A\n")
    assert ids == [-5, 999_999_999_999_999_999]
