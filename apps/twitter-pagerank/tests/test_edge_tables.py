"""Edges of Parquet: two columns of any whole numbers; everything else named."""

import decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from studykit import cutting
from studykit.errors import DataError
from twitter_pagerank import edges
from twitter_pagerank.study import Parameters

PAIRS = [(i * 7 % 90, i * i % 90) for i in range(5000)]


def write(path: Path, sources: Any, destinations: Any, group: int = 900) -> Path:
    table = pa.table({"from": sources, "to": destinations})
    parquet.write_table(table, path, row_group_size=group)
    return path


def read(path: Path, split_size: int = 1) -> tuple[list[tuple[int, int]], set[str], int]:
    """(edges, the types in which they are held, the largest id)."""
    splits = cutting.splits(str(path), split_size)
    forms = edges.formats(list(dict.fromkeys(split.uri for split in splits)))
    chunks = [chunk for split in splits for chunk in edges.read(split, forms[split.uri])]
    for chunk in chunks:
        assert chunk.sources.flags.writeable and chunk.destinations.flags.writeable
    pairs = [
        pair
        for chunk in chunks
        for pair in zip(chunk.sources.tolist(), chunk.destinations.tolist(), strict=True)
    ]
    types = {str(ids.dtype) for chunk in chunks for ids in (chunk.sources, chunk.destinations)}
    return pairs, types, max(chunk.largest for chunk in chunks)


KINDS = [pa.int64(), pa.int32(), pa.uint32(), pa.uint64(), pa.float64(), pa.decimal128(9, 0)]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("split_size", [1, 1 << 30])
def test_every_edge_is_read_whatever_the_type_of_its_ids(tmp_path, kind, split_size):
    columns = [
        [decimal.Decimal(i) if pa.types.is_decimal(kind) else i for i in ids]
        for ids in zip(*PAIRS, strict=True)
    ]
    path = write(tmp_path / "edges", *(pa.array(ids, kind) for ids in columns))
    assert read(path, split_size) == (PAIRS, {"uint32"}, 89)


def test_wide_ids_are_kept(tmp_path):
    path = write(tmp_path / "edges", [0, 2**63 - 1, 5], [2**32, 1, 5])
    assert read(path) == ([(0, 2**32), (2**63 - 1, 1), (5, 5)], {"int64"}, 2**63 - 1)


@pytest.mark.parametrize(
    ("sources", "said"),
    [([1, -5, 2], "negative id -5"), ([1, None, 2], "a missing value")],
)
def test_a_wrong_id_is_named_with_its_row(tmp_path, sources, said):
    path = write(tmp_path / "edges.parquet", sources, [1, 2, 3], group=1)
    with pytest.raises(DataError, match=said) as caught:
        read(path, 1 << 30)
    assert (caught.value.place, caught.value.column) == ("row 2 (row group 1)", "from")


def test_names_are_no_ids(tmp_path):
    path = write(tmp_path / "edges.parquet", ["a", "b"], [1, 2])
    with pytest.raises(DataError, match="is string: cannot be read as int64") as caught:
        read(path)
    assert caught.value.column == "from"


def test_more_than_two_columns_are_named(tmp_path):
    path = tmp_path / "edges.parquet"
    parquet.write_table(pa.table({"a": [1], "b": [2], "c": [3]}), path)
    with pytest.raises(DataError, match=r"found 3 \('a', 'b', 'c'\).*--columns 'a,b'"):
        read(path)


def test_columns_are_chosen_by_name_or_number(tmp_path):
    path = tmp_path / "edges.parquet"
    parquet.write_table(pa.table({"w": [0.5], "to": [2], "from": [1]}), path)
    for columns in ("from,to", "3,2"):
        form = edges.sniff(str(path), Parameters(columns=columns).reading)
        (split,) = cutting.splits(str(path), 1)
        (chunk,) = edges.read(split, form)
        assert (chunk.sources.tolist(), chunk.destinations.tolist()) == ([1], [2])
        assert form.unused == ["w"]


@pytest.mark.parametrize("options", [{"delimiter": ";"}, {"skip_lines": 1}])
def test_what_is_said_of_lines_is_refused(tmp_path, options):
    path = write(tmp_path / "edges.parquet", [1], [2])
    with pytest.raises(DataError, match="Parquet has no lines"):
        edges.sniff(str(path), Parameters(**options).reading)
