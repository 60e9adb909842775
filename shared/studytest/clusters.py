"""A Ray that several runs of a test join: starting one for each would cost more than the runs."""

import contextlib
from collections.abc import Iterator

from studytest import running

HOLDER = """
import sys
import ray
from studykit.engines import ray_cluster
from studykit.options import Options

with ray_cluster.cluster(Options(workers=int(sys.argv[1]), memory_limit=sys.argv[2])):
    store = int(ray.cluster_resources()["object_store_memory"])
    print("address", ray.get_runtime_context().gcs_address, store, file=sys.stderr, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def held_ray(cores: int, memory_limit: str) -> Iterator[tuple[str, int]]:
    """A Ray that lives as long as the block: its address, the bytes of its object store."""
    with contextlib.ExitStack() as stack:
        holder = running.start_python("-c", HOLDER, cores, memory_limit)
        stack.callback(running.kill_tree, holder.pid)
        _, address, store = running.wait_for_line(holder, "address ")[-1].split()
        yield address, int(store)
        finished = running.finish(holder)
        assert finished.code == 0, finished.stderr
