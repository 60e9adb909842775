"""Weights: of a name, of a file, drawn; or said why they cannot be had."""

import hashlib
import io
import urllib.request
from urllib.error import URLError

import pytest
import torch
from lesion_classification import resnet
from studykit.errors import DataError, StorageError
from torchvision.models import resnet50


def saved(content):
    stored = io.BytesIO()
    torch.save(content, stored)
    return stored.getvalue()


@pytest.fixture(scope="module")
def whole():
    """As torchvision's file of ResNet50 is: with a head, and with counts of batches."""
    torch.manual_seed(0)
    return resnet50().state_dict()


def test_random_weights_are_those_of_their_seed():
    one, again, other = (resnet.load("random", seed) for seed in (1, 1, 2))
    assert one.sha256 == again.sha256 != other.sha256
    assert all(torch.equal(one.state[name], again.state[name]) for name in one.state)
    assert one.origin == "random, seed 1"


def test_the_fingerprint_is_of_names_and_bytes():
    found = resnet.load("random", 3)
    names = sorted(found.state)
    assert len(names) == 53 * 5  # 53 convolutions, each with a batch norm of four tensors.
    digest = hashlib.sha256(
        b"".join(name.encode() + found.state[name].numpy().tobytes() for name in names)
    )
    assert found.sha256 == digest.hexdigest()


def test_weights_of_a_file_are_read_without_the_head(whole, tmp_path):
    path = tmp_path / "resnet50.pth"
    path.write_bytes(saved(whole))
    found = resnet.load(str(path))
    assert not any(name.startswith("fc.") for name in found.state)
    assert all(torch.equal(tensor, whole[name]) for name, tensor in found.state.items())
    network = resnet.network(found)
    image = torch.rand(1, 3, 64, 64)
    reference = resnet50()
    reference.load_state_dict(whole)
    reference.fc = torch.nn.Identity()
    with torch.no_grad():
        torch.testing.assert_close(network(image), reference.eval()(image))


def changed(whole, name, tensor):
    return saved({**whole, name: tensor})


WRONG = {
    "no tensors": (lambda whole: b"<html>not found</html>", "no weights that torch.save"),
    "nothing": (lambda whole: b"", "no weights that torch.save"),
    "half a file": (lambda whole: saved(whole)[:1_000_000], "no weights that torch.save"),
    "code": (lambda whole: saved({"conv1.weight": print}), "no weights that torch.save"),
    "a list": (lambda whole: saved([1, 2]), "holds a list"),
    "another network": (
        lambda whole: saved({"features.0.weight": torch.ones(3)}),
        "no tensor conv1.weight",
    ),
    "another shape": (
        lambda whole: changed(whole, "conv1.weight", torch.ones(64, 3, 3, 3)),
        r"conv1.weight is \(64, 3, 3, 3\), not \(64, 3, 7, 7\)",
    ),
    "no number": (
        lambda whole: changed(whole, "bn1.bias", torch.full((64,), torch.nan)),
        "bn1.bias holds what is no number",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_holds_something_else_is_named(name, whole, tmp_path):
    content, said = WRONG[name]
    path = tmp_path / "weights.pth"
    path.write_bytes(content(whole))
    with pytest.raises(DataError, match=said) as caught:
        resnet.load(str(path))
    assert caught.value.uri == str(path)


def test_a_file_that_is_not_there_is_a_failure_of_storage(tmp_path):
    with pytest.raises(StorageError, match="no such file"):
        resnet.load(str(tmp_path / "none.pth"))


def test_weights_that_cannot_be_fetched_are_said_with_how_to_get_them(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    with pytest.raises(StorageError) as caught:
        resnet.load()
    for said in ("no route to host", "--weights PATH", str(tmp_path), "resnet50-0676ba61.pth"):
        assert said in str(caught.value)


def test_fetched_weights_are_used_as_they_are(whole, tmp_path, monkeypatch):
    """Those that torchvision finds in its folder, checked only by who fetches them."""
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "resnet50-0676ba61.pth").write_bytes(saved(whole))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    found = resnet.load("IMAGENET1K_V1")
    assert found.origin == "IMAGENET1K_V1"
    assert torch.equal(found.state["conv1.weight"], whole["conv1.weight"])
