"""The nearest neighbours as users of Dask let scikit-learn find them: joblib's Dask backend.

scikit-learn hands joblib the search of a k-d tree alone, piece by piece of the queries. By brute
force, its own choice beyond 15 columns, it searches by threads of OpenMP in the client, and the
cluster is idle whatever the backend. So the tree is asked for by name; every task is sent it.
dask-ml's `ParallelPostFit` sends tasks a fitted classifier just so.
"""

import functools

from distributed import Client
from studykit.errors import UsageError
from studykit.run import Outcome, Run

from digits_knn_cnn import native
from digits_knn_cnn.layout import Digits
from digits_knn_cnn.native import Classifier
from digits_knn_cnn.searching import Queries
from digits_knn_cnn.voting import Predictions


def knn(run: Run, client: Client) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        # Here, because it takes a second, which only who asks for it shall wait.
        import joblib  # noqa: F401
        import sklearn.neighbors  # noqa: F401

    return native.knn(run, functools.partial(predict, client))


def predict(client: Client, run: Run, train: Digits, asked: Queries) -> list[Predictions]:
    import joblib

    classifier = Classifier(train, run.parameters.neighbours, "kd_tree")
    (pixels,) = asked.batches(1, most=len(train) + len(asked))
    with joblib.parallel_config("dask", client=client):
        return [classifier.predict(pixels)]


def network(run: Run, client: Client) -> Outcome:
    raise UsageError(native.NO_TRAINING_ON_DASK)
