"""The comparison of this study: its peers and its charts."""

import pytest
from digits_knn_cnn import compare
from digits_knn_cnn.peers import PEERS
from published_split import ACCURACIES, write_table
from studykit.records import Check, DatasetInfo, Record
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


def record(engine, model, *, workers=2, method="exact", size=1000, losses=(), **phases):
    quality = {}
    if losses:
        quality = {"loss_by_epoch": losses, "test_accuracy_by_epoch": [1 - one for one in losses]}
    return Record(
        study="digits-knn-cnn",
        engine=engine,
        method=method,
        parameters={"model": model},
        dataset=DatasetInfo(name="digits", uri=f"digits-{size}", bytes=size),
        workers=workers,
        threads=1,
        status="done",
        check=Check(passed=True),
        phases=phases,
        quality=quality,
        config_hash=f"{engine}-{model}-{workers}-{method}-{size}",
    )


def points(chart):
    return [point for data in chart.to_dict()["datasets"].values() for point in data]


def test_networks_have_a_line_for_each_model_and_method():
    records = [
        record("plain", "cnn", losses=[0.5, 0.25]),
        record("ray", "cnn", losses=[0.5, 0.25]),
        record("ray", "cnn", method="native", losses=[0.6, 0.3]),
        record("ray", "resnet18", losses=[0.4]),
    ]
    found: dict[str, dict[int, float]] = {}
    for point in points(compare.by_epoch(records, "loss", "Loss", "Loss by epoch")):
        found.setdefault(point["series"], {})[point["x"]] = point["y"]
    assert found == {
        "cnn": {1: 0.5, 2: 0.25},
        "cnn, native": {1: 0.6, 2: 0.3},
        "resnet18": {1: 0.4},
    }


def test_nothing_is_drawn_where_there_is_nothing():
    records = [record("plain", "knn", compute=1.0)]
    assert compare.by_epoch(records, "loss", "Loss", "Loss by epoch") is None
    assert compare.share_of_communication(records) is None
    assert compare.accuracy([record("plain", "cnn", losses=[0.5])]) is None
    assert compare.papers_times(records, "cnn") is None


def test_the_share_of_communication_is_of_the_time_to_the_answer():
    whole = {"start": 9.0, "load": 1.0, "compute": 2.0, "communicate": 1.0}
    more = {**whole, "communicate": 3.0}
    records = [
        record("plain", "cnn", **whole),
        record("dask", "cnn", workers=2, **whole),
        record("dask", "cnn", workers=3, **more),
    ]
    found = points(compare.share_of_communication(records))
    assert [(point["series"], point["x"], point["y"]) for point in found] == [
        ("dask, 1 KB", 2, pytest.approx(0.25)),
        ("dask, 1 KB", 3, pytest.approx(0.5)),
    ]


def test_the_papers_times_are_beside_those_of_the_smallest_data():
    """Table 3 calls its small CNN ResNet18."""
    records = [
        record("ray", "cnn", compute=2.0),
        record("ray", "cnn", size=9000, compute=50.0),
        record("dask", "cnn", workers=1, compute=3.0),
        record("dask", "knn", compute=70.0),
    ]
    found = {
        point["name"]: point["seconds"] for point in points(compare.papers_times(records, "cnn"))
    }
    assert found == {
        "here: ray, 2 workers": 2.0,
        "here: dask, 1 worker": 3.0,
        "paper: dask, 2 workers": 15.6,
        "paper: dask, 4 workers": 13.2,
        "paper: dask, 6 workers": 13.1,
        "paper: ray, 2 workers": 30.6,
        "paper: ray, 3 workers": 25.7,
        "paper: ray, 4 workers": 13.1,
    }
