"""What the hardware would need at least for a run: the limit that is drawn beside its time."""

from studykit import machine
from studykit.records import Limit
from studykit.run import Run


def streaming(run: Run, kind: str, streamed_bytes: int = 0) -> Limit:
    """Reading every byte of the input once, and then streaming so many bytes through memory.

    `kind` says it in words.
    """
    threads = run.options.worker_count * run.options.threads
    cores = min(threads, machine.cores())
    read_rate = machine.read_rate(run.dataset.uri, cores)
    limit = Limit(
        kind=kind,
        seconds=run.dataset.bytes / read_rate,
        detail={"read_bytes_per_second": read_rate},
    )
    if streamed_bytes:
        copy_rate = machine.copy_rate(cores)
        limit.seconds += streamed_bytes / copy_rate
        limit.detail |= {"memory_bytes_per_second": copy_rate, "streamed_bytes": streamed_bytes}
    return limit
