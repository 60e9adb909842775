"""Searches of toy objectives that are over, and their figures of `quality`."""

from hyperparameter_tuning import guards, quality
from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.grid import Grid
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.quality import Judged
from hyperparameter_tuning.random_search import RandomSearch
from hyperparameter_tuning.searching import run_search
from toys import SPACE, Toy

CHANCE = 0.1


def populations(trials=8, epochs=8):
    """Population-based training, and random search under its budget."""
    search = PopulationBasedTraining(SPACE, seed=1, trials=trials, epochs=epochs, interval=2)
    main = run_search(search, Toy())
    beside = RandomSearch(
        SPACE, seed=1, trials=None, epochs=epochs, interval=2, budget=Budget(main.cpu_seconds)
    )
    other = run_search(beside, Toy())
    guards.flag(search.trials, 400, CHANCE)
    guards.flag(beside.trials, 400, CHANCE)
    return main, quality.figures(
        main,
        Judged(70, 100, {"confusion": [[1, 2], [3, 4]]}),
        chance=CHANCE,
        name="pbt",
        beside={"random": (other, Judged(60, 100))},
    )


def depths():
    """A grid of one axis, a point of it twice."""
    search = Grid({"learning_rate": [1e-3, 2e-3, 1e-3], "dropout": [0.25]}, seed=1, epochs=1)
    main = run_search(search, Toy())
    return main, quality.figures(
        main,
        Judged(110, 114),
        chance=0.63,
        name="grid",
        score_is="minus log-loss",
        said=search.said,
    )
