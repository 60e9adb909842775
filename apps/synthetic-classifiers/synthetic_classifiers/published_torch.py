"""The paper's classifiers on torch: every rank fits all of its models to the same rows."""

import torch.distributed as dist
from studykit.engines.collectives import gather_objects
from studykit.run import Outcome, Run

from synthetic_classifiers import published
from synthetic_classifiers.published import Baseline


def classifiers(run: Run, exact: Baseline) -> Outcome | None:
    ranks = dist.get_world_size()
    with run.phase("load", f"every rank reads {run.dataset.bytes:,} bytes"):
        features, labels = published.read(run)
        # Every node took itself for the first: no rank has another part.
        rows = len(labels) // ranks
        parts = published.divided(features[:rows], labels[:rows])

    accuracies = {}
    with run.phase("compute", "training"):
        for name in run.parameters.algorithms:
            run.progress(name)
            found = published.fit(name, parts, run.options.threads, published.SOLVER_OF_TORCH)
            accuracies[name] = gather_objects(found)
    if dist.get_rank() != 0:
        return None
    return published.outcome(run, len(labels), rows, accuracies, exact)
