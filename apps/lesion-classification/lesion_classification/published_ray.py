"""The paper on Ray: the network goes with every task of ten images; a wait after every 12 tasks."""

import pickle
import time
from typing import Any

import ray
import torch
from studykit.run import Outcome, Run
from torch import nn

from lesion_classification import published, resnet
from lesion_classification.cross_validation import Data, FoldResult, train_fold
from lesion_classification.published import Extracted


def extract(network: nn.Module, uris: list[str], side: int, threads: int) -> Extracted:
    torch.set_num_threads(threads)
    return published.extract(network, uris, side)


def fold(number: int, data: Data) -> FoldResult:
    return train_fold(number, data)


def exact(run: Run) -> Outcome:
    asked, threads = run.parameters, run.options.threads
    with run.phase("start", "loading ResNet50"):
        network = resnet.network(resnet.load(asked.weights, run.options.seed))
        task: Any = ray.remote(extract).options(num_cpus=threads)
        train: Any = ray.remote(fold).options(num_cpus=threads)
    with run.phase("load", "reading the table"):
        lesions = published.read(run)
        batches = published.batches(lesions)
    with run.phase("compute", f"{len(batches)} tasks, then the folds"):
        began, waiting, done = time.monotonic(), [], []
        for number, batch in enumerate(batches, start=1):
            # Ray is not told that it is the same network: it is sent again.
            waiting.append(task.remote(network, batch, asked.side, threads))
            if number % published.WAIT_AFTER == 0 or number == len(batches):
                done += ray.get(waiting)
                waiting = []
                run.progress(f"task {number} of {len(batches)}")
        seconds = time.monotonic() - began
        data = published.data_of(run, lesions, published.joined(done))
        shared = ray.put(data)
        results = ray.get([train.remote(number, shared) for number in range(asked.fold_count)])
    sent = len(batches) * len(pickle.dumps(network)) + data.features.nbytes
    return published.outcome(run, data, results, done, sent, seconds)
