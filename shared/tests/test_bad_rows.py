"""Rows that cannot be read: the first is named, or all are left out alike, counted and shown."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studykit.errors import DataError, UsageError
from studykit.options import Options, parse_share
from studykit.storage import Block
from studykit.storage.reading import line_numbers
from studykit.text import bad_rows
from studykit.text.bad_rows import BadRows

LINES = [b"1", b"x", b"", b"22", b"y y", b"3"]


def numbers(block: Block) -> list[int]:
    """A reader of whole numbers that takes all lines of a block or none."""
    try:
        return [int(line) for line in block.data.tobytes().split(b"\n") if line]
    except ValueError as error:
        raise DataError(f"{str(error).split(': ')[1]} is no number: write one", uri="f") from None


@given(st.lists(st.sampled_from(LINES), max_size=40), st.booleans())
def test_only_the_wrong_lines_are_left_out(lines: list[bytes], ended: bool) -> None:
    text = b"\n".join(lines) + b"\n" * ended
    block, bad = Block(np.frombuffer(text, np.uint8) if text else np.empty(0, np.uint8), 100), []
    found = bad_rows.read_rows(block, numbers, lambda error, at: bad.append((error.reason, at)))
    assert [value for part in found for value in part] == [
        int(line) for line in lines if line.isdigit()
    ]
    begins = np.cumsum([0, *(len(line) + 1 for line in lines)])
    wrong = [100 + begin for begin, line in zip(begins, lines, strict=False) if line[:1] > b"9"]
    assert [at for _, at in bad] == wrong


def test_clean_text_is_read_at_once() -> None:
    blocks = []

    def counted(block: Block) -> list[int]:
        blocks.append(block)
        return numbers(block)

    whole = Block(np.frombuffer(b"1\n2\n3\n", np.uint8), 0)
    assert list(bad_rows.read_rows(whole, counted, bad_rows.refuse)) == [[1, 2, 3]]
    assert blocks == [whole]


def test_the_first_wrong_line_is_refused_with_its_number_and_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"header\n1\n\nx\ny\n")

    def read(block: Block) -> list[int]:
        try:
            return numbers(block)
        except DataError as error:
            raise DataError(error.reason, uri=str(path), column="n") from None

    block = Block(np.frombuffer(path.read_bytes()[7:], np.uint8), 7)
    with pytest.raises(DataError) as caught:
        list(bad_rows.read_rows(block, read, bad_rows.refuse))
    assert str(caught.value) == (
        f"{path}, line 4, column n: b'x' is no number: write one"
        " (--bad-rows skip leaves such rows out)"
    )


def taken(uri: str, *wrong: tuple[int, str]) -> BadRows:
    found = BadRows()
    for offset, reason in wrong:
        found.take(DataError(reason, uri=uri, column="n"), offset)
    return found


def test_reasons_are_counted_without_the_values_in_them() -> None:
    found = taken(
        "a", (1, "'1: 5' is no number: write one"), (2, "\"it's\" is no number: write one"),
        (3, "-2.5 is negative"), (4, "'x' does not fit int64 (-9 … 9)"),
    )  # fmt: skip
    assert found.reasons == {
        "column n: … is no number": 2,
        "column n: … is negative": 1,
        "column n: … does not fit int64 (… … …)": 1,
    }


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 99)), max_size=40), st.data())
def test_parts_add_up_to_the_same_in_any_order(
    wrong: list[tuple[str, int]], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(wrong)), max_size=4))
    parts = np.split(np.arange(len(wrong)), sorted(cuts))
    some = [BadRows.total(taken(wrong[i][0], (wrong[i][1], "bad")) for i in p) for p in parts]
    whole = BadRows.total(data.draw(st.permutations(some)))
    assert whole.count == whole.skipped == len(wrong)
    assert [(row.uri, row.offset) for row in whole.first] == sorted(wrong)[:10]


def test_what_quality_says_of_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"1\nx\n2\ny\n")
    bad = taken(str(path), (6, "'y' is no number"), (2, "'x' is no number"))
    bad.mend(str(path), "too long", [4])
    options = Options(bad_rows="skip", bad_rows_limit="50%")
    assert bad_rows.accepted(options, bad, 2)["bad_rows"] == {
        "rows": 3,
        "skipped": 2,
        "share": 0.5,
        "reasons": {"column n: … is no number": 2, "too long": 1},
        "first": [
            {"file": str(path), "line": 2, "reason": "column n: 'x' is no number"},
            {"file": str(path), "line": 3, "reason": "too long"},
            {"file": str(path), "line": 4, "reason": "column n: 'y' is no number"},
        ],
    }
    with pytest.raises(DataError) as caught:
        bad_rows.accepted(Options(bad_rows="skip"), bad, 2)
    assert str(caught.value).startswith(
        f"{path}, line 2: 2 of 4 rows cannot be read (50.00%), more than --bad-rows-limit 1%"
    )
    assert bad_rows.accepted(Options(), BadRows(), 2) == {}


@pytest.mark.parametrize(
    ("text", "share"), [("1%", 0.01), ("0.01", 0.01), (".5", 0.5), ("0", 0), ("100 %", 1)]
)
def test_shares(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["1", "2", "101%", "-1%", "x", "", "1 percent"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UsageError, match=r"1% or 0\.01"):
        parse_share(text)


@given(st.lists(st.integers(0, 30), max_size=6).map(sorted))
def test_lines_of_several_places_are_counted_in_one_reading(offsets: list[int]) -> None:
    text = b"a\nbb\n\nccc\nd\n\n\neeeee\nf\ng"
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        found = line_numbers(file.name, offsets)
    assert found == [text[:offset].count(b"\n") + 1 for offset in offsets]
