"""Start a private Dask cluster, or join the scheduler at an address; check its size first.

Workers are processes (`nanny`: one that dies is started again and its tasks run again), each with
its thread pools set, and with no limit of memory but the one that was asked for. Dask queues tasks
for ever where there is no worker for them, so what was asked for is compared with what there is
before any work.
"""

import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import dask
import distributed
from distributed import Client, LocalCluster, Worker, WorkerPlugin
from distributed.core import Status

from studykit import machine, processes
from studykit.engines import clusters
from studykit.errors import BusyError
from studykit.memory import TreeSampler
from studykit.options import Options
from studykit.run import Run

START_SECONDS = 60
BATCH_SECONDS = 0.0005
WORKERS_SHARE = 0.85
"""Of --memory-limit; the rest is for this process, with the scheduler inside."""
SILENT = logging.CRITICAL + 1
"""On an interrupt Dask leaves connections and coroutines behind, each with its own traceback."""
MEMORY = {"target": 0.6, "spill": 0.7, "pause": 0.85, "terminate": 0.98}
"""Shares of a worker's limit from which it spills what it holds (by its own count, then by the
system's), takes no more tasks, and is started again."""


@contextlib.contextmanager
def cluster(options: Options) -> Iterator[Client]:
    """A client of a cluster with the workers and threads asked for. ResourceError otherwise."""
    variables = machine.pin_threads(options.threads)
    for name in ("distributed", "asyncio"):
        logging.getLogger(name).setLevel(SILENT)
    settings = {
        "distributed.nanny.pre-spawn-environ": variables,
        "distributed.comm.timeouts.connect": f"{START_SECONDS}s",
        "distributed.admin.log-format": "%(message)s",
        # It stops every worker's threads a hundred times a second; only --profile shows it.
        "distributed.worker.profile.enabled": options.profile,
        # Fifty times a second it looks how late it is, with the interpreter's lock in hand.
        "distributed.admin.tick.interval": "1s",
        **{f"distributed.worker.memory.{name}": share for name, share in MEMORY.items()},
    }
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(processes.temporary_folder("dask-"))
        stack.enter_context(dask.config.set({"temporary-directory": folder, **settings}))
        if options.address is None:
            stack.enter_context(processes.ended_on_error())
            local = stack.enter_context(_local(options))
            client = stack.enter_context(Client(local, timeout=START_SECONDS))
        else:
            client = stack.enter_context(_join(options.address))
        clusters.require_cores(options, _threads(client), "threads, the Dask cluster")
        if options.address is not None:
            client.run(machine.pin_threads, options.threads)
        _send_at_once(client)
        _meet(client)
        yield client


def _send_at_once(client: Client) -> None:
    """After a message a connection keeps the next one back for 10 ms here, for 5 in the scheduler,
    for 2 in a worker, which no setting changes: most of what a short round of tasks would take."""
    client.run(_send_at_once_of_worker)
    streams: list[Any] = [client.scheduler_comm]
    if isinstance(client.cluster, LocalCluster):
        scheduler: Any = client.cluster.scheduler
        streams += [*scheduler.stream_comms.values(), *scheduler.client_comms.values()]
    for stream in streams:
        stream.interval = BATCH_SECONDS


def _send_at_once_of_worker(dask_worker: Worker) -> None:
    dask_worker.batched_stream.interval = BATCH_SECONDS


def _meet(client: Client) -> None:
    """A round of tasks in which every worker has something of the next one's: what is imported and
    connected for the first of them belongs to the start."""

    def on(worker: str, function: Callable[..., Any], *arguments: Any) -> Any:
        return client.submit(
            function, *arguments, workers=[worker], allow_other_workers=True, pure=False
        )

    workers = list(client.nthreads())
    names = [on(worker, socket.gethostname) for worker in workers]
    client.gather(list(map(on, workers, repeat(len), names[1:] + names[:1])))


@contextlib.contextmanager
def _local(options: Options) -> Iterator[LocalCluster]:
    before = processes.below()
    budget = options.memory_limit_bytes
    # 0 is no limit.
    share = 0 if budget is None else int(budget * WORKERS_SHARE) // options.worker_count
    local = LocalCluster(
        n_workers=options.worker_count,
        threads_per_worker=options.threads,
        processes=True,
        host="127.0.0.1",
        # Any free port: without an address, Dask warns where its usual one is taken.
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": options.dashboard},
        memory_limit=share,
        silence_logs=SILENT,
    )
    try:
        with local:
            yield local
    except AssertionError:
        # A worker that has just died is being replaced: Dask waits for a process that has not
        # begun, and leaves all of them to us.
        if local.status != Status.closing:
            raise
        processes.end(processes.below() - before)


def _join(address: str) -> Client:
    """BusyError where no scheduler is."""
    clusters.require_listener(address, "Dask scheduler")
    try:
        return Client(address, timeout=START_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise BusyError(f"no Dask scheduler at {address}: {error}") from None


def _threads(client: Client) -> int:
    """Of all workers."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return sum(worker["nthreads"] for worker in workers.values())


def hosts(client: Client) -> int:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return len({worker["host"] for worker in workers})


class _Sampling(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """The sampler of a worker's process, also of one that takes the place of one that died."""

    name = "study-sampling"

    def setup(self, worker: Worker) -> None:
        self.sampler = TreeSampler().__enter__()

    def teardown(self, worker: Worker) -> None:
        self.sampler.__exit__()


def _peak(dask_worker: Worker) -> tuple[str, int]:
    sampling = cast(_Sampling, dask_worker.plugins[_Sampling.name])
    sampling.sampler.sample()
    return socket.gethostname(), sampling.sampler.peak_bytes


@contextlib.contextmanager
def host_peaks(client: Client, options: Options) -> Iterator[Callable[[], list[int]]]:
    """A function for the workers' peak memory on every host; empty for a private cluster, whose
    processes are this one's children and are sampled with it."""
    if options.address is None:
        yield list
        return
    client.register_plugin(_Sampling())

    def peaks() -> list[int]:
        found: Counter[str] = Counter()
        for host, peak in client.run(_peak).values():
            found[host] += peak
        return list(found.values())

    yield peaks
    client.unregister_worker_plugin(_Sampling.name)


@contextlib.contextmanager
def profiled(run: Run) -> Iterator[None]:
    """With --profile, every task in Dask's performance report: a page that opens offline."""
    if not run.options.profile:
        yield
        return
    with processes.temporary_folder("study-dask-") as folder:
        page = Path(folder) / "report.html"
        report = distributed.performance_report(str(page), mode="inline")
        report.__enter__()
        yield
        report.__exit__(None, None, None)  # Not after an error: nobody may be there to report.
        run.profiles["performance.html"] = page.read_bytes()
