"""From a study's own parameters and the common options to a command with the same manners.

`entry_point(study, engine, body)` is the main of an engine file. What lies around its body (options
and their validation, signals, the one line of an error, the exit code) is here, once, for every
engine.
"""

import atexit
import contextlib
import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import typer
from rich.console import Console

from studykit import interrupts
from studykit import options as common
from studykit.errors import StudyError, UsageError, one_line
from studykit.options import Options, Study

Body = Callable[[Options, Any], int]

console = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

EXIT_FILE = "STUDY_EXIT_FILE"
"""Environment variable: a file that does not exist yet. Of several processes of one run, the first
that fails makes it, with its exit code inside; the others fail because of it and say nothing. Nor
does one that is only told to stop: whoever told it knows why."""
GRACE_SECONDS = 5.0
"""For the interpreter's own end after an interrupt, when all has been cleaned up and said."""


def typer_command(
    groups: tuple[type[Any], ...], body: Callable[..., None], *, doc: str
) -> Callable[..., None]:
    """A function whose signature lists the fields of all groups; the body gets one object each.

    Typer reads `__signature__` and `__annotations__`; both are made from the dataclasses, so no
    study writes the common options again.
    """
    fields = {group: inspect.signature(group).parameters for group in groups}
    listed = [field for own in fields.values() for field in own.values()]

    def command(**values: Any) -> None:
        body(*(group(**{name: values[name] for name in own}) for group, own in fields.items()))

    command.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    command.__annotations__ = {field.name: field.annotation for field in listed}
    command.__doc__ = doc
    return command


def entry_point(study: Study, engine: str, body: Body) -> Callable[[], None]:
    """The main function of an engine file: parse, run under the common manners, exit."""

    def run(options: Options, parameters: Any) -> None:
        with manners(options.debug):
            common.validate(study, engine, options, parameters)
            sys.exit(body(options, parameters))

    example = f"{study.package}.run_{engine} --size tiny --workers 2"
    doc = f"Run {study.name} with {engine}.\n\nExample: python -m {example}"
    return application(typer_command((Options, study.parameters), run, doc=doc))


def application(command: Callable[..., None]) -> Callable[[], None]:
    """A typer application of one command; wrong usage exits with 2 like every other bad input."""
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command()(command)
    return app


@contextlib.contextmanager
def manners(debug: bool) -> Iterator[None]:
    """One line per error and the exit codes that all entry points share."""
    previous = signal.signal(signal.SIGTERM, interrupts.terminate)
    try:
        with interrupts.never_lost():
            yield
    except StudyError as error:
        raise _exit(error.exit_code, error, debug) from None
    except interrupts.Terminated:
        raise _interrupted(143, "terminated") from None
    except KeyboardInterrupt:
        raise _interrupted(130, "interrupted") from None
    except Exception as error:
        raise _exit(1, error, debug) from None
    finally:
        signal.signal(signal.SIGTERM, previous)
        sys.stdout.flush()


def _interrupted(code: int, word: str) -> SystemExit:
    # All has been cleaned up, so of the interpreter's own end there is no need; and it is held up
    # where the interrupt came between the taking of a lock and the block that gives it back (of a
    # Future, say) and a thread waits for that lock, or crashed by a thread that a library has left
    # running (Ray, while it connects).
    end = threading.Timer(GRACE_SECONDS, os._exit, (code,))
    end.daemon = True
    end.start()
    atexit.register(os._exit, code)  # `manners` has flushed.
    return _exit(code, word)


def _exit(code: int, reason: Exception | str, debug: bool = False) -> SystemExit:
    path = os.environ.get(EXIT_FILE)
    if path is not None:
        if isinstance(reason, str):
            return SystemExit(code)
        try:
            with open(path, "x") as file:
                file.write(str(code))
        except FileExistsError:
            return SystemExit(code)
    if isinstance(reason, str):
        console.print(reason)
    else:
        _say(reason, debug)
    return SystemExit(code)


def end_at_once(error: StudyError) -> NoReturn:
    """For a thread that has waited in vain for the main one: nothing is cleaned up."""
    _exit(error.exit_code, error)
    os._exit(error.exit_code)


def _say(error: Exception, debug: bool) -> None:
    if debug:
        console.print_exception()
    text = one_line(error)
    if not isinstance(error, StudyError):
        text = f"{type(error).__name__}: {text} (--debug shows where)"
    console.print(f"error: {text}", markup=False, style="red")


def round_from_environment() -> int:
    """The round of a sweep, which it tells its children; 0 for a run by hand."""
    try:
        return int(os.environ.get("STUDY_ROUND", "0"))
    except ValueError:
        raise UsageError("STUDY_ROUND must be a whole number") from None
