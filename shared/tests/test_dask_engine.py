"""A private Dask: the workers that were asked for, a refusal where there are none, nothing left."""

import os

import pytest
from studykit import testing
from studykit.errors import ResourceError
from studykit.options import Options

pytest.importorskip("distributed", reason="dask is not in this environment")

from studykit import dask_engine


def test_workers_have_their_threads_pinned_and_leave_nothing():
    with testing.nothing_left(), dask_engine.cluster(Options(workers=2, threads=1)) as client:
        pinned = client.run(lambda: os.environ["OMP_NUM_THREADS"])
        assert list(pinned.values()) == ["1", "1"]
        assert client.submit(sum, [1, 2]).result() == 3


def test_a_cluster_that_is_too_small_is_refused():
    with (
        dask_engine.cluster(Options(workers=1)) as client,
        pytest.raises(ResourceError, match="ask for 9 threads, the Dask cluster has 1"),
        dask_engine.cluster(Options(workers=9, address=client.scheduler_info()["address"])),
    ):
        pass


def test_a_scheduler_that_is_not_there_is_refused():
    with (
        pytest.raises(ResourceError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:9"),
        dask_engine.cluster(Options(workers=1, address="tcp://127.0.0.1:9")),
    ):
        pass
