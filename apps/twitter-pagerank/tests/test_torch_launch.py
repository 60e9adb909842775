"""Ranks wait for their launcher, and end with it."""

import multiprocessing
import os
import signal
import time

from studykit.engines import torch_launch


def test_a_rank_that_has_begun_leaves_to_others_what_they_are_told():
    waiting, telling = os.pipe()

    def begun():
        os.close(telling)
        torch_launch._end_with_launcher(waiting)

    rank = multiprocessing.get_context("fork").Process(target=begun)
    rank.start()
    os.write(telling, torch_launch.BEGIN.pack(1.5))
    time.sleep(0.3)
    assert rank.is_alive()
    assert torch_launch.BEGIN.unpack(os.read(waiting, torch_launch.BEGIN.size)) == (1.5,)
    os.close(telling)
    rank.join(10)
    assert rank.exitcode == -signal.SIGTERM
    os.close(waiting)
