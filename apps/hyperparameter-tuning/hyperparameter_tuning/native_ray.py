"""Searches as users of Ray write them: Ray Tune runs them, Ray Train computes the trees.

Both keep what a trial leaves in a folder, which all hosts would have to share; this is one of this
machine, and gone when the search is over.
"""

from studykit.engines import ray_cluster
from studykit.errors import ResourceError
from studykit.run import Run

from hyperparameter_tuning import answering, native_trees
from hyperparameter_tuning.answering import Answer


def answered(run: Run) -> Answer:
    """ResourceError, before Ray waits for it, where there is no such cluster."""
    if ray_cluster.hosts() > 1:
        raise ResourceError(
            f"--method native needs one host, for its checkpoints; {ray_cluster.hosts()} are here"
        )
    return answering.answered(run, native_trees.GridOfTrainers(run))
