"""The answer as files: what each ending gives, what a folder has, what is refused before work."""

import io
import re

import found
import numpy as np
import pytest
from hyperparameter_tuning import answer_page, outputs
from hyperparameter_tuning.answered import Answered
from hyperparameter_tuning.paper import BREAST_CANCER, CIFAR10
from PIL import Image
from pyarrow import csv, parquet
from studykit import storage
from studykit.errors import CheckError, StorageError, UsageError
from studykit.options import Options, Study
from studykit.records import DatasetInfo
from studykit.run import Run

DATA = DatasetInfo(name="x", uri="file:///data/x", bytes=1000)
STUDY = Study("tuning", "none", ("plain",), "x", object, lambda options, parameters: DATA)
PICTURES = {"best_so_far.png", "parallel_coordinates.png", "lineage.png", "hyperparameters.png"}


@pytest.fixture(scope="module")
def networks():
    _, quality = found.populations()
    run = Run(STUDY, "plain", Options(workers=2), None, DATA, quiet=True)
    return Answered(run, CIFAR10, quality, b"weights")


@pytest.fixture(scope="module")
def trees():
    _, quality = found.depths()
    run = Run(STUDY, "ray", Options(workers=1), None, DATA, quiet=True)
    return Answered(run, BREAST_CANCER, quality, b"trees")


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "read"), [("t.csv", csv.read_csv), ("t.parquet", parquet.read_table)]
)
def test_the_table_has_every_trial_as_quality_has_it(tmp_path, networks, name, read):
    uri = str(tmp_path / name)
    assert outputs.write(uri, networks) == {"trials": uri}
    rows = read(uri).to_pylist()
    trials = networks.quality["trials"]
    assert len(rows) == len(trials) == 8
    for row, trial in zip(rows, trials, strict=True):
        assert row["learning_rate"] == trial["configuration"]["learning_rate"]
        assert (row["trial"], row["status"]) == (trial["trial"], trial["status"])
        assert (row["score"], row["epochs"]) == (trial["score"], trial["epochs"])
        assert row["loss"] == -row["score"]


def test_a_folder_has_all_and_its_page_shows_all(tmp_path, networks):
    written = outputs.write(str(tmp_path), networks)
    files = PICTURES | {"trials.csv", "model.safetensors", "page.html"}
    assert names(tmp_path) == files
    assert set(written.values()) == {str(tmp_path / name) for name in files}
    assert (tmp_path / "model.safetensors").read_bytes() == b"weights"
    page = (tmp_path / "page.html").read_text()
    assert set(re.findall(r'href="([^"]*)"', page)) == files - {"page.html"}
    drawn = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    assert len(drawn) == page.count("src=") == len(PICTURES)
    for name in PICTURES:
        with Image.open(io.BytesIO((tmp_path / name).read_bytes())) as picture:
            assert np.asarray(picture.convert("L")).min() < 80, name


def test_a_grid_of_one_job_a_trial_has_no_lineage(tmp_path, trees):
    outputs.write(str(tmp_path), trees)
    assert names(tmp_path) == {
        "trials.csv", "model.ubj", "page.html", "best_so_far.png", "parallel_coordinates.png",
    }  # fmt: skip
    page = (tmp_path / "page.html").read_text()
    assert "asked for 2 times, run once" in page
    assert "<td>50</td><td>31</td><td>33.872</td><td>0.0108854</td>" in page


def test_the_page_says_what_was_found(networks):
    best = networks.quality["best"]
    page = answer_page.render(networks, {}).decode()
    assert "Best of 8 trials: learning rate" in page
    assert f"trial {best['trial']}; validation accuracy {best['validation_score']:.4f}" in page
    assert "0.7000 are right (0.604 … 0.781, chance 0.1)" in page
    assert "Every accuracy may be chance" in page
    table = page[page.index("<h2>Trials") : page.index("<h2>Searches")]
    assert len(re.findall("<tr>", table)) == 1 + 8
    assert "copied from" in table and "peak memory" not in table


def test_a_single_file_is_the_model_or_the_page(tmp_path, trees, networks):
    assert outputs.write(str(tmp_path / "m.ubj"), trees) == {"model": str(tmp_path / "m.ubj")}
    assert (tmp_path / "m.ubj").read_bytes() == b"trees"
    outputs.write(str(tmp_path / "p.html"), networks)
    page = (tmp_path / "p.html").read_text()
    assert "href=" not in page and page.count("data:image/png") == len(PICTURES)


def test_no_model_is_no_file(tmp_path, trees):
    none = Answered(trees.run, BREAST_CANCER, trees.quality, None)
    with pytest.raises(CheckError, match="no trial left a model"):
        outputs.write(str(tmp_path / "m.ubj"), none)
    outputs.write(str(tmp_path / "all"), none)
    assert "model.ubj" not in names(tmp_path / "all")


def test_what_cannot_be_written_is_refused_before_any_work():
    for good in (None, "t.csv", "t.parquet", "p.html", "folder", "s3://bucket/f/", "m.ubj"):
        outputs.require_writable(good, BREAST_CANCER)
    with pytest.raises(UsageError, match=r"--study breast-cancer ends with \.ubj"):
        outputs.require_writable("m.safetensors", BREAST_CANCER)
    with pytest.raises(UsageError, match=r"\.parquet.*folder"):
        outputs.require_writable("t.xlsx", CIFAR10)


def test_the_page_comes_last(tmp_path, networks, monkeypatch):
    """So that where a page is, all that it links is there."""
    write = storage.write_bytes

    def full(uri, content):
        if uri.endswith("lineage.png"):
            raise StorageError("no space left", uri=uri)
        write(uri, content)

    monkeypatch.setattr(storage, "write_bytes", full)
    with pytest.raises(StorageError, match=r"lineage\.png"):
        outputs.write(str(tmp_path), networks)
    assert "page.html" not in names(tmp_path)
