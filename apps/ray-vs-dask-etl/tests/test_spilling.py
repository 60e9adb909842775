"""Bytes on disk are those that a worker has put there."""

import importlib.util
import os

import pytest
from ray_vs_dask_etl import spilling
from studykit.options import Options


@pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="dask is not in this environment"
)
def test_what_a_worker_of_dask_has_put_on_disk_is_counted():
    from studykit.engines import dask_cluster

    with dask_cluster.cluster(Options(workers=1, memory_limit="2GB")) as client:
        held = client.submit(os.urandom, 1_000_000, pure=False)
        assert client.submit(len, held).result() == 1_000_000
        assert spilling.of_dask(client) == 0
        client.run(lambda dask_worker: dask_worker.data.evict())
        assert spilling.of_dask(client) >= 1_000_000
