"""The entry point of a study on Dask: what all studies do there, before and after their own."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from distributed import KilledWorker

from studykit import cli, machine
from studykit.engines import dask_cluster
from studykit.errors import StudyError
from studykit.execution import execute
from studykit.options import Options, Study
from studykit.run import Methods, Outcome, Run


def entry_point(study: Study, methods: Methods) -> Callable[[], None]:
    """The main of `run_dask`. `methods` are functions of a `Run` and a Dask `Client` that return
    an `Outcome`."""

    def body(options: Options, parameters: Any) -> int:
        machine.pin_threads(options.threads)
        return execute(study, "dask", options, parameters, compute)

    def compute(run: Run) -> Outcome:
        with contextlib.ExitStack() as stack, errors_of_workers():
            with run.phase("start", "starting Dask"):
                client = stack.enter_context(dask_cluster.cluster(run.options))
            peaks = stack.enter_context(dask_cluster.host_peaks(client, run.options))
            stack.enter_context(dask_cluster.profiled(run))
            outcome: Outcome = run.chosen(methods)(run, client)
            outcome.hosts, outcome.host_peaks = dask_cluster.hosts(client), peaks()
            return outcome

    return cli.entry_point(study, "dask", body)


@contextlib.contextmanager
def errors_of_workers() -> Iterator[None]:
    """A worker's own error comes as it is; this says what Dask means by a killed one."""
    try:
        yield
    except KilledWorker as error:
        raise StudyError(
            f"{error.allowed_failures + 1} workers died of the same task; with --memory-limit,"
            " of too little memory"
        ) from error
