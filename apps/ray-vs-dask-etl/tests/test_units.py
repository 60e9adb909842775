"""Regressions as people bring them: units of any size, columns that say nothing new, categories
that are told apart. The answer of every engine is the float64 fit of standardised columns."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from case import CASE, REGRESSION
from pyarrow import csv
from ray_vs_dask_etl import oracle_rows, rows
from regressions import (
    TOLD_APART,
    assert_coefficients,
    is_training,
    newton,
    reference,
    told_apart,
)
from studytest.contract.of_study import OfStudy

ROWS = 12_000
SEED = 42

NORMAL = np.random.default_rng(7).normal(size=(2, ROWS))
LEANING = (0.73 * NORMAL[0] - 0.34 * NORMAL[1] > np.random.default_rng(8).logistic(size=ROWS)) * 1
X, Y = NORMAL
LARGE = np.random.default_rng(9).normal(size=(2, 450_000))
LARGE_LEANING = (LARGE.sum(axis=0) > np.random.default_rng(10).logistic(size=450_000)) * 1
BROUGHT = {
    "as they are": X,
    "1e7 ± 1": 1e7 + X,
    "seconds since 1970 ± a minute": 1.42e9 + 60 * X,
    "kilograms of molecules": 3e-26 + 1e-26 * X,
    "times 1e6": 1e6 * X,
    "times 1e12": 1e12 * X,
    "people": np.round(5e7 + 2e7 * X, 2),
}
FURTHER = {
    "1e15 ± 1": 1e15 + X,
    "deviations of 1e-200": 1e-200 * X,
    "far and tiny": 1e-190 + 1e-200 * X,
    "deviations of 1e200": 1e200 * X,
    "the largest doubles": 1e307 * X,
    "the smallest doubles": 1e-306 * X,
    "sorted by time": 1.42e9 + np.sort(X) * 1e6,
    "counted": np.round(3 * X),
    "one row far away": np.where(np.arange(ROWS) == 9000, 1e6 * (2 * LEANING - 1), X),
}
KEPT_SHORT = BROUGHT | FURTHER
LBFGS = ("--solver", "lbfgs", "--split-size", "50kb")
NEARLY_THE_SAME = {
    "but for 1e-3": Y + 1e-3 * X,
    "but for 1e-5": 5 - 3 * Y + 3e-5 * X,
}


def write(path: Path, features: np.ndarray, codes: np.ndarray) -> Path:
    lines = (
        f"{i},{','.join(map(repr, row))},{'ABC'[code]}\n"
        for i, (row, code) in enumerate(zip(features.T.tolist(), codes.tolist(), strict=True))
    )
    path.write_text("id,x,y,category\n" + "".join(lines))
    return path


def coefficients(quality) -> np.ndarray:
    return np.array([[row["intercept"], row["x"], row["y"]] for row in quality["coefficients"]])


class TestUnits(OfStudy):
    case = CASE

    @pytest.fixture
    def fitted(self, tmp_path):
        """engine, the options to join it, features, codes, further options → the record of a fit
        that is done and checked."""

        def run(engine, joined, features, codes, *argv):
            path = write(tmp_path / "rows.csv", features, codes)
            return self.fit(engine, joined, path, len(np.unique(codes)), *argv)

        return run

    def fit(self, engine, joined, path, categories, *argv):
        record = self.called(
            engine, "--data", path, *REGRESSION, "--categories", "A,B,C"[: 2 * categories - 1],
            "--workers", 1, "--seed", SEED, "--results", path.parent / "results", *joined, *argv,
        )  # fmt: skip
        assert (record["status"], record["check"]["passed"]) == ("done", True)
        return record

    @pytest.mark.parametrize("name", BROUGHT)
    def test_a_column_in_any_unit(self, engine, joined, fitted, name):
        features = np.stack([BROUGHT[name], Y])
        self.assert_kept_short(fitted(engine, joined, features, LEANING)["quality"], features)

    @pytest.mark.parametrize(
        ("name", "argv"),
        [*((name, ()) for name in FURTHER), *((name, LBFGS) for name in KEPT_SHORT)],
    )
    def test_so_it_is_in_others_and_by_lbfgs(self, fitted, name, argv):
        features = np.stack([KEPT_SHORT[name], Y])
        self.assert_kept_short(fitted("plain", (), features, LEANING, *argv)["quality"], features)

    def assert_kept_short(self, quality, features):
        train = is_training(ROWS, SEED)
        right = reference(features[:, train], LEANING[train])
        assert_coefficients(coefficients(quality), features[:, train], right)
        assert quality["cached_bytes"] == 9 * ROWS and quality["rank"] == 2

    @pytest.mark.parametrize("name", NEARLY_THE_SAME)
    def test_a_column_that_nearly_follows_from_the_other(self, engine, joined, fitted, name):
        features = np.stack([NEARLY_THE_SAME[name], Y])
        self.assert_kept_long(fitted(engine, joined, features, LEANING)["quality"], features)

    @pytest.mark.parametrize("name", NEARLY_THE_SAME)
    def test_so_it_does_by_lbfgs(self, fitted, name):
        features = np.stack([NEARLY_THE_SAME[name], Y])
        self.assert_kept_long(fitted("plain", (), features, LEANING, *LBFGS)["quality"], features)

    def assert_kept_long(self, quality, features):
        train = is_training(ROWS, SEED)
        right = newton(features[:, train], LEANING[train])
        assert_coefficients(coefficients(quality), features[:, train], right)
        assert quality["cached_bytes"] == 17 * ROWS and quality["rank"] == 2

    @pytest.mark.parametrize("name", ["1e7 ± 1", "kilograms of molecules", "deviations of 1e200"])
    def test_first_rows_that_say_nothing_of_the_others(self, fitted, name, monkeypatch):
        monkeypatch.setattr(rows, "FIRST_BYTES", 1)  # The header is looked at alone.
        features = np.stack([KEPT_SHORT[name], Y])
        quality = fitted("plain", (), features, LEANING)["quality"]
        train = is_training(ROWS, SEED)
        right = reference(features[:, train], LEANING[train])
        assert_coefficients(coefficients(quality), features[:, train], right)
        assert (quality["cached_bytes"] == 17 * ROWS) == (name != "kilograms of molecules")

    @pytest.fixture(scope="class")
    def large_rows(self, engine):
        """More than 20 MB for one process. A fifth for the engines with workers, whose pieces are
        the same but for their number, as those of the oracle are made to be."""
        return LARGE.shape[1] if engine == "plain" else LARGE.shape[1] // 5

    @pytest.fixture(scope="class")
    def large(self, engine, large_rows, tmp_path_factory):
        """1e7 ± 1 beside a column as it is; one category leans, one is apart."""
        path = tmp_path_factory.mktemp("large") / "rows.csv"
        x, y = LARGE[:, :large_rows]
        leaning, apart = LARGE_LEANING[:large_rows], (x > 0) * 1
        leaning, apart = (np.array(list("AB"))[codes] for codes in (leaning, apart))
        table = {"id": np.arange(len(x)), "x": 1e7 + x, "y": y, "category": leaning, "apart": apart}
        csv.write_csv(pa.table(table), path)
        assert path.stat().st_size > 20_000_000 * large_rows / LARGE.shape[1]
        return path

    @pytest.fixture
    def pieces(self, engine, monkeypatch):
        """Some for the oracle too, of whatever file."""
        if engine != "plain":
            monkeypatch.setattr(oracle_rows, "READ_BYTES", oracle_rows.READ_BYTES // 5)

    def test_a_large_file(self, engine, joined, large, large_rows, pieces):
        quality = self.fit(engine, joined, large, 2)["quality"]
        train = is_training(large_rows, SEED)
        x, y = LARGE[:, :large_rows]
        right = newton(np.stack([1e7 + x, y])[:, train], LARGE_LEANING[:large_rows][train])
        assert_coefficients(coefficients(quality), np.stack([1e7 + x, y])[:, train], right)

    @pytest.mark.parametrize("argv", [(), ("--no-check",)])
    def test_no_finite_maximum_of_a_large_file(self, engine, joined, large, pieces, argv):
        self.assert_told_apart(engine, joined, large, 2, "--columns", "id,x,y,apart", *argv)

    def test_a_constant_column_has_no_coefficient(self, engine, joined, fitted):
        features = np.stack([X, np.full(ROWS, 5.1)])
        quality = fitted(engine, joined, features, LEANING)["quality"]
        train = is_training(ROWS, SEED)
        right = reference(features[:, train], LEANING[train])
        assert_coefficients(coefficients(quality), features[:, train], right)
        assert (coefficients(quality)[:, 2] == 0).all() and quality["rank"] == 1

    @pytest.mark.parametrize("kind", ["one follows from the other", "one of two"])
    def test_the_smallest_of_equally_right_coefficients(self, engine, joined, fitted, kind):
        other = 2 * X + 1 if kind == "one follows from the other" else (X > 0) * 1.0
        features = np.stack([X if kind == "one follows from the other" else 1 - other, other])
        record = fitted(engine, joined, features, LEANING)
        train = is_training(ROWS, SEED)
        right = reference(features[:, train], LEANING[train])
        assert_coefficients(coefficients(record["quality"]), features[:, train], right)
        assert record["quality"]["rank"] == 1
        assert record["check"]["detail"]["unique"] is False

    @pytest.mark.parametrize("l2", [0.01, 1, 10, 1000])
    def test_l2_is_that_of_the_readme(self, engine, joined, fitted, l2):
        self.assert_held(fitted(engine, joined, NORMAL, LEANING, "--l2", l2), LEANING, l2)

    @pytest.mark.parametrize("l2", [0.01, 1, 10, 1000])
    def test_so_it_is_of_three_categories(self, fitted, l2):
        codes = LEANING + (Y > 1)
        self.assert_held(fitted("plain", (), NORMAL, codes, "--l2", l2), codes, l2)

    def assert_held(self, record, codes, l2):
        train = is_training(ROWS, SEED)
        right = reference(NORMAL[:, train], codes[train], l2)
        assert_coefficients(coefficients(record["quality"]), NORMAL[:, train], right)

    @pytest.mark.parametrize("scale", [1e-200, 1e-6, 1e6, 1e200])
    def test_l2_with_units_in_which_it_is_all_or_nothing(self, fitted, scale):
        quality = fitted("plain", (), np.stack([scale * X, Y]), LEANING, "--l2", 1)["quality"]
        train = is_training(ROWS, SEED)
        apart = NORMAL[:, train] if scale > 1 else NORMAL[1:, train]
        free = reference(apart, LEANING[train])[:, -1] / Y[train].std()  # Next to no L2 acts on y.
        assert coefficients(quality)[:, 2] == pytest.approx(free, rel=1e-3)
        assert (abs(coefficients(quality)[:, 1] * scale) < 1e-6).all() == (scale < 1)

    @pytest.mark.parametrize(
        ("kind", "argv"), [*((kind, ()) for kind in TOLD_APART), (TOLD_APART[1], ("--no-check",))]
    )
    def test_no_finite_maximum(self, engine, joined, kind, argv, tmp_path):
        features, codes, classes = told_apart(kind, 8000)
        path = write(tmp_path / "rows.csv", features, codes)
        self.assert_told_apart(engine, joined, path, classes, *argv)

    def assert_told_apart(self, engine, joined, path, classes, *argv):
        line = self.refused(
            engine, 3, "--data", path, *REGRESSION, "--categories", "A,B,C"[: 2 * classes - 1],
            "--workers", 1, "--oversubscribe", "--results", path.parent / "results", *joined, *argv,
        )  # fmt: skip
        assert "not converged: the columns tell categories apart" in line and "--l2" in line

    def test_one_category_is_nothing_to_fit(self, tmp_path):
        path = write(tmp_path / "rows.csv", NORMAL[:, :50], np.zeros(50, int))
        argv = (*REGRESSION, "--data", path, "--workers", 1, "--results", tmp_path / "results")
        assert f"{path}: a regression needs two categories" in self.refused("plain", 2, *argv)

    def test_what_the_message_advises_helps(self, engine, joined, fitted):
        features, codes, _ = told_apart("all rows", 8000)
        quality = fitted(engine, joined, features, codes, "--l2", 0.001)["quality"]
        assert quality["accuracy"] > 0.99

    def test_a_coefficient_above_the_largest_double(self, tmp_path):
        features = np.stack([X, 1e-310 * Y])
        line = self.refused(
            "plain", 2, "--data", write(tmp_path / "rows.csv", features, LEANING), *REGRESSION,
            "--categories", "A,B", "--workers", 1, "--results", tmp_path / "results",
        )  # fmt: skip
        assert "rows.csv, column y" in line and "another unit" in line
