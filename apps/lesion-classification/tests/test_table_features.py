"""The table's columns as scikit-learn encodes them, fitted on some rows alone."""

import dataclasses

import numpy as np
from lesion_classification.table_features import Encoding
from made_lesions import lesions
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def table(count=40):
    return lesions(np.arange(count) % 2, np.arange(count))


def test_columns_are_those_of_scikit_learn():
    all_of_them, rows = table(), np.arange(5, 30)
    found = Encoding.fitted(all_of_them, rows)
    numbers = np.stack(list(all_of_them.numbers.values()), axis=1)
    texts = np.array(list(all_of_them.categories.values())).T
    scaler = StandardScaler().fit(numbers[rows])
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit(texts[rows])
    expected = np.hstack([scaler.transform(numbers), encoder.transform(texts)])
    np.testing.assert_allclose(found.encoded(all_of_them), expected, atol=1e-6)
    assert found.columns[:2] == ["age", "sex=female"]


def test_rows_that_it_is_not_fitted_on_change_nothing():
    one = table()
    other = dataclasses.replace(
        one,
        numbers={"age": np.where(np.arange(40) < 30, one.numbers["age"], 1e6)},
        categories={name: [*own[:30], *["rare"] * 10] for name, own in one.categories.items()},
    )
    rows = np.arange(30)
    assert Encoding.fitted(one, rows) == Encoding.fitted(other, rows)


def test_a_text_that_was_not_seen_has_no_column():
    given = dataclasses.replace(table(3), categories={"sex": ["male", "female", "other"]})
    found = Encoding.fitted(given, np.arange(2))
    assert found.columns == ["age", "sex=female", "sex=male"]
    assert found.encoded(given)[:, 1:].tolist() == [[0, 1], [1, 0], [0, 0]]


def test_a_number_that_is_always_the_same_is_zero():
    given = dataclasses.replace(table(4), numbers={"width": np.full(4, 7.0)}, categories={})
    assert Encoding.fitted(given, np.arange(4)).encoded(given).tolist() == [[0]] * 4
