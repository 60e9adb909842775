"""An interrupted process ends, whatever the interrupt has left behind."""

import signal

import pytest
from studykit import cli
from studytest import running

LOCK_STAYS_TAKEN = f"""
import sys, threading, {cli.__name__} as cli

lock = threading.Lock()
lock.acquire()

def command():
    with cli.manners(debug=False):
        threading.Thread(target=lock.acquire).start()
        print("iterating", file=sys.stderr, flush=True)
        threading.Event().wait()

cli.application(command)()
"""


@pytest.mark.parametrize(
    ("number", "word", "code"),
    [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)],
)
def test_a_lock_that_stays_taken_does_not_hold_up_the_end(number, word, code):
    process = running.start_python("-c", LOCK_STAYS_TAKEN)
    running.wait_for_line(process, "iterating")
    finished = running.interrupt(process, number)
    assert finished.code == code
    assert finished.stderr == f"{word}\n"
