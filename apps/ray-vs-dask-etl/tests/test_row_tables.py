"""Rows of Parquet: the table and the coefficients of the same rows in CSV; wrong rows named."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from ray_vs_dask_etl import rows
from ray_vs_dask_etl.peers import LIBRARIES
from ray_vs_dask_etl.rows import Columns
from studykit import cutting
from studykit.errors import DataError
from studytest import running
from tables import COLUMNS, aggregate, assert_groups, fraction_groups, random_rows

ROWS = random_rows(3000, seed=1)


def table(lines: Any = ROWS) -> dict[str, Any]:
    """Columns of rows as the CSV has them, and one that nobody reads."""
    ids, x, y, category = zip(*lines, strict=True)
    return {"category": category, "note": ["n"] * len(ids), "y": np.array(y, float),
            "id": ids, "x": np.array(x, float)}  # fmt: skip


def write(path: Path, columns: dict[str, Any], group: int = 700) -> Path:
    parquet.write_table(pa.table(columns), path, row_group_size=group)
    return path


@pytest.mark.parametrize("group", [1, 700, 10_000])
@pytest.mark.parametrize("split_size", [1, 1 << 30])
def test_the_table_is_that_of_the_fractions(tmp_path, group, split_size):
    lines = ROWS[:50] if group == 1 else ROWS
    path = write(tmp_path / "rows.parquet", table(lines), group)
    assert_groups(aggregate(path, split_size), fraction_groups(lines))


def test_a_folder_and_columns_of_other_types(tmp_path):
    columns = table(ROWS[:1000])
    write(tmp_path / "a", columns)
    whole = [(i, str(i - 5), "0.5", "ABCD"[i % 4]) for i in range(100)]
    other = table(whole) | {"x": pa.array([int(x) for _, x, *_ in whole], pa.int16())}
    other["y"] = pa.array([0.5] * 100, pa.float32())
    other["category"] = pa.array([c for *_, c in whole]).dictionary_encode()
    write(tmp_path / "b.parquet", other)
    assert_groups(aggregate(tmp_path), fraction_groups([*ROWS[:1000], *whole]))


def test_the_ids_are_read_where_they_are_asked_for(tmp_path):
    path = str(write(tmp_path / "rows.parquet", table()))
    form = rows.sniff(path, COLUMNS)
    for asked, right in ((True, [line[0] for line in ROWS]), (False, [])):
        found = [
            number
            for split in cutting.splits(path, 1)
            for chunk in rows.read(split, form, COLUMNS, ids=asked)
            for number in chunk.ids.tolist()
        ]
        assert found == right


def test_numbers_as_categories(tmp_path):
    path = write(tmp_path / "rows.parquet", table() | {"category": [i % 2 for i in range(3000)]})
    columns = Columns("id", ("x",), "category", ("1", "0"))
    found = aggregate(path, columns=columns)
    assert [(row["category"], row["count"]) for row in found] == [("1", 1500), ("0", 1500)]


WRONG = {
    "a missing number": ("x", None, "a missing value"),
    "a missing category": ("category", None, "a missing value"),
    "not a number": ("y", float("nan"), "nan is not a finite number"),
    "infinite": ("x", float("-inf"), "-inf is not a finite number"),
    "another category": ("category", "E", "'E' is none of A, B, C, D"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_row_is_named(tmp_path, name):
    column, value, reason = WRONG[name]
    columns = {key: list(values) for key, values in table().items()}
    columns[column][1500] = value
    path = write(tmp_path / "rows.parquet", columns)
    with pytest.raises(DataError, match=re.escape(reason)) as caught:
        aggregate(path)
    found = caught.value
    assert (found.uri, found.column) == (str(path), column)
    assert found.place == "row 1501 (row group 2)"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"x": None}, "no column 'x'"),
        ({"x": ["0.5"] * 3000}, "column x: is string: cannot be read as double"),
        ({"id": [0.5] * 3000, "category": [[1]] * 3000}, "nested"),
    ],
)
def test_a_wrong_column_is_named(tmp_path, changed, reason):
    columns = {name: column for name, column in (table() | changed).items() if column is not None}
    path = write(tmp_path / "rows.parquet", columns)
    with pytest.raises(DataError, match=reason):
        aggregate(path)


@pytest.mark.parametrize("peer", LIBRARIES)
def test_a_peer_gives_the_same_table(tmp_path, peer):
    finished = running.call(
        "ray_vs_dask_etl.peers", peer, "--data", write(tmp_path / "rows.parquet", table()),
        "--workers", 1, "--json", "--results", tmp_path / "results",
    )  # fmt: skip
    assert finished.code == 0, finished.stderr
    assert finished.record["check"]["passed"] is True
    assert finished.record["quality"]["rows"] == 3000


def test_reading_imports_no_pandas(tmp_path):
    """Half a second for every worker, which some calls of Arrow ask for without a word."""
    path = write(tmp_path / "rows.parquet", table())
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, pathlib, tables; from ray_vs_dask_etl import worker;"
            f" worker.warm_up(); tables.aggregate(pathlib.Path({str(path)!r}));"
            " sys.exit('pandas' in sys.modules)",
        ],
        env=running.environment(),
    )
    assert done.returncode == 0
