"""An interrupt in the seconds in which a program imports its libraries: one line, not a traceback.

A study's package asks for it before it imports anything, so this module itself imports next to
nothing. What comes later is for `cli.manners`.
"""

import signal
import sys
import threading
from types import FrameType, TracebackType


def say_interrupts() -> None:
    """From here on a Ctrl-C that ends the process ends it with 130 and one line.

    Only of `python -m`: who imports a study as a library keeps handlers of their own. SIGTERM ends
    a process by itself, and shows nothing.
    """
    # So it is while Python looks for the module that it shall run.
    run_as_module = sys.argv[:1] == ["-m"]
    # A shell has interrupts ignored in what it runs in the background.
    if not run_as_module or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    shown, came = sys.excepthook, threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        came.set()
        signal.default_int_handler(number, frame)

    def say(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        # Whatever its kind: libraries make errors of their own of an interrupt.
        if came.is_set() and not hasattr(sys, "ps1"):  # A session in which one types goes on.
            print("interrupted", file=sys.stderr)
            sys.exit(130)
        shown(kind, error, where)

    signal.signal(signal.SIGINT, note)
    sys.excepthook = say
