"""Searches as users of Ray write them: Ray Tune runs them, Ray Train computes the trees.

Both keep what a trial leaves in a folder, which all hosts would have to share; this is one of this
machine, and gone when the search is over.
"""

from studykit.engines import ray_cluster
from studykit.errors import ResourceError
from studykit.options import Options
from studykit.run import Run

from hyperparameter_tuning import answering, native_trees, problem
from hyperparameter_tuning.answering import Answer
from hyperparameter_tuning.paper import BREAST_CANCER


def answered(run: Run) -> Answer:
    """ResourceError, before Ray waits for it, where there is no such cluster."""
    require_one_host(run.options)
    if run.parameters.study == BREAST_CANCER:
        return answering.answered(run, native_trees.GridOfTrainers(run))
    return population(run)


def require_one_host(options: Options) -> None:
    """ResourceError for more of them."""
    count = ray_cluster.hosts(options)
    if count > 1:
        raise ResourceError(
            f"Ray Tune's checkpoints lie on one host here, the cluster has {count}: --method exact"
        )


def population(run: Run) -> Answer:
    # Here, because it imports what reads pictures.
    from hyperparameter_tuning import native_population

    count = run.options.worker_count
    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        of = problem.read(run)
    with run.iterations("searching by Ray Tune's PBT") as computed:
        found, seconds = native_population.searched(run, of)
        by_worker = [{"load": 0.0, "compute": seconds / count}] * count
        computed(by_worker)
    return answering.concluded(of, found, seconds=by_worker, bytes_sent=of.size * count)
