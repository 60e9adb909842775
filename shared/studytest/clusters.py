"""A Ray or a Dask that several runs join: a start for each would cost more than the runs."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from studytest import running

Held = TypeVar("Held")

RAY = """
import sys
import ray
from studykit.engines import ray_cluster
from studykit.options import Options

with ray_cluster.cluster(Options(workers=int(sys.argv[1]), memory_limit=sys.argv[2])):
    store = int(ray.cluster_resources()["object_store_memory"])
    print("address", ray.get_runtime_context().gcs_address, store, file=sys.stderr, flush=True)
    sys.stdin.read()
"""
DASK = """
import sys
from studykit.engines import dask_cluster
from studykit.options import Options

with dask_cluster.cluster(Options(workers=int(sys.argv[1]), threads=int(sys.argv[2]))) as client:
    print("address", client.scheduler.address, file=sys.stderr, flush=True)
    sys.stdin.read()
"""
AT_REST = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
}
"""By Dask's defaults its processes look at themselves 50 times a second, for its dashboard: a sixth
of a core while nobody asks for anything."""
_of_all_tests: dict[tuple[object, ...], Any] = {}


def of_all_tests(
    request: Any, hold: Callable[..., contextlib.AbstractContextManager[Held]], *argv: object
) -> Held:
    """What `hold` gives: started when it is first asked for, ended with the last test."""
    if (hold, argv) not in _of_all_tests:
        stack = contextlib.ExitStack()
        _of_all_tests[hold, argv] = stack.enter_context(hold(*argv))
        request.session.addfinalizer(stack.close)
    held: Held = _of_all_tests[hold, argv]
    return held


@contextlib.contextmanager
def held_ray(cores: int, memory_limit: str) -> Iterator[tuple[str, int]]:
    """A Ray that lives as long as the block: its address, the bytes of its object store."""
    # Whoever joins has workers of its own started.
    prestarted = {"RAY_prestart_worker_first_driver": "0"}
    with _held(RAY, cores, memory_limit, **prestarted) as (address, store):
        yield address, int(store)


@contextlib.contextmanager
def held_dask(workers: int, threads: int) -> Iterator[str]:
    """The address of a Dask that lives as long as the block. Whoever joins has all its workers."""
    with _held(DASK, workers, threads, **AT_REST) as (address,):
        yield address


@contextlib.contextmanager
def _held(script: str, *argv: object, **variables: str) -> Iterator[list[str]]:
    """What the script says after `address`, while it runs."""
    with contextlib.ExitStack() as stack:
        holder = running.start_python("-c", script, *argv, **variables)
        stack.callback(running.kill_tree, holder.pid)
        _, *said = running.wait_for_line(holder, "address ")[-1].split()
        yield said
        finished = running.finish(holder)
        assert finished.code == 0, finished.stderr
