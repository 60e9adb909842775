"""The paper's way: batches of ten, half floats, fitted on all rows, folds by image."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lesion_classification import published
from made_lesions import made
from PIL import Image
from sklearn.model_selection import KFold
from studykit.errors import DataError
from torch import nn


def asked(**more: Any) -> Any:
    parameters = {"fold_count": 3, "epochs": 2, "batch_size": 32} | more
    return SimpleNamespace(
        parameters=SimpleNamespace(**parameters),
        options=SimpleNamespace(seed=42, worker_count=1, threads=2),
    )


class Passes(nn.Module):
    """Mean and two pixels of an image; remembers how many came at once."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, images):
        self.shapes.append(tuple(images.shape))
        return torch.stack([images.mean((1, 2, 3)), images[:, 0, 0, 0], images[:, 2, -1, -1]], 1)


def test_batches_are_of_ten_in_the_order_of_the_table():
    lesions, _ = made(groups=13, of_group=2)
    found = published.batches(lesions)
    assert [len(batch) for batch in found] == [10, 10, 6]
    assert found[1][0].endswith("/images/10.jpg")


def test_an_image_passes_by_itself_as_imagenet_is_normalised(tmp_path):
    paths = []
    for shade in (0, 255):
        paths.append(str(tmp_path / f"{shade}.png"))
        Image.new("RGB", (50, 40), (shade,) * 3).save(paths[-1])
    network = Passes()
    found = published.extract(network, paths, 32)
    assert network.shapes == [(1, 3, 32, 32)] * 2
    assert found.features.dtype == np.float16
    expected = [[-0.485 / 0.229, -0.406 / 0.225], [0.515 / 0.229, 0.594 / 0.225]]
    np.testing.assert_allclose(found.features[:, 1:], expected, rtol=1e-3)
    assert found.bytes_read == sum((tmp_path / f"{shade}.png").stat().st_size for shade in (0, 255))


def test_a_broken_image_is_named(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"x\.jpg"):
        published.extract(Passes(), [str(tmp_path / "x.jpg")], 32)


def test_folds_are_by_image_and_scaling_is_of_all_rows_whatever_is_asked():
    lesions, features = made(groups=30, of_group=2, width=8)
    data = published.data_of(asked(folds="grouped"), lesions, features.astype(np.float16))
    for fold, (_, tested) in enumerate(KFold(3, shuffle=True, random_state=21).split(features)):
        assert np.flatnonzero(data.folds == fold).tolist() == sorted(tested)
    (result,) = published.trained(data, [0])
    age = lesions.numbers["age"]
    assert result.model.encoding.numbers["age"] == pytest.approx((age.mean(), age.std()))
    assert (result.model.scales == 1).all()


def test_the_leak_is_measured_on_the_same_features():
    lesions, features = made(groups=150, of_group=4, signal=0.0, own=3.0, shuffled=True)
    run = asked(epochs=10)
    data = published.data_of(run, lesions, features.astype(np.float16))
    results = list(published.trained(data, range(3)))
    done = [published.Extracted(data.features, 3.0, 7), published.Extracted(data.features, 1.0, 8)]
    outcome = published.outcome(run, data, results, done, 100, 5.0)
    assert outcome.assess is not None
    beside = outcome.assess()
    assert beside["auc_difference"] > 0.1
    assert outcome.quality["auc"] == pytest.approx(beside["auc_exact"] + beside["auc_difference"])
    assert outcome.quality["seconds_by_task"] == 2.0
    assert outcome.quality["bytes_sent_by_task"] == 50 and outcome.bytes_read == 15
    assert outcome.check().passed is None


def test_fewer_lesions_than_folds_leave_nothing_to_compare_with():
    lesions, features = made(groups=4, of_group=9)
    few = dataclasses.replace(lesions, groups=lesions.groups % 2, group_names=["a", "b"])
    data = published.data_of(asked(), few, features.astype(np.float16))
    assert "lesions" in published._honest(asked(), data, {})["honest"]
