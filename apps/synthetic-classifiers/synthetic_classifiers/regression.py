"""What a worker does for logistic regression: sums over its training samples, probabilities."""

from synthetic_classifiers import logistic
from synthetic_classifiers.layout import Probabilities
from synthetic_classifiers.logistic import Floats, Sums
from synthetic_classifiers.worker import Worker


def sums(worker: Worker, coefficients: Floats, with_hessian: bool) -> Sums:
    train = worker.train
    return logistic.sums(train.features, train.labels, coefficients, with_hessian, worker.pool)


def predict(worker: Worker, coefficients: Floats) -> Probabilities:
    return logistic.probabilities(worker.test.features, coefficients, worker.pool)
