"""Lesions on torch.distributed: one rank per worker, which loads the network once.

    ./pants run apps/lesion-classification:torch -- --size tiny --weights random --workers 2
    torchrun --nproc-per-node 2 -m lesion_classification.run_torch --size tiny --weights random

Every rank runs this file from top to bottom. Features go to the first rank a part of each rank at a
time, over gloo; the first keeps them. All get the samples and take every n-th fold. A rank that
dies ends the run: its launcher stops the others; with --features the next run computes only what is
missing.
"""

import torch.distributed as dist
from studykit.engines import torch_engine
from studykit.run import Outcome, Run

from lesion_classification import answering, native_torch, outcome, study
from lesion_classification.torch_team import TorchTeam


def exact(run: Run) -> Outcome | None:
    with run.phase("start", "meeting the other ranks"):
        ranks = TorchTeam()
        dist.barrier()

    answer = answering.answered(run, ranks)
    if ranks.rank != 0:
        return None
    return outcome.exact(run, answer, ranks.sent)


def published_way(run: Run) -> Outcome | None:
    # Here, because only who asks for it shall wait.
    from lesion_classification import published_torch

    return published_torch.exact(run)


METHODS = {"exact": exact, "native": native_torch.exact, "published": published_way}

main = torch_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
