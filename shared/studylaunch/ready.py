"""Wait until what a launch script has started is there: the main of `ray_ready`, `dask_ready`."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable

from studykit.errors import BusyError, ResourceError

PATIENCE_SECONDS = 120.0
"""Longer than Ray gives a node to start in, so that its own reason is in its log."""
LATE_SECONDS = 5.0
"""For a look that has begun."""
WATCH_SECONDS = 0.5


def main(found: Callable[[str], int]) -> None:
    """… ADDRESS CORES: says why where there are not as many in time."""
    address, wanted = sys.argv[1], int(sys.argv[2])
    over = threading.Event()
    threading.Thread(target=_watch, args=(address, over), daemon=True).start()
    try:
        wait_for(found, address, wanted)
    except ResourceError as error:
        sys.exit(f"error: {error}")
    finally:
        over.set()


def wait_for(found: Callable[[str], int], address: str, wanted: int) -> None:
    """Return once `found(address)` is as many; BusyError where it is not in time."""
    deadline, there = time.monotonic() + PATIENCE_SECONDS, 0
    while time.monotonic() < deadline:
        # What is not there yet is still starting.
        with contextlib.suppress(ConnectionError, RuntimeError, ResourceError):
            there = found(address)
            if there >= wanted:
                return
        time.sleep(0.2)
    raise BusyError(
        f"{wanted} cores expected at {address}, {there} joined in {PATIENCE_SECONDS:g} s"
    )


def _watch(address: str, over: threading.Event) -> None:
    """A look at a cluster that is lost while it joins may not come back, nor hear a signal; and
    where the launch script was killed nobody waits for it."""
    script, until = os.getppid(), time.monotonic() + PATIENCE_SECONDS + LATE_SECONDS
    while not over.wait(WATCH_SECONDS):
        if time.monotonic() > until:
            print(f"error: {address} does not answer", file=sys.stderr, flush=True)
            os._exit(1)
        if os.getppid() != script:
            os._exit(1)
