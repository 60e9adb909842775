"""Start a private Dask cluster, or join the scheduler at an address; check its size first.

Workers are processes (`nanny`: one that dies is started again and its tasks run again), each with
its thread pools set, and with no limit of memory but the one that was asked for.
"""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator

import dask
from distributed import Client
from distributed import LocalCluster

from studykit import machine
from studykit.errors import ResourceError
from studykit.options import Options

CONNECT_SECONDS = 4
"""A scheduler that is not there is told from a busy one within the time a person waits."""


@contextlib.contextmanager
def cluster(options: Options) -> Iterator[Client]:
    """A client of a cluster with the workers and threads asked for. ResourceError otherwise."""
    machine.pin_threads(options.threads)
    logging.getLogger("distributed").setLevel(logging.ERROR)
    folder = tempfile.mkdtemp(prefix="dask-")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(dask.config.set({"temporary-directory": folder}))
        if options.address is None:
            local = stack.enter_context(_local(options))
            client = stack.enter_context(Client(local))
        else:
            client = stack.enter_context(_join(options.address))
        _require(client, options)
        yield client


def _local(options: Options) -> LocalCluster:
    budget = options.memory_limit_bytes
    return LocalCluster(
        n_workers=options.worker_count,
        threads_per_worker=options.threads,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0" if options.dashboard else None,
        memory_limit=0 if budget is None else budget // options.worker_count,
        silence_logs=logging.ERROR,
    )


def _join(address: str) -> Client:
    try:
        return Client(address, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise ResourceError(f"no Dask scheduler at {address}: {error}") from None


def _require(client: Client, options: Options) -> None:
    found = client.scheduler_info(n_workers=-1)["workers"]
    asked = options.worker_count * options.threads
    available = sum(worker["nthreads"] for worker in found.values())
    if asked > available:
        raise ResourceError(
            f"{options.worker_count} workers × {options.threads} threads ask for {asked} threads,"
            f" the Dask cluster has {available}"
        )
