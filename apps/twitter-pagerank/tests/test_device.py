"""The iteration on a device against the kernel: the same ranks."""

import numpy as np
import pytest
import torch
from graphs import random_pairs, rank, write_graph
from studykit import storage
from twitter_pagerank import edges
from twitter_pagerank.device import DeviceWorker, matrix
from twitter_pagerank.worker import Worker


def test_the_iteration_on_a_device_is_the_same_iteration(tmp_path):
    """torch's sparse product, here on its CPU, against the kernel."""
    path = write_graph(tmp_path / "edges.csv", random_pairs(2000, 9000, seed=5))
    answers = []
    for worker in (Worker(1), DeviceWorker("cpu", 1, 0.85)):
        splits = storage.splits(str(path), 1 << 20)
        loaded = worker.load(splits, edges.formats([splits[0].uri]))
        counts = worker.relabel(worker.occurring(loaded.largest, True), True)
        sums = worker.start(worker.build(worker.scatter([0, len(counts)]), 0, len(counts)))
        for _ in range(20):
            sums = worker.step(sums)
        answers.append((worker.ranks.copy(), sums))
        worker.close()
    (ranks, sums), (device_ranks, device_sums) = answers
    assert np.abs(ranks - device_ranks).sum() < 1e-14
    assert np.abs(sums - device_sums).max() < 1e-14


def test_rows_become_a_matrix_without_the_gaps_of_duplicates(tmp_path):
    path = write_graph(tmp_path / "edges.csv", [(1, 2), (1, 2), (3, 2), (2, 3), (1, 1)])
    worker = Worker(1)
    splits = storage.splits(str(path), 1 << 20)
    loaded = worker.load(splits, edges.formats([splits[0].uri]))
    counts = worker.relabel(worker.occurring(loaded.largest, True), True)
    worker.build(worker.scatter([0, len(counts)]), 0, len(counts))
    dense = matrix(worker.rows, 3).to_dense().tolist()
    worker.close()
    assert dense == [[1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: cuda is not tried")
def test_the_iteration_on_a_gpu(tmp_path):
    path = write_graph(tmp_path / "edges.csv", random_pairs(2000, 9000, seed=5))
    worker = DeviceWorker("cuda", 1, 0.85)
    splits = storage.splits(str(path), 1 << 20)
    loaded = worker.load(splits, edges.formats([splits[0].uri]))
    counts = worker.relabel(worker.occurring(loaded.largest, True), True)
    sums = worker.start(worker.build(worker.scatter([0, len(counts)]), 0, len(counts)))
    for _ in range(100):
        sums = worker.step(sums)
    expected = rank(path)
    assert np.abs(worker.ranks - expected.ranks).sum() < 1e-8
