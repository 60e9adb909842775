"""An interrupted process ends, whatever the interrupt has left behind."""

import os
import signal
import sys
import tempfile
import threading
import time

import pytest
from studykit import cli, interrupts, processes
from studykit.errors import BusyError
from studytest import leftovers, running

LEAVING = f"""
import atexit, os, sys, threading, time, {cli.__name__} as cli

left = sys.argv.pop()
lock = threading.Lock()
lock.acquire()

def command():
    with cli.manners(debug=False):
        if left == "a thread that waits for a lock":
            threading.Thread(target=lock.acquire).start()
        else:
            atexit.register(os.abort)
        print("iterating", file=sys.stderr, flush=True)
        while True:  # One long wait would begin after a signal that comes just before it.
            time.sleep(0.05)

cli.application(command)()
"""
LEFT = ("a thread that waits for a lock", "a crash")

LOST_ONCE = f"""
import gc, sys, time, {cli.__name__} as cli, {interrupts.__name__} as interrupts

_, callback, seconds = sys.argv
del sys.argv[1:]

def deaf():  # What is raised here is lost.
    print("in a callback", file=sys.stderr, flush=True)
    wait()

def wait():
    while True:  # One long wait would begin after a signal that comes just before it.
        time.sleep(0.05)

class Going:
    def __del__(self):
        deaf()

def collected(phase, info):
    gc.callbacks.remove(collected)
    deaf()

def command():
    with cli.manners(debug=False), interrupts.limited(float(seconds)):
        if callback == "of an object that goes":
            Going()
        else:
            gc.callbacks.append(collected)
            gc.collect()
        wait()

cli.application(command)()
"""
CALLBACKS = ("of an object that goes", "of garbage collection")

each_interrupt = pytest.mark.parametrize(
    ("number", "word", "code"),
    [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)],
)


@each_interrupt
@pytest.mark.parametrize("left", LEFT)
def test_what_libraries_leave_neither_holds_up_the_end_nor_changes_it(left, number, word, code):
    process = running.start_python("-c", LEAVING, left)
    running.wait_for_line(process, "iterating")
    finished = running.interrupt(process, number)
    assert finished.code == code
    assert finished.stderr == f"{word}\n"


@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_time_limit_that_is_lost_comes_again(callback):
    process = running.start_python("-c", LOST_ONCE, callback, "1")
    finished = running.finish(process, 30)
    said = ["in a callback", "error: not done within --timeout 1 s"]
    assert (finished.code, finished.stderr.splitlines()) == (124, said)


@each_interrupt
@pytest.mark.parametrize("callback", CALLBACKS)
def test_an_interrupt_that_is_lost_comes_again(callback, number, word, code):
    process = running.start_python("-c", LOST_ONCE, callback, "600")
    running.wait_for_line(process, "in a callback")
    finished = running.interrupt(process, number)
    assert (finished.code, finished.stderr) == (code, f"{word}\n")


def test_what_is_no_interrupt_is_printed_as_ever(monkeypatch):
    class Broken:
        def __del__(self):
            raise ValueError("a defect of its own")

    printed = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: printed.append(str(lost.exc_value)))
    with interrupts.never_lost():
        Broken()
    assert printed == ["a defect of its own"]


def test_a_time_limit_that_is_lost_at_the_end_of_its_block_is_over(monkeypatch):
    class Deaf:
        def __del__(self):
            signal.raise_signal(signal.SIGALRM)

    monkeypatch.setattr(interrupts, "AGAIN_SECONDS", 0.05)
    with interrupts.never_lost():
        with interrupts.limited(60):
            Deaf()
        # SIGALRM would end this process now.
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
        time.sleep(0.2)


def test_after_a_time_limit_no_signal_comes():
    handler = signal.getsignal(signal.SIGALRM)
    with interrupts.limited(60):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is handler


def test_another_thread_ends_the_block_with_its_error_of_which_the_first_counts():
    def tell(end):
        end(BusyError("first"))
        end(BusyError("second"))

    with pytest.raises(BusyError, match="first"), interrupts.limited(None) as end:
        threading.Thread(target=tell, args=(end,)).start()
        threading.Event().wait(30)


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_whose_making_is_interrupted_goes(tmp_path, monkeypatch, made):
    def make(path: str, mode: int) -> None:
        if made:
            make_folder(path, mode)
            assert os.listdir(tmp_path) == [os.path.basename(path)]
        signal.raise_signal(signal.SIGINT)

    make_folder = os.mkdir
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "mkdir", make)
    with pytest.raises(KeyboardInterrupt), processes.temporary_folder("a-"):
        raise AssertionError("it was interrupted before")
    assert os.listdir(tmp_path) == []


def test_looking_for_a_place_is_interrupted_without_a_trace(tmp_path, monkeypatch):
    def opened(path, *arguments):
        descriptor = open_file(path, *arguments)
        assert os.listdir(tmp_path) == [os.path.basename(path)]
        signal.raise_signal(signal.SIGINT)
        return descriptor

    open_file = os.open
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(KeyboardInterrupt), processes.temporary_folder("a-"):
        raise AssertionError("it was interrupted before")
    assert os.listdir(tmp_path) == []


KILLED = f"""
import os, signal, sys, {processes.__name__} as processes

with processes.temporary_folder("a-") as folder:
    open(folder + "/file", "w").close()
    print("made", folder, file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_folder_of_a_process_that_is_killed_goes(tmp_path):
    with leftovers.nothing_left():
        process = running.start_python("-c", KILLED, TMPDIR=str(tmp_path))
        _, folder = running.wait_for_line(process, "made")[-1].split()
        assert running.finish(process).code == -signal.SIGKILL
    assert os.path.dirname(folder) == str(tmp_path)
    assert os.listdir(tmp_path) == []
