"""Start a private Ray, or join the one at an address; check its size first; leave nothing behind.

Ray schedules an actor that no node has room for by waiting for ever, so what was asked for is
compared with what there is before any work.
"""

import contextlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator

import ray
from ray.exceptions import RayTaskError

from studykit import machine
from studykit.errors import ResourceError
from studykit.errors import StudyError
from studykit.options import Options

OBJECT_STORE_SHARE = 0.4
"""Of --memory-limit, or of the memory there is; the rest is for the workers' own arrays."""


@contextlib.contextmanager
def cluster(options: Options) -> Iterator[None]:
    """A Ray with a core for every thread asked for. ResourceError where there is none."""
    variables = machine.pin_threads(options.threads)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Warnings about accelerators and progress bars say nothing about the study.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    folder = None
    if options.address is None:
        folder = tempfile.mkdtemp(prefix="ray-")
        _start_local(options, folder, variables)
    else:
        _join(options, variables)
    try:
        _require(options)
        yield
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _start_local(options: Options, folder: str, variables: dict[str, str]) -> None:
    # "local" never means whatever cluster happens to be running (RAY_ADDRESS, `ray start`).
    ray.init(
        address="local",
        num_cpus=options.worker_count * options.threads,
        include_dashboard=options.dashboard,
        object_store_memory=_object_store_bytes(options),
        logging_level=logging.ERROR,
        log_to_driver=options.debug,
        runtime_env={"env_vars": variables},
        _temp_dir=folder,
    )


def _join(options: Options, variables: dict[str, str]) -> None:
    try:
        ray.init(
            address=options.address,
            logging_level=logging.ERROR,
            log_to_driver=options.debug,
            runtime_env={"env_vars": variables},
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().split("\n")[0]
        raise ResourceError(f"no Ray cluster at {options.address}: {first}") from None


def _object_store_bytes(options: Options) -> int:
    budget = options.memory_limit_bytes or machine.memory_bytes()
    free = shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else budget
    # Below 80 MB Ray refuses to start.
    return max(int(min(budget * OBJECT_STORE_SHARE, free * 0.9)), 80_000_000)


def _require(options: Options) -> None:
    asked = options.worker_count * options.threads
    available = int(ray.cluster_resources().get("CPU", 0))
    if asked > available:
        raise ResourceError(
            f"{options.worker_count} workers × {options.threads} threads ask for {asked} cores,"
            f" the Ray cluster has {available}"
        )


@contextlib.contextmanager
def errors_of_workers() -> Iterator[None]:
    """Raise a worker's own error in place of Ray's wrapping of it, when it is one of ours."""
    try:
        yield
    except RayTaskError as error:
        if isinstance(error.cause, StudyError):
            raise error.cause from None
        raise


def hosts() -> int:
    """Nodes that are alive: Ray lists dead ones too."""
    return sum(1 for node in ray.nodes() if node["Alive"])


def timeline() -> bytes:
    """What every worker did when, for chrome://tracing or https://ui.perfetto.dev."""
    return json.dumps(ray.timeline()).encode()
