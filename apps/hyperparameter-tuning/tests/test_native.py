"""Ray's own way: the figures of one process, nothing waited for that is not there, nothing left."""

import numpy as np
import pytest
from case import CASE
from diagnosis_files import table
from hyperparameter_tuning import boosting
from hyperparameter_tuning.diagnoses import Diagnoses
from hyperparameter_tuning.grid import Grid
from ray_modules import imported
from studykit.errors import ResourceError
from studytest import running
from studytest.contract.of_study import OfStudy

GRID = ("--max-depth", "1,3,3", "--epochs", 4)


class TestNative(OfStudy):
    case = CASE

    def test_a_grid_by_ray_train_is_that_of_one_process(self, data, tmp_path):
        finished = running.run(
            CASE.module("ray"), "--data", data, "--method", "native", "--workers", 2,
            "--oversubscribe", *GRID, "--results", tmp_path, "--json", HOME=str(tmp_path / "home"),
        )  # fmt: skip
        assert finished.code == 0, finished.stderr
        record = finished.record
        assert record["check"]["passed"] is True
        assert not (tmp_path / "home" / "ray_results").exists()
        found = record["quality"]
        right = self.called("plain", "--data", data, *GRID, "--results", tmp_path)["quality"]
        assert found["said"] == ["max_depth 3: asked for 2 times, run once"]
        assert found["best_configuration"] == right["best_configuration"]
        for one, other in zip(found["trials"], right["trials"], strict=True):
            assert one["configuration"] == other["configuration"]
            assert one["score"] == pytest.approx(other["score"], rel=1e-6)
            for name in ("error", "train_log_loss", "accuracy_fold_3"):
                assert one["figures"][name] == pytest.approx(other["figures"][name], rel=1e-6)
        assert found["best"]["confusion"] == right["best"]["confusion"]

    def test_one_process_has_no_such_way(self, data, tmp_path):
        line = self.refused("plain", 2, "--data", data, "--method", "native", "--results", tmp_path)
        assert "not on plain" in line


def test_shares_are_every_row_once_and_one_share_is_the_whole():
    native_trees = imported("hyperparameter_tuning.native_trees")

    features, labels = table()
    part = Diagnoses(features[:200], labels[:200], ())
    one = native_trees.ShareTrainer(part, 42, 1, rank=0, count=1)
    ((report, state),) = one.train(Grid({"max_depth": [2]}, seed=1, epochs=3).ask(), {})
    whole = boosting.BoostingTrainer(part, 42)
    ((right, model),) = whole.train(Grid({"max_depth": [2]}, seed=1, epochs=3).ask(), {})
    assert state == model and report.scores == right.scores
    shares = [native_trees.ShareTrainer(part, 42, 1, rank=rank, count=3) for rank in range(3)]
    owned = [share._own(part).features for share in shares]
    assert [len(own) for own in owned] == [67, 67, 66]
    assert sorted(map(bytes, np.concatenate(owned))) == sorted(map(bytes, features[:200]))
    held_out = [sum(len(share._folds[fold][1]) for share in shares) for fold in range(5)]
    assert held_out == [40] * 5


def test_what_no_node_has_is_refused_at_once(monkeypatch):
    ray, ray_bundles = map(imported, ("ray", "hyperparameter_tuning.ray_bundles"))

    nodes = [
        {"Alive": True, "Resources": {"CPU": 3.0, "GPU": 1.0}},
        {"Alive": True, "Resources": {"CPU": 3.0}},
        {"Alive": False, "Resources": {"CPU": 64.0}},
    ]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    ray_bundles.require({"CPU": 3}, 2)
    ray_bundles.require({"CPU": 1}, 6)
    with pytest.raises(ResourceError, match=r"3 workers ask for 2 CPU each.*has room for 2"):
        ray_bundles.require({"CPU": 2}, 3)
    with pytest.raises(ResourceError, match=r"1 CPU, 1 GPU each.*has room for 1"):
        ray_bundles.require({"CPU": 1, "GPU": 1}, 2)
