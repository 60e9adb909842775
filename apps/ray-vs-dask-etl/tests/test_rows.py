"""Reading: what is unusual is read right, what is wrong is named with its file and line."""

import gzip
import re

import pytest
from ray_vs_dask_etl.rows import Columns
from studykit.errors import DataError
from tables import HEADER, aggregate, assert_groups, fraction_groups, random_rows, write_rows

ROWS = random_rows(3000, seed=1)


@pytest.mark.parametrize("split_size", [1, 50, 1 << 10, 1 << 14, 1 << 20])
def test_every_split_size_gives_the_table_of_the_fractions(tmp_path, split_size):
    lines = ROWS[:100] if split_size == 1 else ROWS
    path = write_rows(tmp_path / "rows.csv", lines)
    assert_groups(aggregate(path, split_size), fraction_groups(lines))


@pytest.mark.parametrize("split_size", [40, 1 << 20])
def test_lines_that_only_the_exact_reader_takes(tmp_path, split_size):
    lines = [
        "1,0.5,1,A",
        '2,"0.25",2,"B"',
        "3, 0.125 ,3,A",
        "4,+7,4,B",
        "5,0.1000000000000000055511151231257827,5,A",
        "6,1e-40,6,B",
        "7,0.75,7,A",
    ]
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + "\n".join(lines))
    right = fraction_groups(
        [
            (1, "0.5", "1", "A"), (2, "0.25", "2", "B"), (3, "0.125", "3", "A"), (4, "7", "4", "B"),
            (5, "0.1", "5", "A"), (6, "1e-40", "6", "B"), (7, "0.75", "7", "A"),
        ]
    )  # fmt: skip
    assert_groups(aggregate(path, split_size), right)


@pytest.mark.parametrize("every", [1, 2, 3, 2500])
def test_a_file_of_unclean_lines_is_read_too(tmp_path, every):
    lines = [(i, x if i % every else f"{x} ", y, c) for i, x, y, c in ROWS]
    path = write_rows(tmp_path / "rows.csv", lines)
    for split_size in (4096, 1 << 20):
        assert_groups(aggregate(path, split_size), fraction_groups(ROWS))


@pytest.mark.parametrize(
    ("before", "end", "last"),
    [("", "\r\n", "\r\n"), ("\ufeff", "\n", "\n"), ("", "\n", ""), ("\n\n", "\n\n", "\n")],
    ids=["CRLF", "byte order mark", "no last line end", "blank lines"],
)
@pytest.mark.parametrize("split_size", [33, 1 << 20])
def test_line_ends_and_what_stands_before_the_header(tmp_path, before, end, last, split_size):
    lines = ROWS[:200]
    text = end.join(["id,x,y,category", *(f"{i},{x},{y},{c}" for i, x, y, c in lines)])
    path = tmp_path / "rows.csv"
    path.write_bytes((before + text + last).encode())
    assert_groups(aggregate(path, split_size), fraction_groups(lines))


def test_a_folder_with_a_gzipped_file_and_columns_in_another_order(tmp_path):
    write_rows(tmp_path / "a.csv", ROWS[:1000])
    text = "category,note,y,id,x\n" + "".join(
        f"{c},none,{y},{i},{x}\n" for i, x, y, c in ROWS[1000:]
    )
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert_groups(aggregate(tmp_path, 5000), fraction_groups(ROWS))


def test_other_names_and_categories(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('key,height,"eye colour"\n1,1.75,blue\n2,1.5,"light brown"\n3,1.25,blue\n')
    columns = Columns("key", ("height",), "eye colour", ("blue", "light brown"))
    table = aggregate(path, columns=columns)
    assert [(row["category"], row["count"], row["mean_height"]) for row in table] == [
        ("blue", 2, 1.5),
        ("light brown", 1, 1.5),
    ]


BAD_LINES = {
    "a field too many": ("2,0.5,0.5,A,1", "expected 4 columns, found 5"),
    "a field too few": ("2,0.5,A", "expected 4 columns, found 3"),
    "text in a number": ("2,0.5,half,A", "'half'"),
    "text in an id": ("two,0.5,0.5,A", "'two'"),
    "a missing number": ("2,,0.5,A", "a missing value"),
    "not a number": ("2,nan,0.5,A", "nan is not a finite number"),
    "infinite": ("2,0.5,-inf,A", "-inf is not a finite number"),
    "beyond a double": ("2,1e999,0.5,A", "inf is not a finite number"),
    "another category": ("2,0.5,0.5,E", "'E' is none of A, B, C, D"),
    "a missing category": ("2,0.5,0.5,", "a missing value, ''"),
    "a quoted line break": ('2,0.5,"0.\n5",A', "a quote that is not closed"),
    "a NUL byte": ("2,0.\x005,0.5,A", "a NUL byte"),
    "a lone carriage return": ("2,0.5\r,0.5,A", "a carriage return"),
}


@pytest.mark.parametrize("name", BAD_LINES)
@pytest.mark.parametrize("split_size", [60, 1 << 20])
def test_a_wrong_line_is_named(tmp_path, name, split_size):
    wrong, reason = BAD_LINES[name]
    good = "".join(f"{i},{x},{y},{c}\n" for i, x, y, c in ROWS[:500])
    path = tmp_path / "rows.csv"
    path.write_bytes((HEADER + good + wrong + "\n" + good).encode())
    with pytest.raises(DataError, match=re.escape(reason)) as caught:
        aggregate(path, split_size)
    assert (caught.value.uri, caught.value.line) == (str(path), 502)


def test_a_truncated_last_line_is_named(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + "1,0.5,0.5,A\n2,0.5,0.5")
    with pytest.raises(DataError, match="expected 4 columns, found 3") as caught:
        aggregate(path)
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (b"", "the file is empty|no data", None),
        (b"\n\r\n", "the file is empty", None),
        (b"id,x,category\n1,2,A\n", "no column 'y'", 1),
        (b"\nid,x,x,y,category\n", "column 'x' twice", 2),
        (b"1,0.5,0.5,A\n", "no column 'id'", 1),
        (b'id,x,"y,category\n1,2,3,A\n', "header", 1),
    ],
)
def test_a_wrong_head_is_named(tmp_path, content, reason, line):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        aggregate(path)
    assert (caught.value.uri, caught.value.line) == (str(path), line)


def test_a_header_alone_has_no_rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(HEADER)
    assert aggregate(path) == []
