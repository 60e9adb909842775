"""Features of images: as torchvision's own network gives them, one image as the other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from lesion_classification import fused, inference, resnet
from lesion_classification.inference import Extractor
from pictures_made import decode, pixels, real_lesions
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from studykit.errors import ResourceError
from torch import nn
from torchvision.models import resnet50
from torchvision.transforms import functional

SEED = 7
COUNT = 12


@pytest.fixture(scope="module")
def weights():
    return resnet.load("random", SEED)


def eager(weights, images):
    """torchvision's network as its documentation uses it: float32, channels first, eager."""
    network = resnet50()
    network.fc = nn.Identity()
    counts = {name: tensor for name, tensor in network.state_dict().items() if "num_b" in name}
    network.load_state_dict(weights.state | counts)
    network.eval()
    tensors = [torch.from_numpy(image).permute(2, 0, 1).contiguous() / 255 for image in images]
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    with torch.no_grad():
        batch = torch.stack([functional.normalize(one, mean, deviation) for one in tensors])
        return network(batch).numpy()


def cosines(one, other):
    one, other = one.astype(np.float64), other.astype(np.float64)
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(1) / norms


def in_batches(extract, images):
    size = extract.batch
    return np.concatenate(
        [extract(images[start : start + size]) for start in range(0, len(images), size)]
    )


@pytest.fixture(scope="module", params=["generated", "real"])
def images_and_features(request, weights):
    if request.param == "real":
        files = sorted((real_lesions() / "images").glob("*.jpg"))
        images = np.stack([decode(path.read_bytes(), path.name) for path in files])
    else:
        images = pixels(COUNT)
    return images, eager(weights, images)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_features_are_those_of_torchvision_in_float32(weights, precision, images_and_features):
    images, right = images_and_features
    found = in_batches(Extractor(weights, precision, "cpu"), images)
    assert found.dtype == np.float32
    assert found.shape == (len(images), 2048)
    assert cosines(found, right).min() >= (0.999 if precision == "bfloat16" else 1 - 1e-9)
    if precision == "float32":
        np.testing.assert_allclose(found, right, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("side", [32, 96])
def test_smaller_images_have_features_too(weights, precision, side):
    images = pixels(8, side=side)
    found = Extractor(weights, precision, "cpu")(images)
    right = eager(weights, images)
    assert cosines(found, right).min() >= (0.999 if precision == "bfloat16" else 1 - 1e-9)


def test_without_onednn_features_are_the_same(weights, monkeypatch):
    images = pixels(3)
    monkeypatch.setattr(fused, "has_onednn", lambda: False)
    found = Extractor(weights, "float32", "cpu")(images)
    np.testing.assert_allclose(found, eager(weights, images), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_image_has_the_same_features_in_every_batch_and_beside_other_threads(weights, precision):
    images = pixels(8)
    extract = Extractor(weights, precision, "cpu")
    with ThreadPoolExecutor(1, initializer=inference.one_thread) as pool:
        whole = pool.submit(extract, images).result()
    with ThreadPoolExecutor(3, initializer=inference.one_thread) as pool:
        alone = np.concatenate(list(pool.map(extract, [images[n : n + 1] for n in (0, 3, 7)])))
        turned = pool.submit(extract, images[::-1].copy()).result()[::-1]
    np.testing.assert_array_equal(alone, whole[[0, 3, 7]])
    np.testing.assert_array_equal(turned, whole)


def test_random_weights_tell_looks_apart_and_neither_vanish_nor_overflow(weights):
    images = pixels(40, seed=3)
    found = in_batches(Extractor(weights, "auto", "cpu"), images)
    assert np.isfinite(found.astype(np.float16)).all()
    assert 0.1 < found.mean() < 10
    assert (found.std(axis=0) > 1e-3).all()
    looks = np.arange(40) % 2
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    scores = cross_val_predict(classifier, found, looks, cv=5, method="decision_function")
    assert roc_auc_score(looks, scores) >= 0.9


def test_what_bfloat16_rounds_away_is_little_of_what_tells_images_apart(weights):
    images = pixels(16, seed=4)
    right = eager(weights, images)
    found = in_batches(Extractor(weights, "bfloat16", "cpu"), images)
    lost = np.sqrt(((found - right) ** 2).mean(0)) / right.std(0)
    assert np.median(lost) < 0.1


def test_a_gpu_that_is_not_there_is_said(weights, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ResourceError, match="--device cuda: torch finds no GPU here"):
        Extractor(weights, "auto", "cuda")
    assert Extractor(weights, "auto", "auto").device == "cpu"


@pytest.mark.parametrize("flags,kind", [((True, False), "bfloat16"), ((False, False), "float32")])
def test_auto_is_bfloat16_where_the_processor_multiplies_it(weights, monkeypatch, flags, kind):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: flags[0])
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: flags[1])
    assert Extractor(weights, "auto", "cpu").precision == kind
