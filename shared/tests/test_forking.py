"""A fork in place of a start: from within and from without it is what a start would be."""

import json
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest
from studytest import leftovers, running
from studytest.forking import Forks

MODULE = "sample_study.itself"


@pytest.fixture(scope="module")
def fork() -> Iterator[Callable[..., running.Child]]:
    with Forks() as forks:
        yield forks.start


@pytest.mark.parametrize("variables", [{}, {"SAMPLE": "one", "TMPDIR": "/"}])
def test_a_fork_is_what_a_start_is(fork, variables, monkeypatch):
    monkeypatch.setenv("STUDY_SAMPLE", "of this process alone")
    ways = [running.start, fork]
    ended = [running.finish(way(MODULE, "--size", 1, **variables), 60) for way in ways]
    started, forked = [json.loads(one.stdout.splitlines()[0]) for one in ended]
    assert forked == started
    assert forked["main"] == MODULE and forked["imported"] is False
    assert [one.code for one in ended] == [3, 3]
    assert {one.stdout.splitlines()[1] for one in ended} == {"left in order"}
    assert {one.stderr for one in ended} == {"waiting\n"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_as_it_ends_a_start(fork, number):
    ended = []
    for way in (running.start, fork):
        child = way(MODULE)
        running.wait_for_line(child, "waiting")
        ended.append(running.interrupt(child, number))
    started, forked = ended
    assert forked.code == started.code == -number
    assert forked.stdout == started.stdout
    assert ("KeyboardInterrupt" in forked.stderr) == ("KeyboardInterrupt" in started.stderr)


def test_one_that_does_not_end_is_ended_and_leaves_nothing(fork):
    with leftovers.nothing_left():
        child = fork("sample_study.hanging")
        with pytest.raises(AssertionError, match="still running"):
            running.finish(child, 0.5)
    assert not psutil.pid_exists(child.pid)


def test_what_cannot_be_imported_is_said(fork):
    with pytest.raises(AssertionError, match="no_such_module"):
        fork("sample_study.no_such_module")
