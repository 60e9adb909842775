"""The entry point of a study on Ray: what all studies do there, before and after their own.

Where an actor that holds state dies, `again_from_the_input` runs the method again.
"""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import (
    GetTimeoutError,
    ObjectLostError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from studykit import cli, machine
from studykit.engines import ray_cluster
from studykit.errors import StudyError
from studykit.execution import execute
from studykit.options import Options, Study
from studykit.run import Methods, Outcome, Run

ATTEMPTS = 3
"""At a run whose actors hold state: when one dies, all is done again from the input."""


def entry_point(study: Study, methods: Methods) -> Callable[[], None]:
    """The main of `run_ray`. `methods` are functions of a `Run` that return an `Outcome`."""

    def body(options: Options, parameters: Any) -> int:
        machine.pin_threads(options.threads)
        return execute(study, "ray", options, parameters, compute)

    def compute(run: Run) -> Outcome:
        with contextlib.ExitStack() as stack, errors_of_workers():
            with run.phase("start", "starting Ray"):
                stack.enter_context(ray_cluster.cluster(run.options, run.end, run.end_at_once))
            peaks = stack.enter_context(ray_cluster.node_peaks(run.options))
            outcome: Outcome = run.chosen(methods)(run)
            outcome.hosts, outcome.host_peaks = ray_cluster.hosts(run.options), peaks()
            if run.options.profile:
                # For chrome://tracing or https://ui.perfetto.dev.
                run.profiles["timeline.json"] = json.dumps(ray.timeline()).encode()
            return outcome

    return cli.entry_point(study, "ray", body)


def again_from_the_input(method: Callable[[Run], Outcome]) -> Callable[[Run], Outcome]:
    """For a method whose actors hold state: when one dies, it runs again with new ones.

    `quality.attempts` says how often it ran.
    """

    @functools.wraps(method)
    def repeated(run: Run) -> Outcome:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                outcome = method(run)
            except RayError as error:
                if attempt == ATTEMPTS or not lost_a_worker(error):
                    raise
                run.say("a worker died: starting again from the input")
            else:
                outcome.quality["attempts"] = attempt
                return outcome
        raise AssertionError("the last attempt returns or raises")

    return repeated


@contextlib.contextmanager
def errors_of_workers() -> Iterator[None]:
    """Raise a worker's own error, or what a signal raised, in place of Ray's wrapping of it."""
    try:
        yield
    except SystemError as error:
        # Of `ray.wait`: it "returned a result with an exception set", which is the cause.
        raise error.__cause__ or error from None
    except RayTaskError as error:
        if isinstance(error.cause, StudyError):
            raise error.cause from None
        kind = type(error.cause).__name__
        raise StudyError(f"in a worker: {kind}: {error.cause} (--debug shows where)") from error


def results(calls: Sequence[Any], seconds: float | None = None) -> list[Any]:
    """What all calls return, in their order; the error of the first that fails, without waiting
    for the others, as `ray.get` does. GetTimeoutError where none ends for so many seconds."""
    found: dict[Any, Any] = {}
    waiting = list(calls)
    while waiting:
        try:
            done, waiting = ray.wait(waiting, timeout=seconds)
        except SystemError as error:  # A signal's handler has raised within it.
            raise error.__cause__ or error from None
        if not done:
            raise GetTimeoutError
        found |= zip(done, ray.get(done), strict=True)
    return [found[call] for call in calls]


def lost_a_worker(error: RayError) -> bool:
    """Whether an error says that a process or its objects are gone, not that code failed."""
    if isinstance(error, RayTaskError):
        return isinstance(error.cause, RayError) and lost_a_worker(error.cause)
    return isinstance(error, RayActorError | ObjectLostError | WorkerCrashedError)
