"""Ranks take the steps of one process, also where some of them die."""

import socket
from functools import partial

import pytest
import torch
from studytest.process_ranks import processes
from studytrain import process_group
from studytrain.checkpoints import Packed
from studytrain.local_ranks import LocalRanks
from studytrain.process_group import Meeting
from studytrain.ranks import RESTARTS, RankDied, start
from training_ranks import ROWS, DyingRank, die, die_once, make_or_die, plan, run


def losses(training):
    return [epoch["loss"] for epoch in training.history]


@pytest.fixture(scope="module", params=[(torch.float64, 1e-6), (torch.float32, 1e-4)])
def alone(request):
    dtype, tolerance = request.param
    ranks = LocalRanks(1)
    return run(ranks, plan(dtype)), dtype, tolerance


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_loss_is_that_of_one_process(alone, count):
    calm, dtype, tolerance = alone
    with processes(count) as ranks:
        found = run(ranks, plan(dtype))
    assert losses(found) == pytest.approx(losses(calm), rel=tolerance)
    assert losses(found)[-1] < losses(found)[0]
    assert [row for rows in found.answers for row in rows] == list(range(ROWS))
    assert (found.bytes_sent > 0) == (count > 1)
    assert len(found.seconds) == count and len(found.communicate_by_epoch) == 4
    assert all((spent["communicate"] > 0) == (count > 1) for spent in found.seconds)


@pytest.mark.parametrize(("rank", "epoch"), [(0, 1), (1, 3)])
def test_a_rank_that_dies_changes_nothing(rank, epoch, tmp_path):
    with processes(2) as ranks:
        calm = run(ranks, plan())
        kept: list[Packed] = []
        died: list[Exception] = []
        disturbed = run(
            ranks,
            plan(
                dies=(rank, epoch, str(tmp_path / "died")),
                keep=kept.append,
                died=died.append,
            ),
        )
    assert (tmp_path / "died").exists() and disturbed.restarts == len(died) == 1
    assert losses(disturbed) == pytest.approx(losses(calm), rel=1e-12)
    assert len(kept) == 4 and kept[-1] is disturbed.checkpoint


@pytest.mark.parametrize("early", ["start", "build"])
def test_a_rank_that_dies_before_it_trains_changes_nothing(early, tmp_path):
    file = tmp_path / "died"
    with processes(2) as ranks:
        calm = run(ranks, plan())
        if early == "start":
            disturbed = run(ranks, plan(prepare=partial(die_once, file)))
        else:
            make = partial(make_or_die, file)
            disturbed = run(ranks, plan(make=make))
    assert file.exists() and losses(disturbed) == pytest.approx(losses(calm), rel=1e-12)


def test_ranks_that_always_die_as_they_start_are_given_up():
    with processes(2) as ranks, pytest.raises(RankDied):
        start(ranks, plan(prepare=die))


def test_ranks_that_die_again_and_again_are_given_up():
    with processes(2) as ranks, pytest.raises(RankDied, match=f"died {RESTARTS + 1} times"):
        run(ranks, plan(make=DyingRank))


def test_a_group_is_left_and_joined_again_in_the_same_processes():
    with processes(2) as ranks:
        ranks.place()
        ports = []
        for key in (b"a" * 16, b"b" * 16):
            addresses = ranks.call("listen")
            ranks.call("join", Meeting(addresses, key))
            ranks.call("build", plan().make, *plan().arguments)
            first, second = ranks.call("epoch", {}, [])
            assert first.figures == second.figures and first.bytes_sent > 0
            ranks.call("leave")
            ports += [port for _, port in addresses]
        for port in ports:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), 1)


def test_one_rank_sends_nothing():
    assert process_group.world_size() == 1
    ones = torch.ones(3)
    assert process_group.all_reduce(ones).tolist() == [1, 1, 1]


def test_a_stranger_is_not_taken_for_a_rank():
    with processes(2) as ranks:
        ranks.place()
        addresses = ranks.call("listen")
        strangers = [socket.create_connection(addresses[0], 1) for _ in range(2)]
        strangers[0].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        strangers[1].close()
        ranks.call("join", Meeting(addresses, b"k" * 16))
        ranks.call("build", plan().make, *plan().arguments)
        first, second = ranks.call("epoch", {}, [])
        assert first.figures == second.figures
        strangers[0].close()
