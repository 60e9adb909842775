"""Launch scripts wait for what they start, and not for ever."""

import subprocess
import sys

import psutil
import pytest
from studykit.errors import BusyError
from studylaunch import ready
from studytest import running

STUCK = """
import threading
from studylaunch import ready
ready.PATIENCE_SECONDS = ready.LATE_SECONDS = {seconds}
def look(address):
    print("looking", flush=True)
    threading.Event().wait()
ready.main(look)
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(ready, "PATIENCE_SECONDS", 1.0)


def test_what_is_still_starting_is_waited_for():
    answers = iter([ConnectionError(), 1, 2, 4])

    def found(address):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    ready.wait_for(found, "there:1", 4)
    assert list(answers) == []


def test_what_does_not_come_is_said():
    with pytest.raises(BusyError, match="4 cores expected at there:1, 3 joined in 1 s"):
        ready.wait_for(lambda address: 3, "there:1", 4)


def test_a_look_that_does_not_come_back_ends():
    asked = [sys.executable, "-c", STUCK.format(seconds=0.2), "there:1", "4"]
    ended = subprocess.run(
        asked, env=running.environment(), capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (1, "error: there:1 does not answer\n")


def test_a_look_ends_with_the_script_that_was_killed():
    look = f"{sys.executable} -c '{STUCK.format(seconds=60)}' there:1 4"
    with subprocess.Popen(
        ["bash", "-c", f"{look} & echo $!; wait"],
        env=running.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as script:
        assert script.stdout is not None
        process = psutil.Process(int(script.stdout.readline()))
        assert script.stdout.readline() == "looking\n"
        script.kill()
        process.wait(30)
