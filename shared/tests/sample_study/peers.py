"""Libraries beside the engines: one that reads, one that needs more memory than it may have."""

import time

from studykit.run import Outcome, Run
from studysweep import peers

from sample_study.study import STUDY

READ_ROWS = 3


def read(run: Run) -> Outcome:
    with run.phase("load", "reading"):
        own = run.dataset.rows is None
        files = [(uri, len("numbers\n")) for uri in peers.local_files(run)] if own else []
    quality = {"rows": READ_ROWS}
    return peers.step(run, quality, lambda: peers.check_rows(run, READ_ROWS, files))


def wait(run: Run) -> Outcome:
    with run.phase("load", "waiting for an interrupt"):
        time.sleep(60)
    raise AssertionError("nothing interrupted it")


PEERS = {"quick": read, "large": wait}

main = peers.entry_point(STUDY, PEERS)

if __name__ == "__main__":
    main()
