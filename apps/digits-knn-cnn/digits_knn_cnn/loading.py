"""The whole input, read by the driver: for all ways but the search that workers share."""

from studykit.run import Run

from digits_knn_cnn import study, worker
from digits_knn_cnn.layout import Digits


def read_parts(run: Run) -> tuple[Digits, Digits]:
    """Training and test part, read by this process."""
    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        threads = run.options.worker_count * run.options.threads
        return worker.read_parts(source.splits, source.formats, threads)
