"""One process without a framework: the baseline of every chart.

It has workers × threads threads, so that it has the same cores as an engine.
"""

import contextlib
import cProfile
import io
import pstats
from collections.abc import Callable, Iterator
from typing import Any

from studykit import cli, machine
from studykit.execution import execute
from studykit.options import Options, Study
from studykit.records import PLAIN
from studykit.run import Methods, Outcome, Run


def entry_point(study: Study, methods: Methods) -> Callable[[], None]:
    """The main of `run_plain`. `methods` are functions of a `Run` that return an `Outcome`."""

    def body(options: Options, parameters: Any) -> int:
        machine.pin_threads(options.worker_count * options.threads)
        limit = options.memory_limit_bytes
        return execute(study, PLAIN, options, parameters, compute, memory_limit=limit)

    def compute(run: Run) -> Outcome:
        with profiled(run):
            outcome: Outcome = run.chosen(methods)(run)
            return outcome

    return cli.entry_point(study, PLAIN, body)


@contextlib.contextmanager
def profiled(run: Run) -> Iterator[None]:
    """With --profile, where the time of this thread goes."""
    if not run.options.profile:
        yield
        return
    with cProfile.Profile() as profile:
        yield
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("cumulative").print_stats(60)
    run.profiles["profile.txt"] = text.getvalue().encode()
