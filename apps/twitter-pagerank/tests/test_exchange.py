"""What crosses between hosts, where one of them has two ranks: everything once for each other host.

The ranks are processes of this machine that believe to be elsewhere, each on the host of its place.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch.distributed as dist
from graphs import random_pairs, rank, write_graph
from studykit.engines import host_memory
from studykit.engines.collectives import gather_objects
from studykit.engines.host_memory import Hosts
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from torch.multiprocessing.spawn import start_processes
from twitter_pagerank import run_torch, study, torch_exchange

PLACES = ["one", "one", "other"]


def take_part(number: int, folder: Path) -> None:
    """Rank `number`: the exact method, with a note of every array that it sends elsewhere."""
    graph = folder / "edges.csv"
    crossed: list[dict[int, int]] = []
    send = torch_exchange.transfer

    def noted(sent: Any, received: Any) -> None:
        crossed.append({receiver: array.nbytes for receiver, array in sent.items()})
        send(sent, received)

    host_memory.place = lambda: PLACES[number]
    torch_exchange.transfer = noted
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=number, world_size=len(PLACES)
    )
    dataset = DatasetInfo(name="user", uri=str(graph), bytes=graph.stat().st_size)
    options = Options(workers=len(PLACES), split_size="1kb")
    parameters = study.Parameters(tolerance=1e-13)
    outcome = run_torch.exact(Run(study.STUDY, "torch", options, parameters, dataset, quiet=True))
    all_crossed = gather_objects(crossed)
    if outcome is not None:
        outcome.write(str(folder / "ranks.csv"))
        found = {"crossed": all_crossed, "sent": outcome.bytes_sent, **outcome.quality}
        (folder / "found.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def test_a_contribution_crosses_once_to_every_other_host(tmp_path):
    graph = write_graph(tmp_path / "edges.csv", random_pairs(300, 2000, seed=2))
    # Forked, as an engine's ranks are: each of their own would import torch.
    start_processes(take_part, (tmp_path,), nprocs=len(PLACES), start_method="fork")
    found = json.loads((tmp_path / "found.json").read_text())
    expected = rank(graph)
    assert found["iterations"] == expected.iterations
    written = np.loadtxt(tmp_path / "ranks.csv", delimiter=",", skiprows=1)
    assert np.array_equal(written[:, 0], expected.ids)
    assert np.array_equal(written[:, 1], expected.ranks)
    crossed: Counter[tuple[int, int]] = Counter()
    for sender, transfers in enumerate(found["crossed"]):
        for sent in transfers[1:]:  # The first are the edges.
            crossed.update({(sender, int(receiver)): size for receiver, size in sent.items()})
    assert set(crossed) == {(0, 2), (1, 2), (2, 0)}
    once = 8 * len(expected.ids) * expected.iterations
    assert crossed.total() == once
    assert found["sent"] == 8 * expected.lines * 2 // 3 + once


@pytest.mark.parametrize(
    ("places", "leaders", "others"),
    [("aaa", [0], 0), ("abab", [0, 1], 1), ("aab", [0, 2], 1), ("abc", [0, 1, 2], 2)],
)
def test_the_first_worker_of_a_host_leads_it(places, leaders, others):
    hosts = Hosts(list(places))
    assert (hosts.leaders, hosts.others) == (leaders, others)
    for worker, place in enumerate(places):
        assert hosts.leader(worker) == places.index(place)
        assert [places[other] for other in hosts.elsewhere(worker)] == list(
            places.replace(place, "")
        )
