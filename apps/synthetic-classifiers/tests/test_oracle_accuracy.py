"""When an accuracy is as good as the library's own: by its interval, or by those of more models."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from studykit.errors import CheckError
from synthetic_classifiers import oracle_models

ROWS = 1_000_000
TABLE: Any = SimpleNamespace(test_labels=np.zeros(ROWS, np.int32))


def model(right):
    """Probabilities of which so many rows are right."""
    probabilities = np.zeros((ROWS, 2))
    probabilities[:right, 0] = probabilities[right:, 1] = 1
    return lambda: probabilities


def held(right, *models):
    trained: Any = SimpleNamespace(probabilities=model(right)())
    return oracle_models._within(TABLE, trained, *map(model, models))


def test_within_the_first_interval_no_other_model_is_made():
    # 95 % of 0.9 on a million rows: ± 0.00059.
    assert held(900_500, 900_000)["accuracy_of_one_process"] == [0.9]
    trained: Any = SimpleNamespace(probabilities=model(900_500)())
    assert oracle_models._within(TABLE, trained, model(900_000), pytest.fail)


def test_one_model_alone_has_its_interval_alone():
    for wrong in (899_300, 900_700):
        with pytest.raises(CheckError, match=r"accuracy: expected 0\.89941 … 0\.90059"):
            held(wrong, 900_000)


def test_beyond_it_the_answer_may_be_one_more_model_like_those_of_the_library():
    # Mean 0.9002, deviation 0.0002, of three: ± 4.303 · 0.0002 · √(4/3) = ± 0.00099.
    models = (900_000, 900_200, 900_400)
    assert held(901_150, *models)["accuracy_of_one_process"] == [0.9, 0.9002, 0.9004]
    for wrong in (901_250, 899_150):
        with pytest.raises(CheckError, match=r"accuracy: expected 0\.89921 … 0\.90119"):
            held(wrong, *models)
