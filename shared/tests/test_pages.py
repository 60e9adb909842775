"""Arrays of ordinary pages are arrays."""

import gc
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from studykit import pages


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (1,), (1000, 3)])
def test_it_is_writable_and_in_rows_and_holds_its_memory(shape):
    array = pages.empty(shape, np.float32)
    assert array.shape == shape and array.dtype == np.float32 and array.flags.c_contiguous
    array[...] = 7
    part = array[len(array) // 2 :]
    del array
    gc.collect()
    assert (part == 7).all()
    assert (pickle.loads(pickle.dumps(part)) == part).all()


def test_what_a_fork_writes_is_not_seen():
    array = pages.empty((1 << 20,), np.int64)
    process = os.fork()
    if process == 0:
        array[:] = 1
        os._exit(0)
    os.waitpid(process, 0)
    assert not array.any()


SMAPS = Path("/proc/self/smaps")


@pytest.mark.skipif(not SMAPS.exists(), reason="needs Linux, which tells what memory is made of")
def test_its_pages_are_never_huge():
    array = pages.empty((1 << 20,), np.int64)
    address = array.ctypes.data
    mappings = re.findall(r"^(\w+)-(\w+) .*?^VmFlags: (.*?)$", SMAPS.read_text(), re.M | re.S)
    (flags,) = (f for low, high, f in mappings if int(low, 16) <= address < int(high, 16))
    assert "nh" in flags.split()
