"""The comparison of this study: its peers."""

import diagnosis_files
import pytest
from studytest import running


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "diagnoses.csv"
    path.write_text(diagnosis_files.made())
    return path


def call(peer, *options):
    return running.call("hyperparameter_tuning.peers", peer, *options, "--workers", 1, "--json")


def test_scikit_learns_grid_comes_to_the_same_score(data, tmp_path):
    finished = call("sklearn", "--data", data, "--results", tmp_path)
    assert finished.code == 0, finished.stderr
    record = finished.record
    assert (record["engine"], record["method"], record["check"]["passed"]) == (
        "sklearn",
        "peer",
        True,
    )
    detail = record["check"]["detail"]
    assert detail["score"] == pytest.approx(detail["expected"], abs=1e-6)
    assert record["quality"]["rows"] == 569 and record["quality"]["accuracy"] > 0.9


def test_polars_reads_the_rows(data, tmp_path):
    finished = call("polars", "--data", data, "--results", tmp_path)
    assert finished.code == 0, finished.stderr
    assert finished.record["quality"] == {"rows": 569}
    assert finished.record["check"]["passed"] is True


@pytest.mark.parametrize("peer", ["polars", "sklearn"])
def test_networks_have_no_peer(peer, tmp_path):
    finished = call(peer, "--study", "cifar10", "--results", tmp_path)
    assert finished.code == 4
    assert "on --study breast-cancer only" in finished.stderr
