"""A private Dask: the workers that were asked for, a refusal where there are none, nothing left."""

import importlib.util
import os
from unittest.mock import MagicMock

import pytest
from studykit.errors import ResourceError, StudyError
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from studytest import leftovers

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="dask is not in this environment"
)


@pytest.fixture
def dask_cluster():
    from studykit.engines import dask_cluster

    return dask_cluster


def test_workers_have_their_threads_pinned_and_leave_nothing(dask_cluster):
    with leftovers.nothing_left(), dask_cluster.cluster(Options(workers=2, threads=1)) as client:
        pinned = client.run(lambda: os.environ["ARROW_NUM_THREADS"])
        assert list(pinned.values()) == ["1", "1"]
        assert client.submit(sum, [1, 2]).result() == 3
        assert dask_cluster.hosts(client) == 1


def test_a_cluster_that_is_too_small_is_refused(dask_cluster):
    with (
        dask_cluster.cluster(Options(workers=1)) as client,
        pytest.raises(ResourceError, match="ask for 9 threads, the Dask cluster has 1"),
        dask_cluster.cluster(Options(workers=9, address=client.scheduler_info()["address"])),
    ):
        pass


def test_a_joined_cluster_tells_its_hosts_peaks_and_keeps_running(dask_cluster):
    with dask_cluster.cluster(Options(workers=1)) as owner:
        options = Options(workers=1, address=owner.scheduler_info()["address"])
        with dask_cluster.cluster(options) as client:
            with dask_cluster.host_peaks(client, options) as peaks:
                assert client.submit(len, b"abc").result() == 3
                (peak,) = peaks()
                client.restart()  # Other processes take the place of the workers.
                (peak_of_others,) = peaks()
            assert peak > 20e6 and peak_of_others > 20e6
            left = client.run(lambda dask_worker: list(dask_worker.plugins))
            assert all("study-sampling" not in plugins for plugins in left.values())
            assert client.run(lambda: os.environ["OMP_NUM_THREADS"]) != {}
        assert owner.submit(len, b"ab").result() == 2


@pytest.mark.parametrize(
    ("address", "word"),
    [("tcp://127.0.0.1:9", "127.0.0.1:9"), ("127.0.0.1:9", "127.0.0.1:9"), ("here", "HOST:PORT")],
)
def test_a_scheduler_that_is_not_there_is_refused(dask_cluster, address, word):
    with (
        pytest.raises(ResourceError, match=word),
        dask_cluster.cluster(Options(workers=1, address=address)),
    ):
        pass


def test_what_does_not_fit_into_the_memory_limit_is_spilled(dask_cluster):
    with dask_cluster.cluster(Options(workers=1, memory_limit="600MB")) as client:
        held = [client.submit(os.urandom, 40_000_000, pure=False) for _ in range(12)]
        assert sum(client.gather([client.submit(len, part) for part in held])) == 480_000_000
        (spilled,) = client.run(lambda dask_worker: dask_worker.data.spilled_total.disk).values()
        assert spilled > 0


def test_a_task_that_kills_its_workers_is_an_error_of_the_study(dask_cluster):
    from studykit.engines.dask_engine import errors_of_workers

    with (
        dask_cluster.cluster(Options(workers=1)) as client,
        pytest.raises(StudyError, match="workers died"),
        errors_of_workers(),
    ):
        client.submit(os._exit, 1).result()


def test_a_worker_that_is_being_replaced_does_not_keep_a_cluster_from_ending(
    dask_cluster, monkeypatch
):
    from distributed.process import AsyncProcess

    async def not_begun(*_, **__):
        raise AssertionError("can only join a started process")

    with leftovers.nothing_left(), dask_cluster.cluster(Options(workers=1)) as client:
        assert client.submit(len, b"abc").result() == 3
        monkeypatch.setattr(AsyncProcess, "join", not_begun)


def test_the_performance_report_opens_offline(dask_cluster):
    options = Options(workers=1, profile=True)
    dataset = DatasetInfo(name="numbers", uri="/numbers.csv", bytes=1)
    run = Run(MagicMock(), "dask", options, None, dataset, quiet=True)
    with dask_cluster.cluster(options) as client, dask_cluster.profiled(run):
        client.submit(len, b"abc").result()
    page = run.profiles["performance.html"]
    assert b"<html" in page and b"cdn.bokeh.org" not in page
