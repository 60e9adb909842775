"""torch.distributed: start the ranks of this host as torchrun would, and wait for them.

By the same elastic agent that is behind `torchrun`.
"""

import contextlib
import logging
import os
import signal
import sys
import time
import uuid
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig
from torch.distributed.launcher.api import elastic_launch

from studykit import cli
from studykit import machine
from studykit import phases
from studykit import processes
from studykit.errors import StudyError
from studykit.errors import UsageError
from studykit.options import Options

MONITOR_SECONDS = 0.1
HANDLED_BY_TORCH = signal.SIGQUIT.name
"""Not an interrupt, which torch sends on as it came: a rank that still imports its libraries would
show where. As it is, the ranks of an interrupted launcher are asked to end."""


def launch(module: str, options: Options, argv: list[str]) -> None:
    """Start the ranks of this host and wait for them; their end is as `ended` says."""
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
            signals_to_handle=HANDLED_BY_TORCH,
            logs_specs=DefaultLogsSpecs(log_dir=folder),  # Its own folder would be left behind.
        )
        elastic_launch(config, sys.executable)("-m", module, *argv)


@contextlib.contextmanager
def ended() -> Iterator[str]:
    """Around the ranks of this host: yields a folder for their logs, which goes with them.

    A rank that fails has said why and has left its code: SystemExit with the same. A rank that was
    killed could not: StudyError. Either way no other rank is left.
    """
    for name in ("torch.distributed.elastic", "torch.distributed.launcher"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with (
        processes.temporary_folder("study-torch-") as folder,
        processes.ended_on_error(),
    ):
        exit_file = Path(folder) / "exit-code"
        os.environ[cli.EXIT_FILE] = str(exit_file)
        on_quit = signal.getsignal(signal.SIGQUIT)
        try:
            yield folder
        except SignalException:
            raise cli.Terminated from None
        except ChildFailedError as error:
            if exit_file.exists():
                raise SystemExit(int(exit_file.read_text())) from None
            raise StudyError(_cause(error.failures)) from None
        finally:
            signal.signal(signal.SIGQUIT, on_quit)  # torch leaves its own there.
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


def started_at(since: float) -> None:
    """Tell the ranks when the run began: `since` seconds before now."""
    os.environ[phases.STARTED_AT] = repr(time.monotonic() - since)
