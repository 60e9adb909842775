"""The figures of a record's `quality`: what was found, by which trials, at which price.

All of it is JSON. Scores of trials are of the validation part and chose the best; `score` of the
best is of the untouched test part, which chose nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hyperparameter_tuning import guards, lineage
from hyperparameter_tuning.jobs import AT_CHANCE, Step, Trial
from hyperparameter_tuning.register import best_configuration
from hyperparameter_tuning.searching import Searched


@dataclass(frozen=True)
class Judged:
    """The best model on the untouched test part: `right` of `count`, and further figures."""

    right: int
    count: int
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        return self.right / self.count


def figures(
    searched: Searched,
    judged: Judged | None,
    *,
    chance: float,
    beside: Mapping[str, tuple[Searched, Judged | None]] | None = None,
    name: str = "search",
    score_is: str = "validation accuracy",
    said: Sequence[str] = (),
) -> dict[str, Any]:
    """Of the search that was asked for, `name`, and of those beside it.

    Flag the trials (`guards.flag`) before.
    """
    searches = {name: (searched, judged), **(beside or {})}
    return {
        "best": best(searched, judged, chance),
        "score_is": score_is,
        "search": name,
        "chance": chance,
        "at_chance": at_chance(searched.search.trials),
        "trials": [trial_row(trial) for trial in searched.search.trials],
        "best_so_far": curve(searched),
        "lineage": lineage.figures(searched.search.trials),
        "searches": {
            one: summary(of, on_tests, chance) for one, (of, on_tests) in searches.items()
        },
        "said": list(said),
    }


def best(searched: Searched, judged: Judged | None, chance: float) -> dict[str, Any] | None:
    """The best trial and its model on the test part; None where no trial left a model."""
    leader = searched.best
    if leader is None or leader.best_job is None:
        return None
    found: dict[str, Any] = {
        "trial": leader.number,
        "job": leader.best_job,
        "configuration": dict(best_configuration(leader)),
        "validation_score": leader.score,
        "lineage": lineage.rows(searched.search.trials, leader.best_job),
    }
    if judged is not None:
        found |= {
            "score": judged.share,
            "interval": list(guards.interval(judged.right, judged.count)),
            "test_rows": judged.count,
            "at_chance": guards.at_chance(judged.share, judged.count, chance),
            **judged.figures,
        }
    return found


def trial_row(trial: Trial) -> dict[str, Any]:
    """Score and configuration are of the same job, the trial's best."""
    scored = trial.best_job is not None
    return {
        "trial": trial.number,
        "configuration": dict(best_configuration(trial) if scored else trial.configuration),
        "score": trial.score,
        "epochs": trial.epochs,
        "cpu_seconds": trial.cpu_seconds,
        "parent": trial.parent,
        "status": trial.status,
        "figures": dict(_best_figures(trial)),
        "history": [_step_row(step) for step in trial.history],
    }


def _best_figures(trial: Trial) -> Mapping[str, float]:
    """At the end of the job that its score is of."""
    return next((step.figures for step in trial.history if step.job == trial.best_job), {})


def _step_row(step: Step) -> dict[str, Any]:
    return {
        "job": step.job,
        "epochs": [step.first_epoch, step.first_epoch + step.epochs],
        "configuration": dict(step.configuration),
        "score": step.score,
        "copied_from": step.copied_from,
    }


def at_chance(trials: Sequence[Trial]) -> list[int]:
    return [trial.number for trial in trials if trial.status == AT_CHANCE]


def curve(searched: Searched) -> list[list[float]]:
    """[CPU-seconds, wall seconds, best validation score], whenever it rose, and at the end."""
    return [list(point) for point in searched.best_so_far]


def summary(searched: Searched, judged: Judged | None, chance: float) -> dict[str, Any]:
    trials = searched.search.trials
    return {
        "best": best(searched, judged, chance),
        "trials": len(trials),
        "at_chance": len(at_chance(trials)),
        "epochs": sum(trial.epochs for trial in trials),
        "cpu_seconds": searched.cpu_seconds,
        "wall_seconds": searched.wall_seconds,
        "trials_per_cpu_second": len(trials) / searched.cpu_seconds
        if searched.cpu_seconds
        else None,
        "best_so_far": curve(searched),
        "replayed_jobs": searched.replayed,
    }
