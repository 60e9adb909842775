"""The check can fail: every figure of the table and of the fit is moved, and found."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray_vs_dask_etl import (
    oracle,
    oracle_fit,
    oracle_plain,
    oracle_rows,
    oracle_sums,
    rows,
    run_plain,
    study,
    worker,
)
from ray_vs_dask_etl.rows import Columns
from ray_vs_dask_etl.scaling import Scaling
from ray_vs_dask_etl.study import Parameters
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from tables import aggregate, random_rows, write_rows

ROWS = random_rows(4000, seed=3)


@pytest.fixture(params=["one piece", "many pieces"])
def run(tmp_path, monkeypatch, request) -> Run:
    if request.param == "many pieces":
        monkeypatch.setattr(oracle_rows, "READ_BYTES", 3000)
    path = write_rows(tmp_path / "rows.csv", ROWS)
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    return Run(study.STUDY, "plain", Options(workers=1), Parameters(), dataset, quiet=True)


@pytest.fixture
def groups(run):
    return aggregate(Path(run.dataset.uri))


def passed(run, groups, tolerance=1e-14) -> bool:
    return bool(oracle.check_groups(run, groups, tolerance).passed)


def test_the_right_table_passes(run, groups):
    assert passed(run, groups)
    means = [{k: v for k, v in row.items() if k == "category" or "mean" in k} for row in groups]
    assert passed(run, means, oracle.ROUNDED)


@pytest.mark.parametrize("figure", ["count", "mean_x", "std_y", "min_x", "max_y"])
def test_a_moved_figure_is_found(run, groups, figure):
    groups[2][figure] = (
        groups[2][figure] + 1 if figure == "count" else groups[2][figure] * (1 + 1e-11)
    )
    assert not passed(run, groups)


def test_a_lost_an_invented_and_a_swapped_category_are_found(run, groups):
    assert not passed(run, groups[:-1])
    assert not passed(run, [*groups[:-1], {**groups[-1], "category": "A"}])
    assert not passed(run, [groups[1], groups[0], *groups[2:]])


@pytest.mark.parametrize(
    ("centre", "spread"),
    [(1e9, 1.0), (0.0, 1e-200), (1.0, 1e-13), (0.0, 1e-310), (0.0, 1e200), (0.0, 1e307)],
)
def test_values_far_from_one_pass(tmp_path, run, centre, spread):
    path = write_rows(tmp_path / "far.csv", random_rows(2000, 4, centre, spread))
    far = dataclasses.replace(run, dataset=DatasetInfo(name="user", uri=str(path), bytes=1))
    table = aggregate(path)
    assert passed(far, table)
    table[1]["std_x"] *= 1 + 1e-11
    assert not passed(far, table)


@pytest.fixture
def fitted(run, monkeypatch):
    """(run, fit, correct predictions) of the plain engine."""
    kept = []
    monkeypatch.setattr(oracle_fit, "check_fit", lambda *given: kept.append(given))
    asked = dataclasses.replace(run, parameters=Parameters(task="logistic-regression"))
    run_plain.regression(asked).check()
    monkeypatch.undo()
    return kept[0]


def test_the_right_fit_passes(fitted):
    check = oracle_fit.check_fit(*fitted)
    assert check.passed
    assert check.detail["gradient_norm"] < 1e-7
    assert check.detail["coefficients_distance"] < 1e-5


@pytest.mark.parametrize("place", [(0, 0), (1, 2)])
def test_a_moved_coefficient_is_found(fitted, place):
    run, fit, right = fitted
    theta = fit.theta.copy()
    theta[place] += 1e-4
    assert not oracle_fit.check_fit(run, dataclasses.replace(fit, theta=theta), right).passed


def test_a_wrong_count_of_predictions_is_found(fitted):
    run, fit, right = fitted
    assert not oracle_fit.check_fit(run, fit, right + 1).passed


def test_rows_of_another_range_than_the_first_are_judged_by_their_own(
    fitted, tmp_path, monkeypatch
):
    """The first piece holds the smallest numbers alone: a range that says nothing of the others."""
    run, fit, right = fitted
    header, *lines = Path(run.dataset.uri).read_text().splitlines()
    lines.sort(key=lambda line: float(line.split(",")[1]))
    path = tmp_path / "sorted.csv"
    path.write_text("\n".join([header, *lines]))
    run = dataclasses.replace(run, dataset=DatasetInfo(name="user", uri=str(path), bytes=1))
    monkeypatch.setattr(oracle_rows, "READ_BYTES", 3000)
    ranges, kept = [], oracle_sums._sums_by

    def sums_by(run, fit, by):
        ranges.append(by)
        return kept(run, fit, by)

    monkeypatch.setattr(oracle_sums, "_sums_by", sums_by)
    assert oracle_fit.check_fit(run, fit, right).passed
    assert len(ranges) == 2
    assert ranges[0].high[0] < 0.1 < 0.9 < ranges[1].high[0]
    theta = fit.theta.copy()
    theta[1, 2] += 1e-4
    assert not oracle_fit.check_fit(run, dataclasses.replace(fit, theta=theta), right).passed


NUMBERS = st.from_regex(r"-?[0-9]{0,12}(\.[0-9]{0,12})?", fullmatch=True)


LINES = st.tuples(st.integers(-(2**63), 2**63), NUMBERS, st.sampled_from("ABx "))


@given(st.lists(LINES, max_size=4), st.sampled_from(["", ",", "\n", "\r\n", '"', " "]))
def test_plain_lines_are_read_as_python_reads_them(lines, end):
    text = "\n".join(f"{number},{value},{category}" for number, value, category in lines) + end
    kinds = oracle_plain.ID, oracle_plain.VALUE, oracle_plain.CATEGORY
    found = oracle_plain.read(text.encode(), ",", kinds, ("A", "B"))
    if found is not None:
        ids, values, codes = found
        rows_ = [line.split(",") for line in text.splitlines()]
        assert ids.tolist() == [int(number) for number, _, _ in rows_]
        assert values[0].tolist() == [float(value) for _, value, _ in rows_]
        assert codes.tolist() == ["AB".index(category) for _, _, category in rows_]
    plain = r"([0-9]{1,18},-?[1-9][0-9]{0,8}(\.[0-9]{1,6})?,[AB](\n|\Z))+"
    assert found is not None or not re.fullmatch(plain, text)


def test_both_hashes_choose_the_same_test_rows():
    ids = np.random.default_rng(0).integers(-(2**62), 2**62, 5000)
    for seed in (0, 42, -1):
        values, codes = np.arange(5000.0)[None], np.zeros(5000, np.uint8)
        columns, same = Columns("id", ("x",), "category", ("A",)), Scaling(np.ones(1), np.zeros(1))
        known = worker.divided(ids, values, codes, columns, seed, same)
        right = np.flatnonzero(~oracle_sums.is_test(ids, seed))
        assert np.array_equal(known.features[0, : known.train].astype(int), right)
    assert rows.MOST_CATEGORIES == 256
