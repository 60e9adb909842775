"""The check can fail: moved centres, wrong counts and wrong inertia are found."""

import dataclasses
import datetime
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from taxi import made_up
from taxi_clustering import oracle, oracle_arrow, oracle_plain, oracle_rows, run_plain, study
from taxi_clustering.clustering import Clustering
from taxi_clustering.study import Parameters


@pytest.fixture(autouse=True, params=["one piece", "many pieces"])
def pieces(request, monkeypatch):
    if request.param == "many pieces":
        monkeypatch.setattr(oracle_rows, "READ_BYTES", 20_000)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    path = made_up(tmp_path_factory.mktemp("oracle") / "trips.csv", 2000)
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    parameters = Parameters(clusters=12)
    return Run(study.STUDY, "plain", Options(workers=1), parameters, dataset, quiet=True)


@pytest.fixture(scope="module")
def right(run) -> Clustering:
    worker, search, totals = run_plain.clustered(run)
    inertia = float(worker.score(search.best.centres))
    worker.close()
    return Clustering.of(search.best.centres, search.best.sums[:, 0], inertia, totals)


def test_the_right_answer_passes(run, right):
    check = oracle.check(run, right)
    assert check.passed is True
    assert check.detail["rows_kept"] == right.totals.kept


def test_a_moved_centre_is_found(run, right):
    centres = right.centres.copy()
    centres[3] += 25
    assert oracle.check(run, dataclasses.replace(right, centres=centres)).passed is False


def test_a_centre_in_the_desert_is_found(run, right):
    centres = right.centres.copy()
    centres[5] = (19_000, -19_000)
    assert oracle.check(run, dataclasses.replace(right, centres=centres)).passed is False


def test_two_centres_that_changed_places_are_found(run, right):
    centres = right.centres.copy()
    first, second = np.argsort(right.trips)[[0, -1]]
    centres[[first, second]] = centres[[second, first]]
    assert oracle.check(run, dataclasses.replace(right, centres=centres)).passed is False


def test_trips_are_counted_for_the_nearest_of_all_centres():
    random = np.random.default_rng(2)
    points, centres = random.normal(0, 9000, (500, 2)), random.normal(0, 9000, (13, 2))
    sums = np.zeros((13, 3))
    inertia = oracle._assign(points, centres, sums)
    squares = ((points[:, None] - centres) ** 2).sum(axis=2)
    label = squares.argmin(axis=1)
    assert inertia == pytest.approx(squares.min(axis=1).sum(), rel=1e-12)
    assert sums[:, 0].tolist() == np.bincount(label, minlength=13).tolist()
    for axis in (0, 1):
        expected = np.bincount(label, points[:, axis], minlength=13)
        assert sums[:, axis + 1] == pytest.approx(expected, rel=1e-9)


HEADER = oracle_arrow.Header(9, ",", dict(zip(oracle_rows.COLUMNS, range(8), strict=True)))
MOMENTS = st.datetimes(datetime.datetime(1960, 1, 1), datetime.datetime(2399, 12, 31)).map(
    lambda moment: moment.isoformat(" ", "seconds")
)
TIMES = MOMENTS | st.sampled_from(
    ["2015-02-29 00:00:00", "2015-04-31 10:00:00", "2015-01-01 24:00:00", "2015-1-01 00:00:00",
     "2015-01-01T00:00:00", "2015-01-01", "", "2015-01-01 00:00:60", "2015-13-01 00:00:00"]
)  # fmt: skip
NUMBERS = st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{0,17})?", fullmatch=True) | st.sampled_from(
    ["", "-74.150000000000006", "1e3", " 1", "-0"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.tuples(TIMES, TIMES), numbers=st.tuples(*[NUMBERS] * 6), end=st.sampled_from(
    ["", "\n", "\r\n", ",", "\n\n"]))  # fmt: skip
def test_a_plain_row_is_read_as_line_by_line(times, numbers, end):
    text = ",".join([*times, *numbers, "N"]).encode() + end.encode()
    plain = oracle_plain.read(text, HEADER)
    if plain is not None:
        by_lines = oracle_rows._by_lines(text, HEADER, False)
        assert (by_lines.missing, by_lines.bad) == (0, 0)
        for what, column in plain.items():
            assert column == pytest.approx(by_lines.columns[what], rel=4.5e-16, abs=0)
    early = any(time < "1970" for time in times)
    clean = r"[0-9]{1,3}(\.[0-9]{1,15})?"
    if not early and set(times) <= {time for time in times if _is_time(time)} and end in ("", "\n"):
        assert plain is not None or not all(re.fullmatch(clean, one) for one in numbers)


def _is_time(text):
    try:
        return text == datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").isoformat(" ")
    except ValueError:
        return False


def test_a_long_number_next_to_a_bound_is_not_plain():
    for number, plain in (
        ("-74.150000000000006", False),
        ("-74.150000000100006", True),
        ("-74.15", True),
        ("40.577399999999997", False),
    ):
        fields = ["2015-01-01 00:00:00"] * 2 + [number] * 6 + ["N"]
        assert (oracle_plain.read(",".join(fields).encode(), HEADER) is not None) == plain


def test_wrong_trips_of_a_cluster_are_found(run, right):
    trips = right.trips + np.eye(len(right.trips), dtype=np.int64)[0] * 5
    assert oracle.check(run, dataclasses.replace(right, trips=trips)).passed is False


def test_a_wrong_inertia_is_found(run, right):
    wrong = dataclasses.replace(right, inertia=right.inertia * 1.0001)
    assert oracle.check(run, wrong).passed is False


@pytest.mark.parametrize("field", ["rows", "kept"])
def test_wrong_counts_of_rows_are_found(run, right, field):
    totals = dataclasses.replace(right.totals, **{field: getattr(right.totals, field) + 1})
    assert oracle.check(run, dataclasses.replace(right, totals=totals)).passed is False


def test_a_wrong_count_of_a_rule_is_found(run, right):
    rejects = {**right.totals.rejects, "speed": right.totals.rejects["speed"] + 1}
    totals = dataclasses.replace(right.totals, rejects=rejects)
    assert oracle.check(run, dataclasses.replace(right, totals=totals)).passed is False
