"""The paper's way on Ray, without Ray: one fit after the other in this process."""

from studykit.run import Outcome, Run

from digits_knn_cnn import loading, published
from digits_knn_cnn.published import Exact


def knn(run: Run, exact: Exact) -> Outcome:
    return published.knn(run, *loading.read_parts(run), exact)


def network(run: Run, exact: Exact) -> Outcome:
    with run.phase("start", "importing torch"):
        # Here, because it takes seconds, for which a search shall not wait.
        import torch

        from digits_knn_cnn import published_network

        torch.set_num_threads(run.threads_of_a_worker)
    train, tests = loading.read_parts(run)
    with run.phase("compute", f"training {published.NETWORKS} networks in turn"):
        trained = [
            published_network.train(train, tests, run.parameters.epochs)
            for _ in range(published.NETWORKS)
        ]
    return published.network(run, train, tests, trained, exact)
