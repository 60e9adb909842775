"""The answer, on any engine: the data, the search, those beside it, the best model judged.

An engine hands over who computes as a `Team`; what is here puts the steps in order.
"""

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studykit.run import Run

from hyperparameter_tuning import guards, problem, quality, searches
from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.grid import Grid
from hyperparameter_tuning.jobs import Job, Report, Search
from hyperparameter_tuning.problem import Problem
from hyperparameter_tuning.quality import Judged
from hyperparameter_tuning.register import best_configuration
from hyperparameter_tuning.search_log import SearchFolder
from hyperparameter_tuning.searches import GRID
from hyperparameter_tuning.searching import Searched, run_search
from hyperparameter_tuning.team import Team


@dataclass
class Answer:
    """predicted: of the test part, by the best model; beside: {search: what it found}."""

    problem: Problem
    searched: Searched
    predicted: Any
    judged: Judged | None
    beside: dict[str, tuple[Searched, Judged | None]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)
    bytes_sent: int = 0


def answered(run: Run, team: Team) -> Answer:
    """DataError where the data, or what a killed search left, are wrong."""
    asked = run.parameters
    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        of = problem.read(run)
    folder = _folder(run, of)
    with contextlib.closing(team):
        with run.phase("start", "sending the data to the workers"):
            team.begin(of)
        with run.iterations(f"searching by {asked.kind}") as computed:
            for _ in range(asked.rounds):
                search = search_for(run, asked.kind)
                searched = _searched(run, asked.kind, search, team, folder)
            beside = {
                kind: _searched(run, kind, search_for(run, kind, searched), team, folder)
                for kind in asked.kinds_beside
            }
            seconds = team.seconds()
            computed(seconds)
    return concluded(
        of,
        searched,
        beside=beside,
        said=search.said if isinstance(search, Grid) else [],
        seconds=seconds,
        bytes_sent=team.sent,
    )


def concluded(
    of: Problem,
    searched: Searched,
    *,
    beside: Mapping[str, Searched] | None = None,
    said: Sequence[str] = (),
    seconds: Sequence[dict[str, float]] = (),
    bytes_sent: int = 0,
) -> Answer:
    """What follows from searches that are over: chance is flagged, the best models judged."""
    others = dict(beside or {})
    for one in (searched, *others.values()):
        guards.flag(one.search.trials, of.validation_rows, of.chance, of.accuracy)
    predicted, judged = _judged(of, searched)
    return Answer(
        problem=of,
        searched=searched,
        predicted=predicted,
        judged=judged,
        beside={kind: (one, _judged(of, one)[1]) for kind, one in others.items()},
        said=list(said),
        seconds=list(seconds),
        bytes_sent=bytes_sent,
    )


def search_for(run: Run, kind: str, equal_to: Searched | None = None) -> Search:
    """A search, with the CPU-seconds that another one took, if one is given."""
    asked, seed = run.parameters, run.options.seed % 2**63
    if kind == GRID:
        return searches.grid(asked.axes, seed=seed, epochs=asked.most_epochs)
    budget = None
    if equal_to is not None:
        epochs = sum(trial.epochs for trial in equal_to.search.trials)
        budget = Budget(equal_to.cpu_seconds, equal_to.cpu_seconds / max(epochs, 1))
    return searches.of_networks(
        kind,
        asked.axes,
        seed=seed,
        trials=asked.trials,
        epochs=asked.most_epochs,
        interval=asked.interval,
        budget=budget,
    )


def _folder(run: Run, of: Problem) -> SearchFolder | None:
    asked = run.parameters
    if asked.checkpoint is None:
        return None
    # What a search depends on: all of the parameters but where it is kept and who goes on.
    named = dataclasses.asdict(asked)
    for name in ("checkpoint", "resume", "num_to_keep", "rounds"):
        del named[name]
    header = {"seed": run.options.seed, "data": of.checksum, **named, **of.rows}
    return SearchFolder(asked.checkpoint, header, resume=asked.resume)


def _searched(
    run: Run, kind: str, search: Search, team: Team, folder: SearchFolder | None
) -> Searched:
    asked = run.parameters

    def told(job: Job, report: Report) -> None:
        score = f"{report.scores[-1]:.4f}" if report.scores else "none"
        epochs = job.first_epoch + report.epochs
        run.progress(f"{kind}: trial {job.trial}, epoch {epochs}: {score} ({report.status})")

    return run_search(
        search,
        team,
        None if folder is None else folder.log(kind),
        num_to_keep=asked.num_to_keep,
        together=asked.vectorised,
        progress=told,
    )


def _judged(of: Problem, searched: Searched) -> tuple[Any, Judged | None]:
    if searched.best_state is None:
        return None, None
    predicted = of.predicted(searched.best_state)
    return predicted, of.judged(predicted)


def figures(answer: Answer, kind: str) -> dict[str, Any]:
    """What a record's `quality` says."""
    of, leader = answer.problem, answer.searched.best
    found: dict[str, Any] = {**of.rows}
    if answer.judged is not None:
        found |= {"accuracy": answer.judged.share}
    if leader is not None and leader.best_job is not None:
        step = next(one for one in leader.history if one.job == leader.best_job)
        found |= {"best_configuration": dict(best_configuration(leader)), **of.further(step)}
    return found | quality.figures(
        answer.searched,
        answer.judged,
        chance=of.chance,
        beside=answer.beside,
        name=kind,
        score_is=of.score_is,
        said=answer.said,
    )
