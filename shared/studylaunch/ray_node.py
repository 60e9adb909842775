"""A node that joins a Ray cluster, started again where it ends by itself.

    python -m studylaunch.ray_node --address 10.0.0.1:6379 --num-cpus 4

It takes the options of `ray start`. Ray ends a node that the head did not hear of for a while, one
whose processes an overloaded machine is late to start, and one of whose helpers has ended. A run
goes on without it meanwhile, or waits for it where there are no other cores for its workers.
"""

import contextlib
import signal
import subprocess
import sys
import time

import psutil
from studykit import interrupts, processes

STARTS = 3
LOOK_SECONDS = 1.0


def main(options: list[str]) -> int:
    """The exit code of its last start."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *options]
    signal.signal(signal.SIGTERM, interrupts.terminate)
    code = 0
    try:
        for number in range(STARTS):
            if number:
                print(f"this node of Ray ended with code {code} and is started again", flush=True)
            with processes.ended_on_error():
                node = subprocess.Popen(command)
                _wait(node)
                code = node.wait()
    except interrupts.Terminated:
        return 143
    return code


def _wait(node: "subprocess.Popen[bytes]") -> None:
    """Until it ends, or its raylet does: where that ends in peace, Ray waits on for ever."""
    raylet: psutil.Process | None = None
    while node.poll() is None:
        if raylet is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                named = (one for one in processes.below() if one.name() == "raylet")
                # What it forks has its name, until that is something else.
                raylet = min(named, key=psutil.Process.create_time, default=None)
        elif not processes.lives(raylet):
            # What ends it by an error `ray start` notices itself, and says which.
            try:
                node.wait(3 * LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                processes.end(processes.below())
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
