"""What ends a run from outside: Ctrl-C, SIGTERM, its limits of time and memory, a lost cluster.

The one idea: each is raised in the main thread, wherever that happens to be, so that every
`finally` on the way out runs. And like Ctrl-C's KeyboardInterrupt none of them is an Exception:
libraries that are starting processes take those for failures of their own, log them and go on.
"""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from studykit.errors import StudyError, TimeLimitError

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
AGAIN_SECONDS = 0.1
"""From dropping an interrupt: the callback that it came in is over by then, mostly."""


class Terminated(BaseException):
    """SIGTERM came."""


class LimitReached(BaseException):
    """Stands for an error of the study, as far as `limited`."""

    def __init__(self, error: StudyError) -> None:
        super().__init__(str(error))
        self.error = error


RAISED_FOR: dict[type[object], signal.Signals] = {
    KeyboardInterrupt: signal.SIGINT,
    Terminated: signal.SIGTERM,
    SystemExit: signal.SIGTERM,  # By the handlers that Ray has while it starts.
    LimitReached: signal.SIGALRM,
}


def terminate(number: int, frame: FrameType | None) -> None:
    """The handler of a signal that asks this process to end."""
    # A second one must not break the clean-up that the first one began.
    signal.signal(number, signal.SIG_IGN)
    raise Terminated


@contextlib.contextmanager
def limited(seconds: float | None) -> Iterator[Callable[[StudyError], None]]:
    """The block ends with a TimeLimitError where it takes longer.

    Yields a function by which any thread ends it with another error, of which the first counts.
    """
    reached: StudyError | None = None

    def expire(number: int, frame: FrameType | None) -> None:
        nonlocal reached
        reached = reached or TimeLimitError(f"not done within --timeout {seconds or 0:g} s")
        raise LimitReached(reached)

    def end(error: StudyError) -> None:
        nonlocal reached
        if reached is None:
            reached = error
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    try:
        yield end
    except LimitReached as limit:
        raise limit.error from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """What comes while the block runs is heard after it."""
    came: list[int] = []

    def keep(number: int, frame: FrameType | None) -> None:
        came.append(number)

    previous = {number: signal.signal(number, keep) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    for heard in came:
        signal.raise_signal(heard)


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """For a clean-up that has to come to its end."""
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def never_lost() -> Iterator[None]:
    """While the block runs, an interrupt that the interpreter drops is sent again.

    It drops what a handler raises within a callback of its own: of an object that goes (`__del__`),
    of a fork, of garbage collection. It would print what it drops, which is no error here.
    """
    main, over = threading.get_ident(), threading.Event()

    def dropped(lost: "sys.UnraisableHookArgs") -> None:
        kind = type(lost.exc_value)
        if kind not in RAISED_FOR:
            print_dropped(lost)
            return
        if RAISED_FOR[kind] == signal.SIGTERM:  # Handlers of which are for one time.
            signal.signal(signal.SIGTERM, terminate)
        threading.Thread(target=send_again, args=(RAISED_FOR[kind],), daemon=True).start()

    def send_again(number: signal.Signals) -> None:
        # A handler that is gone was that of a block that has ended.
        if not over.wait(AGAIN_SECONDS) and callable(signal.getsignal(number)):
            signal.pthread_kill(main, number)

    print_dropped, sys.unraisablehook = sys.unraisablehook, dropped
    try:
        yield
    finally:
        over.set()
        sys.unraisablehook = print_dropped
