"""torchrun whose exit code is that of the rank that failed first, and of which no file stays.

    python -m studykit.engines.torchrun --nproc-per-node 2 -m twitter_pagerank.run_torch --size tiny

It takes torchrun's own options and is started on every host of a run, as torchrun is; torchrun
itself says 1 whatever its ranks say.
"""

import logging
import os
import signal
import sys
import time
from pathlib import Path

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.elastic.rendezvous import RendezvousError

from studykit import cli, interrupts, processes
from studykit.engines import torch_ranks
from studykit.errors import BusyError, StudyError

PATIENCE_SECONDS = 10
"""How long a host whose ranks only lost those of another keeps back its own code: the other one,
which knows the reason, shall be heard first."""
MONITOR_SECONDS = 0.1
ENDING_SECONDS = 5
"""From asking ranks to end until killing them: those that wait for a host that was cut off do not
hear it. Sooner than a launch script kills this process, of whom they would be left."""


def main(argv: list[str]) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        # The end of an ssh connection is a hang-up; like a request to end, it leaves no file.
        signal.signal(number, interrupts.terminate)
    for name in ("torch.distributed.elastic", "torch.distributed.launcher"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with (
            interrupts.never_lost(),
            processes.temporary_folder("study-torch-") as folder,
            processes.ended_on_error(),
        ):
            return _run(argv, folder)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except (interrupts.Terminated, SignalException):
        return 143
    except KeyboardInterrupt:
        return 130


def _run(argv: list[str], folder: str) -> int:
    """The ranks of this host; a rank that fails has said why and has left its code."""
    asked = run.parse_args(argv)
    asked.log_dir, asked.monitor_interval = folder, MONITOR_SECONDS
    asked.shutdown_timeout = ENDING_SECONDS
    # Not an interrupt, which torch sends on as it came: a rank that still imports its libraries
    # would show where. As it is, the ranks of an interrupted launcher are asked to end.
    asked.signals_to_handle = signal.SIGQUIT.name
    exit_file = Path(folder) / torch_ranks.EXIT_FILE
    os.environ[cli.EXIT_FILE] = str(exit_file)
    try:
        run.run(asked)
    except (ChildFailedError, RendezvousError) as error:
        if exit_file.exists():
            return int(exit_file.read_text())
        if asked.nnodes != "1":
            time.sleep(PATIENCE_SECONDS)
        if isinstance(error, RendezvousError):
            raise BusyError(f"the hosts did not meet, or one was lost: {error}") from None
        codes = {number: failure.exitcode for number, failure in error.failures.items()}
        raise StudyError(torch_ranks.cause(codes)) from None
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
