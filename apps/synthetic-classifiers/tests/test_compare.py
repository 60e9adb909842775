"""The comparison of this study: its peers and its charts."""

from pathlib import Path

import pytest
from pyarrow import csv, parquet
from studykit.records import Record
from studytest import running
from synthetic_classifiers import compare
from synthetic_classifiers.study import ALGORITHMS
from tables import write_made


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_made(tmp_path_factory.mktemp("data") / "samples.csv", 2000)


def record_of(tmp_path: Path, name: str, *options: object) -> Record:
    done = running.call("synthetic_classifiers.peers", name, *options, "--workers", 1, "--json",
                        "--results", tmp_path / "results")  # fmt: skip
    assert done.stdout, done.stderr
    return Record.model_validate_json(done.stdout)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_polars_reads_every_row(tmp_path, data, form):
    path = data
    if form == "parquet":
        path = tmp_path / "samples.parquet"
        parquet.write_table(csv.read_csv(data), path)
    record = record_of(tmp_path, "polars", "--data", path)
    assert (record.engine, record.method, record.status) == ("polars", "peer", "done")
    assert record.quality == {"rows": 2000, "features": 10}
    assert record.check.detail == {"rows": 2000, "expected": 2000}
    assert record.phases["load"] > 0


@pytest.mark.parametrize("algorithm", ["logistic-regression", "random-forest", "knn"])
def test_scikit_learn_comes_to_the_same(tmp_path, data, algorithm):
    record = record_of(tmp_path, "sklearn", "--data", data, "--algorithm", algorithm)
    ours = running.call("synthetic_classifiers.run_plain", "--data", data, "--algorithm", algorithm,
                        "--workers", 1, "--json", "--results", tmp_path)  # fmt: skip
    right = Record.model_validate_json(ours.stdout).quality
    assert record.quality["rows"] == 2000
    name = f"accuracy_{algorithm}"
    assert record.quality[name] == right[name]


def test_scikit_learn_has_no_boosting_to_be_compared(tmp_path, data):
    done = running.call("synthetic_classifiers.peers", "sklearn", "--data", data, "--algorithm",
                        "xgboost", "--results", tmp_path)  # fmt: skip
    assert done.code == 4
    assert "scikit-learn is compared on" in done.stderr


def test_the_papers_figures_are_those_of_what_was_run():
    assert {row["dataset_or_task"] for row in compare.papers({"knn"})} == {"knn"}
    assert {row["dataset_or_task"] for row in compare.papers(ALGORITHMS)} == set(ALGORITHMS)
