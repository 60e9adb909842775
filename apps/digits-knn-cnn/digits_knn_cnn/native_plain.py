"""Digits as one reads them without a framework: scikit-learn's classifier, a bare torch loop."""

from studykit.run import Outcome, Run

from digits_knn_cnn import loading, native
from digits_knn_cnn.layout import Digits
from digits_knn_cnn.native import Classifier
from digits_knn_cnn.searching import Queries
from digits_knn_cnn.voting import Predictions


def knn(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        import sklearn.neighbors  # noqa: F401
    return native.knn(run, predict)


def predict(run: Run, train: Digits, asked: Queries) -> list[Predictions]:
    """By brute force, which scikit-learn chooses beyond 15 columns, on all threads."""
    classifier = Classifier(train, run.parameters.neighbours)
    return [classifier.predict(pixels) for pixels in asked.batches(1)]


def network(run: Run) -> Outcome:
    with run.phase("start", "importing torch"):
        # Here, because it takes seconds, for which a search shall not wait.
        import torch

        from digits_knn_cnn import native_training

        torch.set_num_threads(run.threads_of_a_worker)
    train, tests = loading.read_parts(run)
    options, asked = run.options, run.parameters
    with run.phase("compute", "training"):
        settings = native_training.Asked(asked.model, asked.batch_size, asked.epochs, options.seed)
        learned = native_training.learn(
            settings, train, tests, lambda figures: run.progress(f"loss {figures['loss']:.4f}")
        )
    return native.network(run, train, tests, learned)
