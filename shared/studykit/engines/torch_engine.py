"""torch.distributed: start the ranks as torchrun would, join them into a group, stop cleanly.

Started by hand, an entry point is the launcher: it starts itself again, once per rank, through
the same elastic agent that is behind `torchrun`. Under `torchrun` it is a rank at once. Ranks
talk over gloo (and NCCL between GPUs).
"""

import contextlib
import datetime
import logging
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studykit import cli
from studykit import machine
from studykit import phases
from studykit.errors import ResourceError
from studykit.errors import StudyError
from studykit.errors import UsageError
from studykit.options import Options
from studykit.run import Run

GROUP_TIMEOUT_SECONDS = 1800
"""Longest wait of one rank for another: a rank may parse far longer than its siblings. A rank that
dies is noticed by the agent within MONITOR_SECONDS, not by this."""
MONITOR_SECONDS = 0.1


def is_rank() -> bool:
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def rank() -> int:
    return int(os.environ.get("RANK", "0"))


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


def hosts() -> int:
    return int(os.environ["WORLD_SIZE"]) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


@contextlib.contextmanager
def profiled(options: Options) -> Iterator[Callable[[], bytes]]:
    """With --profile, record this rank's operators and collectives; yields a function for the
    trace (Chrome's format), which may be called once the work is done."""
    if not options.profile:
        yield lambda: b""
        return
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile

    profiler = profile(activities=[ProfilerActivity.CPU])
    profiler.start()

    def trace() -> bytes:
        profiler.stop()
        with tempfile.TemporaryDirectory(prefix="study-trace-") as folder:
            path = Path(folder) / "trace.json"
            profiler.export_chrome_trace(str(path))
            return path.read_bytes()

    yield trace


def host_peak(run: Run) -> int:
    """Peak memory in bytes of this host's ranks and their agent, from its first rank; else 0."""
    if run.sampler is None or local_rank() != 0:
        return 0
    run.sampler.sample()
    return run.sampler.peak_bytes


def launch(module: str, options: Options, argv: list[str]) -> None:
    """Start the ranks of this host and wait for them; their end is as `ended` says."""
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs
    from torch.distributed.launcher.api import LaunchConfig
    from torch.distributed.launcher.api import elastic_launch

    per_host, host_count = _ranks_per_host(options)
    machine.pin_threads(options.threads)
    # Ranks must find what this process found, however it was started, and count from its start.
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    with ended() as folder:
        config = LaunchConfig(
            min_nodes=host_count,
            max_nodes=host_count,
            nproc_per_node=per_host,
            run_id=options.address or uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint=options.address or "localhost:0",
            rdzv_configs={"timeout": 60},
            local_addr=None if options.address else "localhost",
            max_restarts=0,
            monitor_interval=MONITOR_SECONDS,
            logs_specs=DefaultLogsSpecs(log_dir=folder),  # Its own folder would be left behind.
        )
        elastic_launch(config, sys.executable)("-m", module, *argv)


@contextlib.contextmanager
def ended() -> Iterator[str]:
    """Around the ranks of this host: yields a folder for their logs, which goes with them.

    A rank that fails has said why and has left its code: SystemExit with the same. A rank that was
    killed could not: StudyError. Either way no other rank is left.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    for name in ("torch.distributed.elastic", "torch.distributed.launcher"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="study-torch-") as folder:
        exit_file = Path(folder) / "exit-code"
        os.environ[cli.EXIT_FILE] = str(exit_file)
        try:
            yield folder
        except SignalException as error:
            if error.sigval == signal.SIGINT:
                raise KeyboardInterrupt from None
            raise cli.Terminated from None
        except ChildFailedError as error:
            if exit_file.exists():
                raise SystemExit(int(exit_file.read_text())) from None
            raise StudyError(_cause(error.failures)) from None
        finally:
            del os.environ[cli.EXIT_FILE]


def _cause(failures: Mapping[int, Any]) -> str:
    """What to say of ranks that ended without a word: a killed one takes the others with it."""
    for number, failure in failures.items():
        if failure.exitcode < 0 and failure.exitcode != -signal.SIGTERM:
            return f"rank {number} was killed by signal {-failure.exitcode}; others were stopped"
    number, failure = next(iter(failures.items()))
    return f"rank {number} ended with exit code {failure.exitcode} without saying why"


def _ranks_per_host(options: Options) -> tuple[int, int]:
    """(ranks here, hosts): all here, or as many as there are cores where an address joins hosts."""
    workers = options.worker_count
    if options.address is None:
        return workers, 1
    here = min(workers, max(1, machine.cores() // options.threads))
    if workers % here:
        raise UsageError(
            f"--workers {workers} does not share out over hosts of {here} ranks: use torchrun"
        )
    return here, workers // here


@contextlib.contextmanager
def group(options: Options) -> Iterator[None]:
    """Join the process group of all ranks; leave it in any case."""
    import torch
    import torch.distributed as dist

    torch.set_num_threads(options.threads)
    world = int(os.environ["WORLD_SIZE"])
    if options.workers is not None and options.workers != world:
        raise UsageError(f"--workers {options.workers}, but the launcher started {world} ranks")
    backend = "cpu:gloo,cuda:nccl" if device(options) == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=datetime.timedelta(seconds=GROUP_TIMEOUT_SECONDS))
    try:
        dist.barrier()
        yield
    except RuntimeError as error:
        if "gloo" not in str(error) and "NCCL" not in str(error):
            raise
        if cli.EXIT_FILE in os.environ:
            raise SystemExit(1) from None  # The launcher knows which rank was lost, and says so.
        raise StudyError("lost another rank: the error of that one says why") from error
    # Not after an error: the others would see the connection close, and say that, before this
    # rank has said what went wrong.
    dist.destroy_process_group()


def device(options: Options) -> str:
    """'cuda' or 'cpu'. ResourceError where cuda was asked for and this rank has no GPU."""
    import torch

    found = torch.cuda.is_available() and torch.cuda.device_count() > local_rank()
    if options.device == "cuda" and not found:
        raise ResourceError(
            f"--device cuda asks for a GPU per worker, {torch.cuda.device_count()} available here"
        )
    if options.device == "cpu" or not found:
        return "cpu"
    torch.cuda.set_device(local_rank())
    return "cuda"


def started_at(since: float) -> None:
    """Tell the ranks when the run began: `since` seconds before now."""
    os.environ[phases.STARTED_AT] = repr(time.monotonic() - since)
