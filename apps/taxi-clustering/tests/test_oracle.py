"""The check can fail: moved centres, wrong counts and wrong inertia are found."""

import dataclasses

import numpy as np
import pytest
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from taxi import made_up
from taxi_clustering import oracle, run_plain, study
from taxi_clustering.clustering import Clustering
from taxi_clustering.study import Parameters


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
