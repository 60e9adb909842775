"""A network reads the same after it was a file, and no other file is taken for one."""

import numpy as np
import pytest
import safetensors.torch
import torch
from digits_knn_cnn import model_file, networks
from studykit.errors import DataError


@pytest.mark.parametrize("model", ["cnn", "resnet18"])
def test_the_network_of_a_file_reads_what_the_trained_one_read(model, tmp_path):
    trained = networks.NETWORKS[model](8, seed=5)
    pictures = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    trained(pictures)  # In training mode: batch norm's running mean and variance change.
    path = tmp_path / "model.safetensors"
    path.write_bytes(model_file.packed(trained.state_dict(), model, 8))
    with torch.no_grad():
        expected = trained.eval()(pictures)
        found = model_file.read(str(path))(pictures)
    np.testing.assert_array_equal(found, expected)
    assert len(set(found.argmax(dim=1).tolist())) > 1


def damaged(content):
    state = networks.cnn(8).state_dict()
    few = {name: tensor for name, tensor in state.items() if "0" not in name}
    return {
        "cut off": content[:-5],
        "no safetensors": b"predictions",
        "empty": b"",
        "of someone else": safetensors.torch.save(few),
        "of no known model": model_file.packed(state, "forest", 8),
        "of another side": model_file.packed(state, "cnn", 28),
        "a layer is missing": model_file.packed(few, "cnn", 8),
    }


@pytest.mark.parametrize("how", damaged(b""))
def test_what_is_no_model_is_one_line(how, tmp_path):
    content = model_file.packed(networks.cnn(8).state_dict(), "cnn", 8)
    path = tmp_path / "model.safetensors"
    path.write_bytes(damaged(content)[how])
    with pytest.raises(DataError, match=r"model\.safetensors: no trained network"):
        model_file.read(str(path))
