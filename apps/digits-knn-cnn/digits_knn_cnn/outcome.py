"""What an engine hands back: the answer with everything that follows from it."""

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from studykit import limits, machine, partials
from studykit.partials import Partial
from studykit.records import PLAIN, Check, Limit
from studykit.run import Outcome, Run
from threadpoolctl import threadpool_limits

from digits_knn_cnn import oracle, outputs, reports, searching
from digits_knn_cnn.answered import Answered
from digits_knn_cnn.layout import Digits
from digits_knn_cnn.searching import Answer, Queries

if TYPE_CHECKING:  # It imports torch, for which a search shall not wait.
    from digits_knn_cnn.training import Trained

PRODUCT_SIDE, PRODUCT_ROUNDS = 1024, 5
"""Of the matrices whose product is timed for the limit: some 20 ms each."""


def knn(run: Run, asked: Queries, answer: Answer, done: Sequence[Partial[Any]]) -> Outcome:
    """Of the nearest neighbours. `done` is all that workers did."""
    searchers = 0 if run.engine == PLAIN else run.options.worker_count
    return of_answer(
        run,
        answer,
        worker_phases=partials.seconds_of_workers(done, run.threads_of_a_worker, of=("compute",)),
        bytes_sent=searching.bytes_sent(run, asked, searchers) if searchers else 0,
    )


def of_answer(run: Run, answer: Answer, allowed: float = 0.0, **measured: Any) -> Outcome:
    """`allowed` is the share of predictions that may differ from the oracle's."""
    found = reports.quality(answer)
    tests = answer.tests
    by_k = {str(k): predicted for k, predicted in enumerate(answer.predicted, start=1)}
    answered = Answered(run, tests.pixels, tests.labels, tests.places, by_k, found)
    return Outcome(
        quality=found,
        check=lambda: oracle.check(run, answer, found, allowed),
        write=lambda uri: outputs.write(uri, answered),
        limit=lambda: limit(run, answer),
        summary=[reports.table(found)],
        bytes_read=run.dataset.bytes,
        **measured,
    )


def network(run: Run, tests: Digits, train_rows: int, trained: "Trained") -> Outcome:
    """Of a network that was trained on so many rows."""
    model, done = run.parameters.model, trained.training
    found = reports.of_network(
        model, train_rows, tests.labels, trained.predictions, trained.history
    )
    found["loss_of_first_batches"] = trained.history[0]["loss_of_first_batches"]
    found["restarts"] = done.restarts
    found["communicate_seconds_by_epoch"] = done.communicate_by_epoch
    answered = Answered.of_network(
        run, tests, trained.predictions, found, lambda: _model(trained, model, tests.side)
    )
    return Outcome(
        quality=found,
        check=lambda: _check_network(run, trained, found),
        write=lambda uri: outputs.write(uri, answered),
        limit=lambda: _limit_of_network(run, train_rows, tests.side),
        summary=[reports.table_of_epochs(found)],
        bytes_read=run.dataset.bytes,
        bytes_sent=done.bytes_sent,
        worker_phases=done.seconds,
    )


def _model(trained: "Trained", model: str, side: int) -> bytes:
    from digits_knn_cnn import model_file

    return model_file.packed(trained.state, model, side)


def _check_network(run: Run, trained: "Trained", found: dict[str, Any]) -> Check:
    # Here, because it imports torch, for which a search shall not wait.
    from digits_knn_cnn import oracle_network

    return oracle_network.check(run, trained, found)


def _limit_of_network(run: Run, train_rows: int, side: int) -> Limit:
    """Reading the input once, and the operations of all epochs as fast as products of matrices."""
    from digits_knn_cnn import networks

    found = limits.streaming(run, "read the input once, multiply and add what the network does")
    asked = run.parameters
    operations = networks.operations(asked.model, side) * train_rows * asked.epochs
    return with_products(run, found, operations)


def limit(run: Run, answer: Answer) -> Limit:
    """Reading the input once, and products of matrices for all distances as this machine does."""
    found = limits.streaming(run, "read the input once, multiply all queries by all rows")
    queries = len(answer.tests) + len(answer.judged)
    operations = 2.0 * queries * answer.train_rows * answer.tests.pixels.shape[1]
    return with_products(run, found, operations)


def with_products(run: Run, found: Limit, operations: float) -> Limit:
    """And so many operations in products of matrices."""
    rate = min(run.options.worker_count * run.options.threads, machine.cores()) * product_rate()
    found.seconds += operations / rate
    found.detail |= {"operations": operations, "operations_per_second": rate}
    return found


def product_rate() -> float:
    """Operations a second of one thread in a product of matrices of single floats."""
    square = np.ones((PRODUCT_SIDE, PRODUCT_SIDE), np.float32)
    best = math.inf
    with threadpool_limits(1, user_api="blas"):
        for _ in range(PRODUCT_ROUNDS):
            began = time.perf_counter()
            np.matmul(square, square)
            best = min(best, time.perf_counter() - began)
    return 2.0 * PRODUCT_SIDE**3 / best
