"""A data set as Parquet: the rows of the lines, in row groups, verified as any data set."""

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from study_data import (
    as_parquet,
    catalogue,
    data,
    follower_graph,
    stores,
    uniform_rows,
    yellow_trips,
)
from study_data.dataset import Dataset
from studykit.errors import DataError
from typer.testing import CliRunner, Result

TABLES = [follower_graph.DATASET, uniform_rows.DATASET, yellow_trips.DATASET]


def run(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(data.app, arguments, env={"STUDY_STORE": str(store)})


@pytest.mark.parametrize("dataset", TABLES, ids=lambda dataset: dataset.name)
def test_the_rows_are_those_of_the_lines(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_parquet, "ROW_GROUP_ROWS", 1000)
    store = str(tmp_path)
    lines = stores.locate(dataset, "tiny", store)
    found = stores.locate(as_parquet.as_parquet(dataset), "tiny", store)
    assert (found.name, found.rows) == (lines.name, lines.rows)
    assert found.uri == lines.uri.removesuffix(".csv") + ".parquet"
    with parquet.ParquetFile(found.uri) as file:
        assert file.metadata.num_rows == lines.rows
        sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
        table = file.read()
    group = min(1000, -(-lines.rows // 16))
    assert len(sizes) == -(-lines.rows // group) and set(sizes[:-1]) == {group}
    assert table.schema.names == list(dataset.columns)
    text = pa.BufferOutputStream()
    csv.write_csv(table.select([0]), text, csv.WriteOptions(include_header=False))
    first = [line.split(",")[0] for line in Path(lines.uri).read_text().splitlines()]
    assert text.getvalue().to_pybytes().decode().split() == first[-lines.rows :]
    types = {name: str(table.schema.field(name).type) for name in table.schema.names}
    read = csv.read_csv(
        lines.uri,
        csv.ReadOptions(column_names=None if first[0] in dataset.columns else list(types)),
        convert_options=csv.ConvertOptions(column_types=table.schema),
    )
    assert read.equals(table)


def test_make_verify_list_and_remove(tmp_path: Path) -> None:
    asked = ("uniform-rows", "--size", "tiny", "--format", "parquet")
    made = json.loads(run(tmp_path, "make", *asked, "--json").stdout)
    path = Path(made["uri"])
    assert (path.name, made["bytes"]) == ("tiny.parquet", path.stat().st_size)
    run(tmp_path, "make", *asked[:3])
    listed = json.loads(run(tmp_path, "list", "--json").stdout)
    (tiny,) = [d["sizes"]["tiny"] for d in listed if d["name"] == "uniform-rows"]
    assert (tiny["seeds_in_store"], tiny["seeds_in_store_as_parquet"]) == ([0], [0])
    assert "0 (Parquet)" in run(tmp_path, "list").stderr
    verified = json.loads(run(tmp_path, "verify", "--json").stdout)
    assert sorted(Path(good["uri"]).name for good in verified["good"]) == ["tiny.csv", path.name]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    damaged = run(tmp_path, "verify", *asked)
    assert damaged.exit_code == 2 and "--format parquet" in damaged.stderr
    assert run(tmp_path, "verify", *asked[:3]).exit_code == 0
    assert run(tmp_path, "remove", *asked).exit_code == 0
    assert [p.name for p in sorted(path.parent.iterdir())] == ["tiny.csv", "tiny.csv.json"]


def test_other_rows_than_the_catalogue_has_are_not_kept(tmp_path: Path) -> None:
    dataset = as_parquet.as_parquet(follower_graph.DATASET)
    other = dataclasses.replace(
        dataset, make=lambda rows, seed: follower_graph.blocks(rows, seed + 1)
    )
    with pytest.raises(DataError, match="other rows than the catalogue has"):
        stores.locate(other, "tiny", str(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("seed", [0, 7])
def test_each_seed_has_a_file_of_its_own(tmp_path: Path, seed: int) -> None:
    dataset = as_parquet.as_parquet(uniform_rows.DATASET)
    found = stores.locate(dataset, "tiny", str(tmp_path), seed)
    assert Path(found.uri).name == ("tiny-seed7.parquet" if seed else "tiny.parquet")
    assert catalogue.present(str(tmp_path)) == [(dataset, "tiny", seed)]


@pytest.mark.parametrize(
    ("name", "format_", "said"),
    [
        ("twitter7", "parquet", "made here"),
        ("follower-graph", "xlsx", "csv, parquet"),
    ],
)
def test_what_has_no_such_format_is_wrong_usage(
    tmp_path: Path, name: str, format_: str, said: str
) -> None:
    result = run(tmp_path, "make", name, "--size", "full", "--format", format_)
    assert result.exit_code == 2 and said in result.stderr
