"""On Ray and on Dask: a rank that is killed changes nothing."""

import importlib.util
from contextlib import closing, contextmanager

import pytest
from studykit.options import Options
from studytest import leftovers, running
from studytrain.local_ranks import LocalRanks
from training_ranks import plan, run


def losses(training):
    return [epoch["loss"] for epoch in training.history]


@pytest.fixture(scope="module")
def calm():
    ranks = LocalRanks(1)
    return run(ranks, plan())


@contextmanager
def on_ray(count):
    from studykit.engines import ray_cluster
    from studytrain.ray_ranks import RayRanks

    with ray_cluster.cluster(Options(workers=count, memory_limit="1gb")):
        yield RayRanks(count, 1)


@contextmanager
def on_dask(count):
    from studykit.engines import dask_cluster
    from studytrain.dask_ranks import DaskRanks

    with dask_cluster.cluster(Options(workers=count)) as client:
        yield DaskRanks(client, count, 1)


@pytest.mark.parametrize(
    ("engine", "library", "count"),
    [(on_ray, "ray", 2), (on_dask, "distributed", 2), (on_dask, "distributed", 1)],
)
def test_a_killed_rank_changes_nothing(engine, library, count, calm, tmp_path, monkeypatch):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not in this environment")
    # Ray's workers find the modules of tests only so; Dask's are told sys.path.
    monkeypatch.setenv("PYTHONPATH", running.environment()["PYTHONPATH"])
    died = tmp_path / "died"
    with leftovers.nothing_left(), engine(count) as placed, closing(placed) as ranks:
        found = run(ranks, plan(dies=(count - 1, 2, str(died))))
    assert died.exists() and found.restarts >= 1
    assert losses(found) == pytest.approx(losses(calm), rel=1e-6)
    assert len(found.answers) == count
