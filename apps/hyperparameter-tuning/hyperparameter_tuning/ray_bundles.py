"""What Ray Tune and Ray Train are asked for, and whether it is there.

Ray waits for ever for resources that no node has (the paper reports it as its limitation, section
7). So they are counted before anything is asked of it.
"""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from studykit.errors import ResourceError


def require(bundle: Mapping[str, float], count: int) -> None:
    """ResourceError where the nodes have no room for so many workers of a bundle each."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = places(bundle, nodes)
    if room < count:
        needed = ", ".join(f"{amount:g} {name}" for name, amount in bundle.items())
        raise ResourceError(
            f"{count} workers ask for {needed} each, on one node; the cluster has room for {room}"
        )


def places(bundle: Mapping[str, float], nodes: Sequence[Mapping[str, float]]) -> int:
    """How many workers fit, each on one node."""
    return sum(
        int(min(node.get(name, 0.0) // amount for name, amount in bundle.items())) for node in nodes
    )


def fitted(tuner: Any) -> Any:
    """The tuner's results, if no trial failed; else the first trial's own error."""
    # Ctrl-C stays with the run: Ray Tune's handler would end it as if all were well. Its loggers
    # write what no one reads here.
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # The new one prints tables whatever it is told.
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    # Its handler of the other signal it leaves behind.
    handler = signal.getsignal(signal.SIGUSR1)
    try:
        # Standard output is the record's alone.
        with contextlib.redirect_stdout(sys.stderr):
            found = tuner.fit()
    finally:
        signal.signal(signal.SIGUSR1, handler)
    if found.errors:
        raise found.errors[0]
    return found
