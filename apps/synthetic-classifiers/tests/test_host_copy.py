"""One copy of the training samples on every host, whoever read them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from studykit.engines.host_memory import Hosts
from synthetic_classifiers import dividing, host_copy, team, worker
from synthetic_classifiers.dividing import Division
from synthetic_classifiers.team import Step
from synthetic_classifiers.worker import Worker
from tables import classification

ROWS = [40, 0, 25, 60, 31, 7, 90]


class HereTeam:
    """Workers of one process that believe themselves on these hosts."""

    def __init__(self, places: Sequence[str]) -> None:
        self.phase, self.sent, self.brought = "load", 0, 0
        self.places = places
        self.workers = [Worker(number, len(places)) for number in range(len(places))]

    def on_all(self, step: Step, *arguments: Any) -> list[Any]:
        if step is host_copy.place:
            return list(self.places)
        return [one.call(self.phase, step, *arguments) for one in self.workers]

    def bring(self, hosts: Hosts, give: Step, take: Step) -> None:
        given = [one.call(self.phase, give) for one in self.workers]
        for leader, elsewhere in team.takers(hosts).items():
            self.brought += len(elsewhere)
            self.workers[leader].call(self.phase, take, [given[other] for other in elsewhere])


PLACES = {"one worker": ["a"], "one host": ["a"] * 3, "two hosts": ["a", "b", "a"],
          "three hosts": ["a", "b", "c"]}  # fmt: skip


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_every_host_has_all_training_samples_in_their_order(places):
    features, labels = classification(sum(ROWS))
    starts, division = np.cumsum([0, *ROWS]), Division.of(ROWS, 3)
    here = HereTeam(places)
    for one in here.workers:
        one.loaded = [
            (features[starts[split] : starts[split + 1]], labels[starts[split] : starts[split + 1]])
            for split in range(one.number, len(ROWS), one.count)
        ]
    here.on_all(worker.divide, division, 3, 2)
    hosts = host_copy.share_training_samples(here, division, 10)
    tests = dividing.tests_of(0, sum(ROWS), 3)
    for one in here.workers:
        assert np.array_equal(one.host_features, features[~tests])
        assert np.array_equal(one.host_labels, labels[~tests])
        assert "host copy" not in one.kept
    assert here.brought == {1: 0, 2: 3, 3: 6}[len(set(places))]

    def numbered(one: Worker) -> host_copy.Arrays:
        return {"number": np.array([one.number]), "none": np.empty((0, 3), np.float32)}

    host_copy.share_arrays(here, hosts, numbered)
    for one in here.workers:
        mates = [n for n, place in enumerate(places) if place == places[one.number]]
        assert [int(arrays["number"][0]) for arrays in one.kept["arrays"]] == mates
        assert all(arrays["none"].shape == (0, 3) for arrays in one.kept["arrays"])
        one.close()
