"""The paper's way in one process, which the paper has not: batch after batch, fold after fold."""

import time

import torch
from studykit.run import Outcome, Run

from lesion_classification import published, resnet


def exact(run: Run) -> Outcome:
    asked = run.parameters
    with run.phase("start", "loading ResNet50"):
        torch.set_num_threads(run.options.worker_count * run.options.threads)
        network = resnet.network(resnet.load(asked.weights, run.options.seed))
    with run.phase("load", "reading the table"):
        lesions = published.read(run)
        batches = published.batches(lesions)
    with run.phase("compute", f"{len(batches)} batches of images, then the folds"):
        began = time.monotonic()
        done = [published.extract(network, batch, asked.side) for batch in batches]
        seconds = time.monotonic() - began
        data = published.data_of(run, lesions, published.joined(done))
        results = list(published.trained(data, range(asked.fold_count)))
    return published.outcome(run, data, results, done, 0, seconds)
