"""The oracle is right where the answer is known, and sees what is wrong."""

import dataclasses

import numpy as np
import pytest
from digits_knn_cnn import oracle, reports
from digits_knn_cnn.searching import Answer
from digits_knn_cnn.study import STUDY, Parameters
from digits_knn_cnn.worker import Placed
from published_split import parts, predictions, predictions_of_training_rows, write_table
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    path = write_table(tmp_path_factory.mktemp("data") / "digits.csv")
    info = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    return Run(STUDY, "plain", Options(data=str(path)), Parameters(), info)


@pytest.fixture
def answer() -> Answer:
    train, tests, labels, test_labels = parts()
    of_tests = np.array(predictions(), np.uint8)
    of_training = np.array(predictions_of_training_rows(), np.uint8)
    return Answer(
        len(labels),
        Placed(np.arange(len(tests)), tests, test_labels),
        Placed(np.arange(len(train)), train, labels),
        of_tests,
        of_training,
    )


def checked(run: Run, answer: Answer, allowed: float = 0.0):
    return oracle.check(run, answer, reports.quality(answer), allowed)


def test_the_known_predictions_are_right(run, answer):
    found = checked(run, answer)
    assert found.passed is True
    assert found.detail["predictions_compared"] == 1797 * 10


@pytest.mark.parametrize("part", ["predicted", "predicted_judged"])
def test_one_other_prediction_is_seen(run, answer, part):
    changed = getattr(answer, part).copy()
    changed[4, 20] = (changed[4, 20] + 1) % 10
    found = checked(run, dataclasses.replace(answer, **{part: changed}))
    assert (found.passed, found.detail["predictions_differing"]) == (False, 1)
    assert checked(run, dataclasses.replace(answer, **{part: changed}), 0.001).passed is True


def test_accuracies_that_are_not_those_of_the_predictions_are_seen(run, answer):
    quality = reports.quality(answer)
    quality["train_accuracy_by_k"]["3"] -= 1e-9
    assert oracle.check(run, answer, quality, 0.0).passed is False


def test_labels_in_another_order_are_seen(run, answer):
    turned = dataclasses.replace(answer.tests, labels=np.roll(answer.tests.labels, 1))
    assert checked(run, dataclasses.replace(answer, tests=turned)).passed is False


def test_missing_rows_are_seen(run, answer):
    assert checked(run, dataclasses.replace(answer, train_rows=1436)).passed is False


def test_a_sample_is_compared_where_all_would_take_long(run, answer, monkeypatch):
    monkeypatch.setattr(oracle, "MOST_DISTANCES", 100 * answer.train_rows)
    found = checked(run, answer)
    assert (found.passed, found.detail["predictions_compared"]) == (True, 1000)


def test_equal_distances_are_in_the_order_of_the_rows():
    own = np.array([4.0, 1.0, 4.0, 0.0, 4.0, 1.0])
    assert oracle.nearest(own, 4).tolist() == [3, 1, 5, 0]


@pytest.mark.parametrize("step", [1.0, 0.5])
def test_distances_of_whole_numbers_and_of_fractions(step):
    rows = np.array([[0.0, step], [3 * step, 5 * step]])
    assert oracle.distances(rows[:1], rows).tolist() == [[0.0, 25 * step**2]]
