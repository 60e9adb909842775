"""The comparison of this study: its peers and the paper's figures beside."""

import pytest
from lesion_classification import compare
from study_data import published
from studytest import running
from tables import write_made

PICTURES = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_made(tmp_path_factory.mktemp("data") / "lesions", PICTURES)


def record_of(peer, data, tmp_path):
    """In a process of its own: a loader's workers are no forks of one that has computed."""
    finished = running.run(
        "lesion_classification.peers", peer, "--data", data, "--weights", "random", "--side", 64,
        "--workers", 1, "--json", "--results", tmp_path,
    )  # fmt: skip
    assert finished.code == 0, finished.stderr
    return finished.record


def test_torchvision_comes_to_the_same_features(data, tmp_path):
    record = record_of("torchvision", data, tmp_path)
    assert (record["engine"], record["method"]) == ("torchvision", "peer")
    assert record["quality"] == {"images": PICTURES, "features": 2048}
    assert record["check"]["passed"] is True
    assert record["check"]["detail"]["least_cosine"] > 0.999999
    assert record["phases"]["compute"] > 0


def test_polars_reads_the_rows(data, tmp_path):
    record = record_of("polars", data, tmp_path)
    assert record["quality"] == {"rows": PICTURES}
    assert record["check"]["passed"] is True


def test_the_papers_tables_are_beside():
    figures = published.rows("lesion-classification")
    for metric in compare.OF_THE_PAPER:
        found = [row for row in figures if row["metric"] == metric]
        assert {row["engine"] for row in found} == {"ray", "torch"}
        assert len({(row["engine"], row["size_gb"], row["workers"]) for row in found}) == 18
