"""Delimited text: what is unusual but right is read, what is wrong is named with its line."""

from pathlib import Path

import delimited_files
import pyarrow as pa
import pytest
from delimited_files import BLANKS, CSV, EDGES, read
from hypothesis import example, given, settings
from hypothesis import strategies as st
from studykit.errors import DataError
from studykit.text import arrow_csv
from studykit.text.delimited import Dialect

path = delimited_files.path


@pytest.mark.parametrize("split_size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "dialect", "header"),
    [
        (b"1,2\n3,4\n", CSV, False),
        (b"1,2\n3,4", CSV, False),
        (b"1,2\r\n3,4\r\n", CSV, False),
        (b"\xef\xbb\xbf1,2\n3,4\n", CSV, False),
        (b"\xef\xbb\xbf# by hand\r\n1,2\r\n3,4", CSV, False),
        (b"\n1,2\n\n \t\n3,4\n\n", CSV, False),
        (b"# a\n1,2\n% b,c,d\n3,4\n#", CSV, False),
        (b"  # a\n1,2\n\t% b,c\n3,4\n", CSV, False),
        (b" 1 ,\t2\n3, 4 \n", CSV, False),
        (b'"1",2\n3,"4"\n', CSV, False),
        (b"source,destination\n1,2\n3,4\n", Dialect(","), True),
        (b'\xef\xbb\xbf"source","destination"\r\n1,2\r\n3,4', Dialect(","), True),
        (b"# a\n\nsource,destination\n1,2\n3,4\n", Dialect(",", b"#"), True),
        (b"\xef\xbb\xbf# a\n\nsource,destination\n1,2\n3,4", Dialect(",", b"#"), True),
        (b"1\t2\n3\t4\n", Dialect("\t"), False),
        (b"1\t2\n3 4", BLANKS, False),
        (b"  1 \t 2  \r\n# FromNodeId\tToNodeId\n\t3  4\t\r\n", BLANKS, False),
    ],
)
def test_what_is_unusual_but_right_is_read(
    path: Path, text: bytes, dialect: Dialect, header: bool, split_size: int
) -> None:
    assert read(path, text, dialect, split_size=split_size, header=header) == [(1, 2), (3, 4)]


@pytest.mark.parametrize("split_size", [1, 1000])
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"3,4,5\n", "expected 2 columns, found 3"),
        (b"3\n", "expected 2 columns, found 1"),
        (b"3", "expected 2 columns, found 1"),
        (b"3;4\n", "expected 2 columns, found 1; between semicolons they are 2"),
        (b"3\t4\n", "expected 2 columns, found 1; between tabs they are 2"),
        (b"3,\n", "column destination: a missing value, ''"),
        (b"3,  \n", "column destination: a missing value, '  '"),
        (b"3,NULL\n", "column destination: a missing value, 'NULL'"),
        (b"3,?\n", "column destination: a missing value, '?'"),
        (b'3,"1,234"\n', "'1,234' is not an integer: it has a thousands separator"),
        (b'3,"1,5"\n', "'1,5' is not an integer: it has a comma where numbers here have a point"),
        (b"3,", "column destination: a missing value"),
        (b"3,12a\n", "column destination: '12a' is not an integer"),
        (b"b3,4\n", "column source: 'b3' is not an integer"),
        (b"3,0x1F\n", "column destination: '0x1F' is not an integer"),
        (b"3,1_0\n", "column destination: '1_0' is not an integer"),
        (b"3,4.0\n", "column destination: '4.0' is not an integer"),
        (b"3,1 2\n", "column destination: '1 2' is not an integer"),
        (b"3," + b"9" * 5000 + b"\n", f"column destination: '{'9' * 40}…' does not fit int64"),
        (b"3,9223372036854775808\n", "'9223372036854775808' does not fit int64"),
        (b"3,\xd9\xa1\n", "'\u0661' is not an integer"),
        (b"3,\0\0\n", "a NUL byte"),
        (b"3,\xff\n", "a byte that is not UTF-8 text"),
        (b"3,4\r5,6\n", "a carriage return inside the line"),
        (b"3,4\r", "a carriage return inside the line"),
        (b'3,"4\n5"\n', "a quote that is not closed in its line"),
        (b'"3"1,4\n', "text behind a closing quote"),
        (b'"3""1",4\n', "column source: '3\"1' is not an integer"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    path: Path, wrong: bytes, reason: str, split_size: int
) -> None:
    with pytest.raises(DataError) as caught:
        read(path, b"# a comment\n1,2\r\n\n" + wrong, split_size=split_size)
    assert str(caught.value).startswith(f"{path}, line 4")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"3 4 5\n", "expected 2 columns, found 3"),
        (b"3\n", "expected 2 columns, found 1"),
        (b"3 4x", "'4x' is not an integer"),
        (b'3 "4"', "is not an integer"),
    ],
)
def test_columns_of_blanks_are_as_strict(path: Path, wrong: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=f"line 2.*{reason}"):
        read(path, b"1\t2\n" + wrong, BLANKS)


def test_only_the_start_of_a_file_has_a_byte_order_mark(path: Path) -> None:
    with pytest.raises(DataError, match="line 2, column source"):
        read(path, b"1,2\n\xef\xbb\xbf3,4\n", split_size=4)


def test_the_first_of_several_wrong_lines_is_named(path: Path) -> None:
    with pytest.raises(DataError, match="line 2, column source: 'x'"):
        read(path, b"1,2\nx,4\n1,2,3\n")


def test_a_header_is_not_skipped_twice(path: Path) -> None:
    with pytest.raises(DataError, match="line 2, column source: 'source'"):
        read(path, b"source,destination\nsource,destination\n", header=True)


def test_a_header_alone_holds_no_rows(path: Path) -> None:
    assert read(path, b"source,destination\n", header=True) == []


FIELDS = st.one_of(
    st.integers(-(2**63) - 1, 2**63).map(str),
    st.sampled_from(["", "x", "0x1", '"7"', '"7"1', " 8\t", "+1", "1_1", "00", "-0", "a\rb", "\0"]),
)
FILES = st.lists(
    st.lists(FIELDS, min_size=1, max_size=3).map(",".join), min_size=2, max_size=6
).map("\n".join)


@settings(deadline=None)
@given(FILES, st.sampled_from([",", None]))
@example('1,2\n"1","2"\n', ",")
def test_the_whole_block_and_the_lines_are_read_alike(
    path: Path, text: str, delimiter: str | None
) -> None:
    data = text.replace(",", delimiter or " ").encode()
    quick = arrow_csv.read(data, Dialect(delimiter), EDGES, EDGES.names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow_csv, "read", lambda *_: None)
        try:
            slow = read(path, data, Dialect(delimiter))
        except DataError:
            assert quick is None
            return
    assert quick is None or [tuple(row.values()) for row in quick.to_pylist()] == slow


def test_a_quoted_field_may_be_long(path: Path) -> None:
    schema = pa.schema([("name", pa.string()), ("note", pa.string())])
    long = "a" * 300_000
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow_csv, "read", lambda *_: None)
        assert read(path, f'"{long}",1\n'.encode(), CSV, schema) == [(long, "1")]


QUOTED = st.lists(st.text('a",\r 1é', max_size=4), min_size=2, max_size=2)


@settings(deadline=None)
@given(st.lists(QUOTED, min_size=1, max_size=5))
def test_quoted_text_is_read_whichever_way(path: Path, rows: list[list[str]]) -> None:
    schema = pa.schema([("name", pa.string()), ("note", pa.string())])
    rows = [[field.replace("\r", "") for field in row] for row in rows]
    written = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    data = "\r\n".join(written).encode()
    expected = [tuple(row) for row in rows]
    assert read(path, data, Dialect(","), schema) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow_csv, "read", lambda *_: None)
        assert read(path, data, Dialect(","), schema) == expected


def test_clean_text_does_not_go_line_by_line() -> None:
    """The reader of whole blocks must take what is common, or large files would take hours."""
    for text, dialect in (
        (b"1,2\n3,4", CSV),
        (b'"1",2\r\n\r\n 3,"4"\r\n', CSV),
        (b"# 1\n1\t2\n3  4 \n", BLANKS),
    ):
        table = arrow_csv.read(text, dialect, EDGES, EDGES.names)
        assert table is not None
        assert table.to_pydict() == {"source": [1, 3], "destination": [2, 4]}


def test_a_line_alone_is_read_as_a_line() -> None:
    """As wrong ones come, by the ten thousand: to ask Arrow costs ten times as much."""
    assert arrow_csv.read(b"1,2\n", CSV, EDGES, EDGES.names) is None
