"""Says what this process is to those who look at it from within; then waits to be ended."""

import atexit
import json
import os
import signal
import sys
import tempfile
import time

import psutil

SHOWN_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM)

if __name__ == "__main__":
    atexit.register(print, "left in order")
    main = sys.modules["__main__"]
    shown = {
        "main": main.__spec__.name if main.__spec__ else None,
        "file": main.__file__,
        "imported": "sample_study.itself" in sys.modules,
        "argv": sys.argv,
        "path": sys.path,
        "folder": os.getcwd(),
        "temporary": tempfile.gettempdir(),
        "variables": {name: os.environ.get(name) for name in ("COLUMNS", "SAMPLE", "STUDY_SAMPLE")},
        "leads its session": os.getsid(0) == os.getpid(),
        "new": time.time() - psutil.Process().create_time() < 60,
        "signals": {number.name: str(signal.getsignal(number)) for number in SHOWN_SIGNALS},
        "descriptors": sorted(os.listdir("/proc/self/fd"))
        if os.path.isdir("/proc/self/fd")
        else [],
        "buffered": sys.stdout.line_buffering,
    }
    print(json.dumps(shown), flush=True)
    print("waiting", file=sys.stderr, flush=True)
    sys.stdin.read()
    sys.exit(3)
