"""A search that is killed ends as one that was not, whoever computes it."""

import dataclasses
from collections.abc import Callable

import pytest
from hyperparameter_tuning.asha import SuccessiveHalving
from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.grid import Grid
from hyperparameter_tuning.jobs import Search
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.random_search import RandomSearch
from hyperparameter_tuning.search_log import SearchFolder
from hyperparameter_tuning.searching import run_search
from hyperparameter_tuning.space import NETWORK_DEFAULT, point
from studytest import running
from toys import SPACE, Killed, Toy

HEADER = {"study": "hyperparameter-tuning", "data": "abc", "seed": 3, "space": ("a", "b")}
SEARCHES: dict[str, Callable[[], Search]] = {
    "pbt": lambda: PopulationBasedTraining(SPACE, seed=3, trials=4, epochs=6, interval=2),
    "asha": lambda: SuccessiveHalving(
        SPACE, seed=3, trials=6, epochs=4, shortest=1, reduction=2, width=2
    ),
    "random": lambda: RandomSearch(
        SPACE, seed=3, trials=None, epochs=4, interval=2, width=2, budget=Budget(9.5)
    ),
    "default": lambda: RandomSearch(
        point(NETWORK_DEFAULT), seed=3, trials=None, epochs=4, interval=2, budget=Budget(6)
    ),
    "grid": lambda: Grid(
        {"learning_rate": [1e-3, 2e-3, 1e-3], "dropout": [0.25]}, seed=3, epochs=2
    ),
}


def log_in(folder, name, *, resume):
    return SearchFolder(str(folder), HEADER, resume=resume).log(name)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_cut_at_any_report_ends_as_an_undisturbed_one(tmp_path, name):
    whole = Toy()
    undisturbed = run_search(SEARCHES[name](), whole)
    assert undisturbed.best is not None and len(whole.computed) > 1
    for cut in range(len(whole.computed)):
        folder = tmp_path / str(cut)
        with pytest.raises(Killed):
            run_search(SEARCHES[name](), Toy(killed_after=cut), log_in(folder, name, resume=False))
        rest = Toy()
        resumed = run_search(SEARCHES[name](), rest, log_in(folder, name, resume=True))
        assert resumed.search.trials == undisturbed.search.trials
        assert resumed.best_state == undisturbed.best_state
        assert resumed.cpu_seconds == undisturbed.cpu_seconds
        assert resumed.replayed == cut
        # Nothing is computed again.
        assert rest.computed == whole.computed[cut:]


@pytest.mark.parametrize("name", ["pbt", "random"])
def test_jobs_computed_together_are_computed_again_together(tmp_path, name):
    """Of a trainer that rounds otherwise for fewer jobs at a time."""
    whole = Rounding()
    undisturbed = run_search(SEARCHES[name](), whole, together=True)
    for cut in (1, 3, 7):
        folder = tmp_path / str(cut)
        with pytest.raises(Killed):
            run_search(
                SEARCHES[name](),
                Rounding(killed_after=cut),
                log_in(folder, name, resume=False),
                together=True,
            )
        rest = Rounding()
        resumed = run_search(
            SEARCHES[name](), rest, log_in(folder, name, resume=True), together=True
        )
        assert resumed.search.trials == undisturbed.search.trials
        assert resumed.best_state == undisturbed.best_state
        assert resumed.replayed == len(whole.computed) - len(rest.computed) <= cut


class Rounding(Toy):
    """Its scores depend on how many jobs are computed at a time."""

    def train(self, jobs, states):
        for report, state in super().train(jobs, states):
            scores = [score + len(jobs) * 1e-9 for score in report.scores]
            yield dataclasses.replace(report, scores=scores), state


def test_a_search_killed_by_the_system_goes_on(tmp_path):
    """SIGKILL in the middle of a write or of a job, as it comes."""
    undisturbed = run_search(SEARCHES["pbt"](), Toy())
    child = running.start_python("-c", ENDLESS.format(folder=str(tmp_path / "s")))
    running.wait_for_line(child, "job 7 begins")
    child.kill()
    child.communicate(timeout=60)
    resumed = run_search(SEARCHES["pbt"](), Toy(), log_in(tmp_path / "s", "pbt", resume=True))
    assert 7 <= resumed.replayed <= 10
    assert resumed.search.trials == undisturbed.search.trials
    assert resumed.best_state == undisturbed.best_state


ENDLESS = """
import sys, time, test_searching, toys
from hyperparameter_tuning.searching import run_search

class Slow(toys.Toy):
    def one(self, job, state):
        print(f"job {{job.number}} begins", file=sys.stderr, flush=True)
        time.sleep(0.05 if job.number < 10 else 3600)
        return super().one(job, state)

log = test_searching.log_in({folder!r}, "pbt", resume=False)
run_search(test_searching.SEARCHES["pbt"](), Slow(), log)
"""
