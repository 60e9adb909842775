"""The paper's classifiers in one process: one model on all rows, as one of its trials on Ray."""

from studykit.run import Outcome, Run

from synthetic_classifiers import published
from synthetic_classifiers.published import Baseline


def classifiers(run: Run, exact: Baseline) -> Outcome:
    threads = run.options.worker_count * run.options.threads
    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        features, labels = published.read(run)
        parts = published.divided(features, labels)

    accuracies = {}
    with run.phase("compute", "training"):
        for name in run.parameters.algorithms:
            run.progress(name)
            accuracies[name] = [published.fit(name, parts, threads, published.SOLVER_OF_RAY)]
    return published.outcome(run, len(labels), len(labels), accuracies, exact)
