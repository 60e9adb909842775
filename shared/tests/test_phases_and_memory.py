"""Phases never overlap and add up; memory and processor time are those of the whole tree."""

import subprocess
import sys
import time

import pytest
from studykit import phases
from studykit.memory import TreeSampler, pss_bytes
from studykit.phases import Phases

MEGABYTE = 1_000_000


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when it is told to."""

    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

    hand = Clock()
    monkeypatch.setattr("studykit.phases.time.monotonic", hand.monotonic)
    return hand


def test_an_inner_phase_takes_its_time_out_of_the_outer(clock):
    taken = Phases()
    with taken("load"):
        clock.now += 1
        with taken("communicate"):
            clock.now += 2
        clock.now += 4
    with taken("load"):
        clock.now += 8
    assert taken.seconds == {"load": 13, "communicate": 2}
    assert taken.wall_seconds == 15


def test_the_check_is_not_in_the_wall_time(clock):
    taken = Phases()
    with taken("compute"):
        clock.now += 1
    with taken("check"):
        clock.now += 50
    assert taken.wall_seconds == 1


def test_a_phase_that_fails_is_counted(clock):
    taken = Phases()
    with pytest.raises(KeyError), taken("load"):
        clock.now += 3
        raise KeyError
    assert taken.seconds == {"load": 3}


def test_phases_of_workers_are_joined_by_maximum_and_sum():
    joined = phases.over_workers([{"load": 1.0, "compute": 5.0}, {"load": 2.0}])
    assert joined == {"load": {"max": 2.0, "sum": 3.0}, "compute": {"max": 5.0, "sum": 5.0}}


def test_the_memory_of_a_child_is_counted():
    program = "import numpy, time; a = numpy.ones(25_000_000); print(flush=True); time.sleep(60)"
    with TreeSampler() as sampler:
        before = sampler.peak_bytes
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        sampler.sample()
        child.kill()
        child.communicate()
    assert sampler.peak_bytes - before > 200 * MEGABYTE


def test_processor_time_is_that_of_work_not_of_waiting():
    with TreeSampler() as sampler:
        began = time.process_time()
        while time.process_time() - began < 0.3:
            pass
        sampler.sample()
        worked = sampler.cpu_seconds
    assert worked >= 0.25
    assert pss_bytes(sampler._root) > 10 * MEGABYTE
