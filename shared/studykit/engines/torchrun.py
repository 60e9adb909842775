"""torchrun whose exit code is that of the rank that failed first, and of which no file stays.

    python -m studykit.engines.torchrun --nproc-per-node 2 -m twitter_pagerank.run_torch --size tiny

It takes torchrun's own options and is started on every host of a run, as torchrun is; torchrun
itself says 1 whatever its ranks say.
"""

import signal
import sys
import time
from types import FrameType

from torch.distributed import run
from torch.distributed.elastic.rendezvous import RendezvousError

from studykit import cli
from studykit.engines import torch_launch
from studykit.errors import BusyError
from studykit.errors import StudyError

PATIENCE_SECONDS = 10
"""How long a host whose ranks only lost those of another keeps back its own code: the other one,
which knows the reason, shall be heard first."""


def main(argv: list[str]) -> int:
    _heed_signals()
    try:
        _run(argv)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except cli.Terminated:
        return 143
    except KeyboardInterrupt:
        return 130
    return 0


def _run(argv: list[str]) -> None:
    asked = run.parse_args(argv)
    asked.signals_to_handle = torch_launch.HANDLED_BY_TORCH
    try:
        with torch_launch.ended() as asked.log_dir:
            run.run(asked)
    except (StudyError, RendezvousError) as error:
        if asked.nnodes != "1":
            time.sleep(PATIENCE_SECONDS)
        if isinstance(error, RendezvousError):
            raise BusyError(f"the hosts did not meet, or one was lost: {error}") from None
        raise


def _heed_signals() -> None:
    """The end of an ssh connection is a hang-up; like a request to end, it leaves no file."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    raise cli.Terminated


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
