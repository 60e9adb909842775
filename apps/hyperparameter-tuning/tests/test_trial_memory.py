"""The peak of a block is its own: above what it held, not above what was held before it."""

import sys

import numpy as np
import psutil
import pytest
from hyperparameter_tuning import trial_memory

MEGABYTE = 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_peak_of_a_block_is_what_it_held_and_is_forgotten_by_the_next():
    before = psutil.Process().memory_info().rss
    with trial_memory.peak() as large:
        np.ones(64 * MEGABYTE, np.uint8).sum()
    with trial_memory.peak() as small:
        pass
    assert large.bytes is not None and small.bytes is not None
    assert large.bytes >= before + 60 * MEGABYTE
    assert small.bytes <= large.bytes - 50 * MEGABYTE


def test_where_the_system_does_not_tell_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(trial_memory, "OWN", tmp_path / "no proc")
    with trial_memory.peak() as found:
        pass
    assert found.bytes is None
