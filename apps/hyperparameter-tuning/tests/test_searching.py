"""A search that is killed ends as one that was not; what is kept, and what is refused."""

from collections.abc import Callable

import pytest
from hyperparameter_tuning.asha import SuccessiveHalving
from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.grid import Grid
from hyperparameter_tuning.jobs import Search
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.random_search import RandomSearch, SingleDefault
from hyperparameter_tuning.search_log import SearchFolder
from hyperparameter_tuning.searching import run_search
from hyperparameter_tuning.space import NETWORK_DEFAULT
from toys import SPACE, Killed, Toy

HEADER = {"study": "hyperparameter-tuning", "data": "abc", "seed": 3, "space": ("a", "b")}
SEARCHES: dict[str, Callable[[], Search]] = {
    "pbt": lambda: PopulationBasedTraining(SPACE, seed=3, trials=5, epochs=6, interval=2),
    "asha": lambda: SuccessiveHalving(
        SPACE, seed=3, trials=6, epochs=4, shortest=1, reduction=2, width=2
    ),
    "random": lambda: RandomSearch(
        SPACE, seed=3, trials=None, epochs=4, interval=2, width=2, budget=Budget(9.5)
    ),
    "default": lambda: SingleDefault(
        SPACE, NETWORK_DEFAULT, seed=3, trials=None, epochs=4, interval=2, budget=Budget(6)
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
