"""The answer as files: what each ending gives, what a folder has, what a failure leaves."""

import re

import answers
import numpy as np
import pytest
import torch
from digits_knn_cnn import model_file, outputs, study
from digits_knn_cnn.study import Parameters
from PIL import Image
from published_split import parts, predictions, write_table
from pyarrow import csv, parquet
from studykit import storage
from studykit.errors import StorageError, UsageError
from studykit.options import Options
from studytest import fake_stores, running

folder = fake_stores.folder
LABELS = [3, 1, 4, 1, 5, 9]
READ = [[3, 1, 4, 1, 5, 0], [3, 1, 4, 1, 5, 9], [3, 1, 4, 1, 5, 9]]
PICTURES = {"accuracy.png", "confusion.png", "misread.png", "times.png"}

WITHOUT_DRAWING = """
import sys
from digits_knn_cnn import run_plain
sys.argv[1:] = {argv}
try:
    run_plain.main()
except SystemExit as end:
    assert end.code == 0, end
print({{"altair", "vl_convert", "PIL", "torch"}} & sys.modules.keys(), file=sys.stderr)
"""


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "read"), [("p.csv", csv.read_csv), ("p.parquet", parquet.read_table)]
)
def test_a_table_has_every_test_picture(tmp_path, name, read):
    uri = str(tmp_path / name)
    assert outputs.write(uri, answers.by_k(LABELS, *READ)) == {"predictions": uri}
    assert read(uri).to_pydict() == {
        "row": [0, 1, 2, 3, 4, 5],
        "label": LABELS,
        "predicted_k1": READ[0],
        "predicted_k2": READ[1],
        "predicted_k3": READ[2],
    }
    assert names(tmp_path) == {name}


def test_a_network_has_one_prediction(tmp_path):
    outputs.write(str(tmp_path / "p.csv"), answers.of_network("cnn", LABELS, READ[0]))
    found = csv.read_csv(tmp_path / "p.csv").to_pydict()
    assert found == {"row": [0, 1, 2, 3, 4, 5], "label": LABELS, "predicted": READ[0]}


def test_a_folder_of_nearest_neighbours_has_all_but_a_model(tmp_path):
    written = outputs.write(str(tmp_path / "answer"), answers.by_k(LABELS, *READ))
    files = PICTURES | {"predictions.csv", "index.html"}
    assert names(tmp_path / "answer") == files
    assert set(written.values()) == {str(tmp_path / "answer" / name) for name in files}
    assert set(written) == {"predictions", "accuracy", "confusion", "misread", "times", "page"}
    page = (tmp_path / "answer" / "index.html").read_text()
    assert "their model is the training part itself" in page
    _page_shows_all(page, tmp_path / "answer")


def test_a_folder_of_a_network_has_its_model_and_loss(tmp_path):
    answered = answers.of_network("resnet18", LABELS, READ[0])
    outputs.write(str(tmp_path), answered)
    files = PICTURES | {"loss.png", "model.safetensors", "predictions.csv", "index.html"}
    assert names(tmp_path) == files
    assert (tmp_path / "model.safetensors").read_bytes() == b"model"
    page = (tmp_path / "index.html").read_text()
    assert "None of the paper's notebooks trains one" in page
    assert "no model file" not in page
    _page_shows_all(page, tmp_path)


def test_a_way_that_hands_back_no_network_has_no_model(tmp_path):
    answered = answers.of_network("cnn", LABELS, READ[0], method="native", network=None)
    outputs.write(str(tmp_path), answered)
    assert "model.safetensors" not in names(tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "No model: --method native hands back no model to be kept" in page
    _page_shows_all(page, tmp_path)


def _page_shows_all(page, folder):
    """Every file is linked, every picture is in the page too, nothing comes from elsewhere."""
    files = names(folder) - {"index.html"}
    assert set(re.findall(r'href="([^"]*)"', page)) == files
    drawn = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    assert len(drawn) == sum(name.endswith(".png") for name in files)
    assert page.count("src=") == len(drawn)
    for name in files:
        if name.endswith(".png"):
            with Image.open(folder / name) as picture:
                picture.load()
                shades = np.asarray(picture.convert("L"))
                assert picture.width > 300 and picture.height > 100
                assert (shades.min() < 80, shades.max()) == (True, 255), name


def test_every_store_gets_the_same_files(folder, tmp_path):
    answered = answers.of_network("cnn", LABELS, READ[0])
    written = outputs.write(storage.join(folder, "answer"), answered)
    assert set(written.values()) == set(storage.list_files(storage.join(folder, "answer")))
    here = outputs.write(str(tmp_path / "here"), answered)
    assert written.keys() == here.keys()
    for name, uri in here.items():
        assert storage.read_bytes(written[name]) == storage.read_bytes(uri), name


def test_a_page_by_itself_links_no_files(tmp_path):
    written = outputs.write(str(tmp_path / "p.html"), answers.by_k(LABELS, *READ))
    assert written == {"page": str(tmp_path / "p.html")}
    page = (tmp_path / "p.html").read_text()
    assert "href=" not in page and page.count("data:image/png") == len(PICTURES)


def test_the_page_is_of_the_best_k_the_smallest_of_equals(tmp_path):
    answered = answers.by_k(LABELS, *READ)
    assert answered.best == "2"
    outputs.write(str(tmp_path / "p.html"), answered)
    page = (tmp_path / "p.html").read_text()
    assert "6 of 6 test pictures are read right by the nearest neighbours with k = 2" in page
    assert "the smallest" in page


def test_the_page_has_the_figures_of_each_digit_that_occurs(tmp_path):
    answered = answers.by_k([0, 0, 0, 1], [0, 0, 2, 1])
    outputs.write(str(tmp_path / "p.html"), answered)
    page = (tmp_path / "p.html").read_text()
    rows = re.findall(r"<tr><td>(\d)</td><td>(.{6})</td><td>(.{6})</td><td>(.{6})</td>", page)
    assert rows == [
        ("0", "1.0000", "0.6667", "0.8000"),
        ("1", "1.0000", "1.0000", "1.0000"),
        ("2", "0.0000", "0.0000", "0.0000"),
    ]


def test_what_cannot_be_written_is_refused_before_any_work():
    with pytest.raises(UsageError, match=r"\.parquet.*folder"):
        study.validate(Options(out="digits.xlsx"), Parameters())
    with pytest.raises(UsageError, match="training part itself"):
        study.validate(Options(out="digits.safetensors"), Parameters())
    for good in (None, "p.csv", "p.parquet", "p.html", "answer", "s3://bucket/answer/"):
        study.validate(Options(out=good), Parameters())
    study.validate(Options(out="digits.safetensors"), Parameters(model="cnn"))
    with pytest.raises(UsageError, match="--method native hands back no model"):
        study.validate(Options(out="n.safetensors", method="native"), Parameters(model="cnn"))


def test_the_page_comes_last(tmp_path, monkeypatch):
    """So that where a page is, all that it links is there."""

    def full_in_the_end(uri, content):
        if uri.endswith("times.png"):
            raise StorageError("no space left", uri=uri)
        write(uri, content)

    write = storage.write_bytes
    monkeypatch.setattr(storage, "write_bytes", full_in_the_end)
    with pytest.raises(StorageError, match=r"times\.png"):
        outputs.write(str(tmp_path), answers.by_k(LABELS, *READ))
    assert names(tmp_path) == {"predictions.csv", "accuracy.png", "confusion.png", "misread.png"}


def test_a_folder_that_cannot_be_made_is_exit_5(tmp_path):
    (tmp_path / "file").write_text("no folder")
    done = running.call(
        "digits_knn_cnn.run_plain", "--data", write_table(tmp_path / "digits.csv"),
        "--out", tmp_path / "file", "--results", tmp_path / "results", "--no-check",
    )  # fmt: skip
    assert done.code == 5
    assert str(tmp_path / "file") in done.error
    assert (tmp_path / "file").read_text() == "no folder"


@pytest.mark.parametrize("out", [None, "p.csv", "p.parquet"])
def test_without_a_picture_nothing_that_draws_is_imported(tmp_path, out):
    argv = ["--data", str(write_table(tmp_path / "digits.csv")), "--results", str(tmp_path / "r")]
    argv += ["--out", str(tmp_path / out)] if out else []
    done = running.finish(running.start_python("-c", WITHOUT_DRAWING.format(argv=argv)))
    assert done.code == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "set()"


def test_a_run_writes_what_scikit_learn_predicts(tmp_path):
    done = running.call(
        "digits_knn_cnn.run_plain", "--data", write_table(tmp_path / "digits.csv"), "--json",
        "--out", tmp_path / "answer", "--results", tmp_path / "results",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    found = csv.read_csv(tmp_path / "answer" / "predictions.csv").to_pydict()
    assert [found[f"predicted_k{k}"] for k in range(1, 11)] == predictions()
    assert set(done.record["outputs"].values()) == {
        str(tmp_path / "answer" / name) for name in names(tmp_path / "answer")
    }
    page = (tmp_path / "answer" / "index.html").read_text()
    assert "356 of 360 test pictures are read right by the nearest neighbours with k = 6" in page


def test_the_model_of_a_run_reads_what_the_run_has_read(tmp_path):
    done = running.call(
        "digits_knn_cnn.run_plain", "--data", write_table(tmp_path / "digits.csv"), "--json",
        "--model", "cnn", "--epochs", 1, "--out", tmp_path / "answer", "--no-check",
        "--results", tmp_path / "results",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    _, tests, _, labels = parts()
    pictures = torch.tensor(tests / 16, dtype=torch.float32).view(-1, 1, 8, 8)
    network = model_file.read(str(tmp_path / "answer" / "model.safetensors"))
    found = csv.read_csv(tmp_path / "answer" / "predictions.csv").to_pydict()
    assert found["label"] == labels.tolist()
    assert found["predicted"] == network(pictures).argmax(dim=1).tolist()
