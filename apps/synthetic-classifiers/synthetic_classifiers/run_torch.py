"""Classifiers on torch.distributed: one rank per worker, results gathered by gloo.

    ./pants run apps/synthetic-classifiers:torch -- --size tiny --algorithm all --workers 2
    torchrun --nproc-per-node 2 -m synthetic_classifiers.run_torch --size tiny

Every rank runs this file from top to bottom and keeps its samples; what a step gives is gathered on
all of them, so each makes the same of it for the next. XGBoost and LightGBM exchange by themselves,
from rank to rank. A rank that dies ends the run: its launcher stops the others and says so.
"""

import os
from typing import Any

import torch.distributed as dist
from studykit.engines import torch_engine
from studykit.engines.collectives import gather_objects
from studykit.engines.host_memory import Hosts
from studykit.run import Outcome, Run

from synthetic_classifiers import addresses, classifiers, outcome, run_plain, study, team, training
from synthetic_classifiers import worker as workers
from synthetic_classifiers.team import Step
from synthetic_classifiers.worker import Worker


class TorchTeam:
    """This rank's worker, and what it gathers of the others'."""

    def __init__(self, threads: int) -> None:
        address = addresses.towards(os.environ.get("MASTER_ADDR", "127.0.0.1"))
        self.worker = Worker(dist.get_rank(), dist.get_world_size(), threads, address)
        self.phase, self.sent = "load", 0

    def on_all(self, step: Step, *arguments: Any) -> list[Any]:
        results = gather_objects(self.worker.call(self.phase, step, *arguments))
        self.sent += (self.worker.count - 1) * team.size_of(results)
        return results

    def bring(self, hosts: Hosts, give: Step, take: Step) -> None:
        """By all ranks to all: gloo has no other way for objects."""
        given = gather_objects(self.worker.call("load", give))
        elsewhere = team.takers(hosts).get(self.worker.number, [])
        if elsewhere:
            self.worker.call("load", take, [given[other] for other in elsewhere])
        dist.barrier()


def exact(run: Run) -> Outcome | None:
    with run.phase("start", "compiling or loading the kernels"):
        workers.warm_up()
        classifiers.warm_up(run.parameters.kinds)
        ranks = TorchTeam(run.options.threads)
        dist.barrier()

    answer = training.answered(run, ranks)
    ranks.worker.close()
    if dist.get_rank() != 0:
        return None
    return outcome.exact(run, answer, ranks.sent)


def published_way(run: Run) -> Outcome | None:
    with run.phase("start", "importing scikit-learn"):
        # Here, because it takes a second or more, which only who asks for it shall wait.
        from synthetic_classifiers import published_torch

        classifiers.warm_up(run.parameters.algorithms)
    return published_torch.classifiers(run, run_plain.answered)


METHODS = {"exact": exact, "published": published_way}

main = torch_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
