"""torch.distributed: the ranks of this host, forked from the process that was started.

To import torch takes a core some seconds; forked ranks need not do it again, and share its pages.
They are forked before anything else is done, because threads, such as those of a store's client,
do not live on in a fork; there they wait until they are told to begin.
"""

import contextlib
import multiprocessing
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import connection
from multiprocessing.context import ForkProcess
from pathlib import Path

from studykit import cli, interrupts, machine, phases, processes
from studykit.engines import torch_ranks
from studykit.errors import StudyError, UsageError
from studykit.options import Options

BEGIN = struct.Struct("d")
"""What a rank is told to begin: the monotonic seconds at which the run began."""


@contextlib.contextmanager
def forked(options: Options, work: Callable[[], int]) -> Iterator[Callable[[float], None]]:
    """Fork the ranks; yields a function that has them do their work and waits for their end.

    It is told how many seconds ago the run began. A rank that fails says why: SystemExit with its
    code. One that was killed cannot: StudyError. Either way no other rank is left.
    """
    machine.pin_threads(options.threads)
    with (
        processes.temporary_folder("study-torch-") as folder,
        processes.ended_on_error(),
    ):
        waiting, telling = os.pipe()

        def rank(number: int) -> None:
            os.close(telling)
            torch_ranks.become(number, options.worker_count, folder)
            # A terminal's interrupt is for the launcher alone, which ends its ranks.
            os.setsid()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with cli.manners(options.debug):
                sys.exit(_at_their_time(waiting, work))

        fork = multiprocessing.get_context("fork").Process
        ranks = [fork(target=rank, args=(number,)) for number in range(options.worker_count)]

        def begin(since: float) -> None:
            os.write(telling, BEGIN.pack(time.monotonic() - since) * len(ranks))
            _wait(ranks, Path(folder))

        try:
            with interrupts.held():  # A fork has no handlers of its own yet.
                for process in ranks:
                    process.start()
            yield begin
        finally:
            os.close(telling)
            os.close(waiting)


def _at_their_time(waiting: int, work: Callable[[], int]) -> int:
    told = os.read(waiting, BEGIN.size)
    if not told:  # The launcher has found something wrong, or is no more.
        return 0
    os.environ[phases.STARTED_AT] = repr(*BEGIN.unpack(told))
    threading.Thread(target=_end_with_launcher, args=(waiting,), daemon=True).start()
    return work()


def _end_with_launcher(waiting: int) -> None:
    """A launcher that is killed cannot end its ranks: they see its end of the pipe close."""
    ended = select.poll()
    # Its end alone is waited for: what comes before it is for ranks that have not begun.
    ended.register(waiting, 0)
    ended.poll()  # While ranks end, the launcher closes it too, and waits for nobody then.
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.kill(os.getpid(), number)
        time.sleep(processes.ASKED_SECONDS)


def _wait(ranks: Sequence[ForkProcess], folder: Path) -> None:
    running = list(ranks)
    while running:
        connection.wait([process.sentinel for process in running])
        running = [process for process in running if process.exitcode is None]
        codes = {number: process.exitcode or 0 for number, process in enumerate(ranks)}
        if any(codes.values()):
            raise _failure(codes, folder / torch_ranks.EXIT_FILE)


def _failure(codes: Mapping[int, int], exit_file: Path) -> BaseException:
    if exit_file.exists():
        return SystemExit(int(exit_file.read_text()))
    return StudyError(torch_ranks.cause(codes))


def join(module: str, options: Options, argv: Sequence[str]) -> None:
    """Start the ranks of this host beside those of others, which meet at `options.address`."""
    here, hosts = _ranks_per_host(options)
    machine.pin_threads(options.threads)
    # Ranks must find what this process found, however it was started.
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [
        *(sys.executable, "-m", "studykit.engines.torchrun"),
        *("--nnodes", str(hosts), "--nproc-per-node", str(here), "--rdzv-backend", "c10d"),
        *("--rdzv-endpoint", str(options.address), "--rdzv-id", str(options.address)),
        *("--rdzv-conf", "timeout=60", "-m", module, *argv),
    ]
    with processes.ended_on_error():
        code = subprocess.run(command, start_new_session=True).returncode
    if code:
        raise SystemExit(code)


def _ranks_per_host(options: Options) -> tuple[int, int]:
    """(ranks here, hosts): as many ranks as there are cores here, and on every other host."""
    workers = options.worker_count
    here = min(workers, max(1, machine.cores() // options.threads))
    if workers % here:
        raise UsageError(
            f"--workers {workers} does not share out over hosts of {here} ranks: use torchrun"
        )
    return here, workers // here
