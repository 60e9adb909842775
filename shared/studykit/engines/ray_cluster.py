"""Start a private Ray, or join the one at an address; check its size first; leave nothing behind.

Ray schedules an actor that no node has room for by waiting for ever, so what was asked for is
compared with what there is before any work.
"""

import contextlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from studykit import cli, interrupts, machine, processes
from studykit.engines import clusters
from studykit.errors import BusyError, StudyError
from studykit.memory import TreeSampler
from studykit.options import Options

START_ATTEMPTS = 3
"""Ray gives its own processes 30 s to start, which a busy machine may need more than."""
HEAD = ("gcs_server", "raylet")
"""Ray starts neither of them again; without them it waits, and ends this process after a minute."""
LOOK_SECONDS, PATIENCE_SECONDS, STUCK_SECONDS = 0.5, 2.0, 10.0
ABSENT_SECONDS = 60.0
"""In which a node of a joined cluster that is lost has to be there again: Ray gives it 30 s to
start, from when it has noticed that it is lost."""
OBJECT_STORE_SHARE = 0.4
"""Of --memory-limit, or of the memory there is; the rest is for the workers' own arrays."""

End = Callable[[StudyError], None]


@contextlib.contextmanager
def cluster(
    options: Options,
    end: End = lambda error: None,
    end_at_once: End = cli.end_at_once,
) -> Iterator[None]:
    """A Ray with a core for every thread asked for. ResourceError where there is none.

    `end` is called, by a thread, where one of a private Ray's own processes ends before the block,
    or a joined one loses cores that the workers need: Ray would wait for them. `end_at_once` is,
    where the block has not ended then.
    """
    variables = machine.pin_threads(options.threads)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Warnings about accelerators and progress bars say nothing about the study.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with contextlib.ExitStack() as stack:
        # Ray puts a handler of its own in place of the one that lets every `finally` run.
        on_sigterm = signal.getsignal(signal.SIGTERM)
        stack.callback(signal.signal, signal.SIGTERM, on_sigterm)
        if options.address is None:
            folder = stack.enter_context(processes.temporary_folder("ray-"))
            stack.enter_context(processes.ended_on_error())
        stack.enter_context(_standard_output_kept())
        stack.callback(ray.shutdown)  # It prints what it has held back.
        try:
            if options.address is None:
                _start_local(options, folder)
            else:
                _join(options, variables)
        except SystemExit:  # Raised by the handlers that Ray has while it starts.
            raise interrupts.Terminated from None
        signal.signal(signal.SIGTERM, on_sigterm)
        available = int(ray.cluster_resources().get("CPU", 0))
        clusters.require_cores(options, available, "cores, the Ray cluster")
        lost = _head(folder) if options.address is None else _nodes(options)
        stack.enter_context(_watched(lost, end, end_at_once))
        yield


Lost = Callable[[], BusyError | None]
"""What is lost without which this Ray cannot go on."""


def _head(folder: str) -> Lost:
    """Of a private Ray: its processes."""
    head = [one for one in processes.below() if one.name() in HEAD and folder in str(one.cmdline())]

    def lost() -> BusyError | None:
        names = [process.name() for process in head if not processes.lives(process)]
        return BusyError(f"Ray has lost its {' and '.join(names)}") if names else None

    return lost


def _nodes(options: Options) -> Lost:
    """Of a joined cluster: nodes whose cores the workers need and that do not come back in time."""
    asked = options.worker_count * options.threads
    started = Counter(map(_name, filter(_lives, ray.nodes())))
    whole = time.monotonic()

    def lost() -> BusyError | None:
        nonlocal whole
        try:
            nodes = ray.nodes()
        except RayError:  # Of a cluster that is lost as a whole Ray says so itself.
            return None
        alive = list(filter(_lives, nodes))
        cores = int(sum(node["Resources"].get("CPU", 0.0) for node in alive))
        if cores >= asked:
            whole = time.monotonic()
        if time.monotonic() < whole + ABSENT_SECONDS:
            return None
        absent = started - Counter(map(_name, alive))
        why = {_name(node): node["DeathReasonMessage"] for node in nodes if not _lives(node)}
        names = [f"{name} ({why.get(name) or 'no reason given'})" for name in absent]
        return BusyError(
            f"the Ray cluster has lost {', '.join(names) or 'a node'}: of the {asked} cores that"
            f" the workers need {cores} are left, for {ABSENT_SECONDS:g} s"
        )

    return lost


def _name(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerHostname']}, {node['NodeManagerAddress']}"


def _lives(node: dict[str, Any]) -> bool:
    """Ray lists the dead ones too."""
    return bool(node["Alive"])


@contextlib.contextmanager
def _watched(lost: Lost, end: End, end_at_once: End) -> Iterator[None]:
    """Where something is lost before the block ends, the block does."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            error = lost()
            # Where all of a group of processes is asked to end, this one ends by itself.
            if error and not over.wait(PATIENCE_SECONDS):
                end(error)
                # A question to Ray, which waits for its answer, is not interrupted.
                if not over.wait(STUCK_SECONDS):
                    end_at_once(error)

    thread = threading.Thread(target=watch, daemon=True, name="ray-watch")
    thread.start()
    try:
        yield
    except RayError as error:
        raise lost() or error from None
    finally:
        over.set()
        thread.join(STUCK_SECONDS)  # It may have asked a Ray that is lost.


@contextlib.contextmanager
def _standard_output_kept() -> Iterator[None]:
    """What Ray prints of lost workers goes to standard error: the other is the record's alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _start_local(options: Options, folder: str) -> None:
    before = processes.below()
    for _ in range(START_ATTEMPTS):
        try:
            # "local" never means whatever cluster happens to be running (RAY_ADDRESS, `ray start`).
            ray.init(
                address="local",
                num_cpus=options.worker_count * options.threads,
                include_dashboard=options.dashboard,
                object_store_memory=_object_store_bytes(options),
                logging_level=logging.ERROR,
                log_to_driver=options.debug,
                # Its workers inherit this process's environment, and with it the thread pools'
                # sizes; a runtime_env would have every worker started twice.
                _temp_dir=folder,
            )
            return
        except Exception as error:  # Ray has no class of its own for it.
            if "timed out during startup" not in str(error):
                raise
            ray.shutdown()
            processes.end(processes.below() - before)
    raise BusyError(f"Ray did not start in {START_ATTEMPTS} attempts: is the machine too busy?")


def _join(options: Options, variables: dict[str, str]) -> None:
    clusters.require_listener(str(options.address), "Ray cluster")
    try:
        ray.init(
            address=options.address,
            logging_level=logging.ERROR,
            log_to_driver=options.debug,
            runtime_env={"env_vars": variables},
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().split("\n")[0]
        raise BusyError(f"no Ray cluster at {options.address}: {first}") from None


def _object_store_bytes(options: Options) -> int:
    budget = options.memory_limit_bytes or machine.memory_bytes()
    free = shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else budget
    # Below 80 MB Ray refuses to start.
    return max(int(min(budget * OBJECT_STORE_SHARE, free * 0.9)), 80_000_000)


def hosts(options: Options) -> int:
    """Nodes that are alive. A private Ray is not asked, for it would not answer where it was lost
    since."""
    if options.address is None:
        return 1
    return sum(map(_lives, ray.nodes()))


@ray.remote(num_cpus=0)
class _NodeSampler:
    """Samples its node's raylet and all that it started; an actor's parent is the raylet."""

    def __init__(self) -> None:
        self._sampler = TreeSampler(os.getppid()).__enter__()

    def peak_bytes(self) -> int:
        self._sampler.sample()
        return self._sampler.peak_bytes


@contextlib.contextmanager
def node_peaks(options: Options) -> Iterator[Callable[[], list[int]]]:
    """A function for the peak memory of every node; empty for a private Ray, whose processes
    are this one's children and are sampled with it."""
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]] if options.address else []
    samplers = [
        _NodeSampler.options(  # type: ignore[attr-defined]
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
        ).remote()
        for node in nodes
    ]

    def peaks() -> list[int]:
        asked = [sampler.peak_bytes.remote() for sampler in samplers]
        found: list[int] = []
        for answer in asked:
            with contextlib.suppress(RayError):  # Of a node that was lost.
                found.append(ray.get(answer))
        return found

    try:
        yield peaks
    finally:
        for sampler in samplers:
            ray.kill(sampler)
