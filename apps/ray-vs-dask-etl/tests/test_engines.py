"""The table and the coefficients of every engine: those of fractions, those of one process."""

import json
from typing import Any

import pytest
from case import CASE, REGRESSION
from studytest.contract.answers import PlainAnswer
from studytest.importing import Importing
from tables import assert_groups, fraction_groups, random_rows, write_rows

ROWS = random_rows(20_000, seed=11)
FAR = random_rows(3000, seed=12, centre=-1e12, spread=1e-3)


class TestImporting(Importing):
    case = CASE


class TestEngines(PlainAnswer):
    case = CASE

    def test_the_table_is_that_of_the_fractions_to_the_last_bit(self, plain):
        """The other engines give the bits of the plain one, which the contract holds them to."""
        assert_groups(plain.quality["groups"], fraction_groups(ROWS))
        assert plain.quality["rows"] == len(ROWS)

    @pytest.mark.parametrize("engine", [name for name in CASE.engines if name != "ray"])
    def test_values_far_from_one(self, engine, tmp_path):
        path = write_rows(tmp_path / "far.csv", FAR)
        record = self.called(
            engine, "--data", path, "--workers", 1, "--results", tmp_path / "results"
        )
        assert_groups(record["quality"]["groups"], fraction_groups(FAR))

    @pytest.fixture(scope="class")
    def plain_fit(self, data, tmp_path_factory) -> dict[str, Any]:
        return self.called(
            "plain", "--data", data, "--workers", 1, *REGRESSION,
            "--results", tmp_path_factory.mktemp("fit"),
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("engine", "more"),
        CASE.of_engines(
            ("ray", ("--workers", 2, "--threads", 2)),
            ("dask", ("--workers", 2, "--split-size", "50kb")),
            ("plain", ("--workers", 2, "--solver", "lbfgs")),
        ),
    )
    def test_coefficients_are_the_same_on_every_engine(
        self, engine, more, data, plain_fit, joining, tmp_path
    ):
        out = tmp_path / "model.json"
        record = self.called(
            engine, "--data", data, *REGRESSION, *more, "--out", out, "--results", tmp_path,
            *joining(engine),
        )  # fmt: skip
        assert record["check"]["passed"] is True
        quality, right = record["quality"], plain_fit["quality"]
        assert quality["gradient_norm"] <= 1e-8
        CASE.same(quality, right)
        assert quality["accuracy"] == right["accuracy"] > 0.5
        assert quality["signal"] == "signal"
        assert json.loads(out.read_text())["coefficients"] == quality["coefficients"]

    def test_noise_is_reported_as_no_signal(self, tmp_path):
        record = self.called(
            "plain", "--size", "tiny", "--workers", 2, *REGRESSION,
            "--store", tmp_path / "store", "--results", tmp_path,
        )  # fmt: skip
        assert record["quality"]["signal"] == "no signal"
        assert record["quality"]["accuracy"] == pytest.approx(0.25, abs=0.02)

    def test_a_complete_signal_has_no_maximum_without_l2(self, tmp_path):
        argv = ("--size", "tiny", "--signal", 1, "--workers", 1, *REGRESSION,
                "--store", tmp_path / "store", "--results", tmp_path)  # fmt: skip
        assert "--l2" in self.refused("plain", 3, *argv)
        held = self.called("plain", *argv, "--l2", 1)
        assert held["quality"]["accuracy"] > 0.99

    @pytest.mark.parametrize(
        ("engine", "method"),
        CASE.of_engines(
            ("plain", "native"),
            ("dask", "native"),
            ("ray", "native"),
            ("plain", "published"),
            ("dask", "published"),
            ("ray", "published"),
        ),
    )
    def test_the_engines_own_ways_give_the_table(self, engine, method, data, joining, tmp_path):
        record = self.called(
            engine, "--data", data, "--workers", 2, "--method", method, "--results", tmp_path,
            *joining(engine),
        )  # fmt: skip
        assert record["check"]["passed"] is True
        for row, expected in zip(record["quality"]["groups"], fraction_groups(ROWS), strict=True):
            assert row["category"] == expected["category"]
            assert row["mean_x"] == pytest.approx(expected["mean_x"], rel=1e-11)
            assert ("std_x" in row) == (method == "native")

    def test_what_the_paper_fitted_stands_beside_the_exact_accuracy(
        self, engine, joining, tmp_path
    ):
        path = write_rows(tmp_path / "rows.csv", ROWS[:4000])
        record = self.called(
            engine, "--data", path, "--workers", 2, "--method", "published", *REGRESSION,
            "--results", tmp_path / "results", *joining(engine),
        )  # fmt: skip
        quality = record["quality"]
        assert (record["status"], record["check"]["passed"]) == ("done", None)
        assert quality["accuracy_exact"] > 0.5
        if engine == "dask":
            # The raw call knows no and yes, which are the first two categories.
            assert set() < set(quality["predicted_categories"]) <= {"A", "B"}
            assert quality["accuracy"] < 0.4 < quality["accuracy_one_vs_rest"]
        else:
            # The unscaled id drowns what the other two numbers say.
            assert quality["features"] == ["id", "x", "y"]
            assert 0 < quality["accuracy"] < 0.5
            assert quality["train_rows"] == pytest.approx(3200, abs=150)
            assert quality["test_rows"] == pytest.approx(800, abs=150)
