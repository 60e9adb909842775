"""The entry point of a study on torch.distributed: what all studies do there, around their own.

Started by hand, an entry point is the launcher of its ranks. Under `torchrun` it is a rank at once.
"""

import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable
from typing import Any

from studykit import cli
from studykit.engines import torch_launch, torch_ranks
from studykit.engines.collectives import gather_objects
from studykit.execution import execute
from studykit.options import Options, Study
from studykit.run import Methods, Outcome, Run


def entry_point(study: Study, methods: Methods) -> Callable[[], None]:
    """The main of `run_torch`. `methods` are functions of a `Run`, called in every rank, that
    return an `Outcome` in the first and None in the others."""

    def body(options: Options, parameters: Any) -> int:
        if torch_ranks.is_rank():
            return work(options, parameters)

        def launched(compute: Callable[[Run], None]) -> int:
            return execute(study, "torch", options, parameters, compute, sampled=False, quiet=True)

        if options.dry_run or options.address is not None:
            module = f"{study.package}.run_torch"
            return launched(lambda run: torch_launch.join(module, options, sys.argv[1:]))
        # The launcher ends its ranks: past a limit of their own they would say it once more.
        unlimited = dataclasses.replace(options, timeout=None)
        with torch_launch.forked(options, lambda: work(unlimited, parameters)) as begin:
            return launched(lambda run: begin(run.phases.seconds["start"]))

    def work(options: Options, parameters: Any) -> int:
        first_here = torch_ranks.local_rank() == 0
        return execute(
            study, "torch", options, parameters, compute,
            sampled_pid=os.getppid(),
            sampled=first_here,
            memory_limit=torch_ranks.share_of_host(options) if first_here else None,
            quiet=torch_ranks.rank() != 0,
        )  # fmt: skip

    def compute(run: Run) -> Outcome | None:
        with contextlib.ExitStack() as stack:
            with run.phase("start", "joining the ranks"):
                stack.enter_context(torch_ranks.group(run.options))
                run.device, devices = torch_ranks.agreed_device(run.options)
            stack.enter_context(torch_ranks.profiled(run))
            outcome: Outcome | None = run.chosen(methods)(run)
            peaks = gather_objects(torch_ranks.host_peak(run))
            if outcome is not None:
                outcome.devices, outcome.hosts = devices, torch_ranks.hosts()
                outcome.host_peaks = [peak for peak in peaks if peak]
            return outcome

    return cli.entry_point(study, "torch", body)
