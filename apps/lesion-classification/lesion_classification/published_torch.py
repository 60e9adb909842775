"""The paper on torch: batches of ten images strided over the ranks, each with its own network."""

import time

import numpy as np
import torch.distributed as dist
from studykit.engines.collectives import gather_objects
from studykit.run import Outcome, Run

from lesion_classification import published, resnet


def exact(run: Run) -> Outcome | None:
    asked = run.parameters
    rank, ranks = dist.get_rank(), dist.get_world_size()
    with run.phase("start", "loading ResNet50 on every rank"):
        network = resnet.network(resnet.load(asked.weights, run.options.seed))
        dist.barrier()
    with run.phase("load", "every rank reads the table"):
        lesions = published.read(run)
        batches = published.batches(lesions)
    with run.phase("compute", f"{len(batches)} batches, then the folds"):
        began = time.monotonic()
        own = [published.extract(network, batch, asked.side) for batch in batches[rank::ranks]]
        gathered = gather_objects(own)
        done = [gathered[at % ranks][at // ranks] for at in range(len(batches))]
        seconds = time.monotonic() - began
        data = published.data_of(run, lesions, published.joined(done))
        mine = list(published.trained(data, range(rank, asked.fold_count, ranks)))
        results = [one for of_rank in gather_objects(mine) for one in of_rank]
    if rank != 0:
        return None
    features = int(np.sum([one.features.nbytes for one in done]))
    results.sort(key=lambda one: one.fold)
    return published.outcome(run, data, results, done, features * (ranks - 1), seconds)
