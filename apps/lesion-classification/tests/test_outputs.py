"""The answer as files: a table, a page that stands alone, a folder with all."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from lesion_classification import folds, outputs
from lesion_classification.answering import Answer
from lesion_classification.classifier import Settings
from lesion_classification.cross_validation import Data, train_folds
from lesion_classification.leak import Leak
from made_lesions import made
from PIL import Image
from pyarrow import csv, parquet
from studykit.errors import UsageError

RUN: Any = SimpleNamespace(
    engine="plain",
    dataset=SimpleNamespace(uri="somewhere"),
    parameters=SimpleNamespace(folds="grouped", weights="random"),
    options=SimpleNamespace(worker_count=2, threads=1, method="exact"),
)


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """Of 120 images, which lie in the folder; with what was measured of the leak."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    lesions, features = made(groups=60, width=8, signal=0.3)
    for path in lesions.paths:
        Image.new("RGB", (20, 20), "brown").save(tmp_path / "images" / path)
    assigned = folds.grouped(lesions.labels, lesions.groups, 3, 1)
    data = Data(features, lesions, assigned, Settings(epochs=2))
    results = train_folds(range(3), data, 1)
    answered = Answer(data, results, precision="float32")
    return answered, Leak("grouped", data, results, 1)


@pytest.mark.parametrize("name", ["p.parquet", "p.csv"])
def test_predictions_are_a_row_for_every_image(answer, name):
    outputs.write(name, RUN, *answer)
    read = csv.read_csv(name) if name.endswith("csv") else parquet.read_table(name)
    found = {column: np.array(values) for column, values in read.to_pydict().items()}
    data, results = answer[0].data, answer[0].results
    assert found["image"].tolist() == list(data.lesions.paths)
    assert found["lesion"][3] == "lesion 1"
    assert (found["malignant"] == data.lesions.labels).all()
    for result in results:
        assert np.allclose(found["score"][found["fold"] == result.fold], result.scores)
    assert (found["predicted"] == (found["score"] > 0.5)).all()


def test_a_folder_has_all_and_its_page_shows_the_leak(answer, tmp_path):
    written = outputs.write("answer", RUN, *answer)
    assert list(written) == [
        "predictions", "features", "roc", "figures", "surest_mistakes", "page",
    ]  # fmt: skip
    features = parquet.read_table("answer/features.parquet").column("features").to_pylist()
    np.testing.assert_array_equal(features, answer[0].data.features)
    page = (tmp_path / "answer/index.html").read_text()
    assert not re.search(r'(src|href)="https?:', page)
    assert page.count("data:image/png;base64,") == 3
    figures = answer[1].figures
    assert f"{figures['auc_leak']:+.4f} of AUC" in page
    assert f"{figures['auc_published']:.4f} ± {figures['auc_published_std']:.4f}" in page
    assert "They are random" in page
    for name in ("predictions.parquet", "features.parquet", "roc.png"):
        assert f'href="{name}"' in page


def test_a_page_by_itself_links_no_file(answer, tmp_path):
    assert list(outputs.write("page.html", RUN, *answer)) == ["page"]
    assert "href=" not in (tmp_path / "page.html").read_text()


def test_other_endings_are_refused():
    with pytest.raises(UsageError, match=r"\.parquet"):
        outputs.require_writable("answer.xlsx")
    for good in (None, "a.csv", "a.parquet", "a.html", "folder"):
        outputs.require_writable(good)
