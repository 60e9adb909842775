"""Charts of an answer: what is on them, and that they can be drawn at their limits."""

import io

import answers
import numpy as np
import pytest
from digits_knn_cnn import drawing, paper
from digits_knn_cnn.drawing import PAPERS, TESTS, TRAINS
from PIL import Image

LABELS, READ = [0, 1, 1, 9], [0, 1, 9, 9]


def values(chart):
    return [point for data in chart.to_dict()["datasets"].values() for point in data]


def series(chart):
    found: dict[str, dict[int, float]] = {}
    for point in values(chart):
        found.setdefault(point["series"], {})[point["x"]] = point["y"]
    return found


def test_accuracy_by_k_stands_beside_the_papers():
    found = series(drawing.accuracy(answers.by_k(LABELS, READ, LABELS).quality))
    assert found[TESTS] == {1: 0.75, 2: 1.0}
    assert found[TRAINS] == {1: 0.75, 2: 1.0}
    assert found[PAPERS] == {
        1: 0.98, 2: 0.98, 3: 0.98, 4: 0.98, 5: 0.99, 6: 0.99, 7: 0.99, 8: 0.99, 9: 0.98, 10: 0.98,
    }  # fmt: skip


def test_a_network_has_accuracy_and_loss_by_epoch():
    quality = answers.of_network("cnn", LABELS, READ).quality
    found = series(drawing.accuracy(quality))
    assert found[TESTS] == pytest.approx({1: 0.7, 2: 0.85, 3: 0.9})
    assert found[TRAINS] == pytest.approx({1: 0.8, 2: 0.9, 3: 1 - 0.2 / 3})
    assert series(drawing.loss(quality)) == {TRAINS: pytest.approx({1: 2.0, 2: 1.0, 3: 2 / 3})}


@pytest.mark.parametrize("epochs", [1, 2, 300])
def test_ticks_are_at_whole_epochs(epochs):
    chart = drawing.loss({"loss_by_epoch": [1.0] * epochs})
    axis = chart.to_dict()["layer"][0]["encoding"]["x"]["axis"]
    assert axis.get("values") == ([1, 2][:epochs] if epochs < 3 else None)
    assert _drawn(chart)


def test_the_confusion_has_all_classes_and_numbers_the_taken():
    confusion = answers.by_k(LABELS, READ).quality["confusion"]["1"]
    cells = {(cell["label"], cell["read"]): cell["pictures"] for cell in
             values(drawing.confusion(confusion, "k = 1"))}  # fmt: skip
    assert len(cells) == 100
    taken = {place: pictures for place, pictures in cells.items() if pictures}
    assert taken == {(0, 0): 1, (1, 1): 1, (1, 9): 1, (9, 9): 1}


@pytest.mark.parametrize(("model", "rows"), [("knn", 6), ("cnn", 6), ("resnet18", 6)])
def test_times_say_what_the_paper_timed(model, rows):
    chart = drawing.times({"start": 2.0}, paper.times(model))
    assert [bar["name"] for bar in values(chart)][:2] == ["here: start", "paper: dask, 2 workers"]
    assert len(values(chart)) == 1 + rows
    told = " ".join(chart.to_dict()["title"]["subtitle"])
    assert ("half of the rows" in told) and (("small CNN" in told) == (model != "knn"))


def _drawn(chart):
    with Image.open(io.BytesIO(drawing.png(chart))) as picture:
        return np.asarray(picture.convert("L")).min() < 80


def test_one_class_alone_and_nothing_right_can_be_drawn():
    assert _drawn(drawing.confusion([[0] * 10 for _ in range(10)], "k = 1"))
    assert _drawn(drawing.accuracy(answers.by_k([1], [2]).quality))
