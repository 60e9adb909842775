"""The comparison of this study: its peers."""

import pytest
from digits_knn_cnn.peers import PEERS
from published_split import ACCURACIES, write_table
from studytest import running


@pytest.mark.parametrize("peer", [name for name in PEERS if name.startswith("sklearn")])
def test_scikit_learn_gives_the_published_accuracies(peer, tmp_path):
    path = write_table(tmp_path / "digits.csv")
    finished = running.call(
        "digits_knn_cnn.peers", peer, "--data", path, "--workers", 1, "--json",
        "--results", tmp_path / "results",
    )  # fmt: skip
    assert finished.code == 0, finished.stderr
    record = finished.record
    assert (record["engine"], record["method"], record["check"]["passed"]) == (peer, "peer", True)
    assert record["phases"]["compute"] > 0
    found = record["quality"]["test_accuracy_by_k"].values()
    assert list(found) == pytest.approx(ACCURACIES, abs=5e-5)


def test_polars_reads_the_rows(tmp_path):
    path = write_table(tmp_path / "digits.csv")
    finished = running.call(
        "digits_knn_cnn.peers", "polars", "--data", path, "--workers", 1, "--json",
        "--results", tmp_path / "results",
    )  # fmt: skip
    assert finished.code == 0, finished.stderr
    assert finished.record["quality"] == {"rows": 1797}
    assert finished.record["check"]["passed"] is True
