"""The searches that the paper ran, kept as they were, with what is wrong with them said in figures.

Project report on Ray Train and Ray Tune, XGBoost and a CNN; its figures 3 and 4 (`paper`).

Trees: normalised by all rows, divided 80/20, depths 50, 5, 1, 1 and 100 by a grid, 30 rounds each.
- Depth 1 is tried twice: one of five trainings can tell nothing new.
- 50 and 100 are the same trees: no tree of 455 rows grows as deep. So three of five trials differ.
- The test part chooses the best trial and is what it is judged on: the figure is too good by what
  chance gave the winner. What five folds of the training part choose stands beside.
- Ray Data gives workers equal shares, and drops what is left of 455 rows: its train error of
  0.0154525 is 7 of 453. With one worker, or plain, none is lost.
- 31 iterations are shown for 30 rounds: a last report, of the model, is counted.

Networks: learning rate 1e-4 or 1e-2, dropout 0.25 or 0.5, each four times, 30 iterations. Its
accuracies are multiples of 1/128, its names and its decay those of Ray's own example of Keras and
population-based training, which learns from the first 128 training pictures and judges by the first
128 test pictures: a strong inference, and what is done here, by the network of that example, Adam
as the paper says, pixels 0 … 1, batches of 64.
- 128 pictures teach a network of 1.2 million parameters those pictures.
- On 128 pictures an accuracy of a tenth is known to ± 0.05: all of the paper's 16 are chance.
- Those 128 choose the best and judge it. What the best is on the other test pictures stands beside.
- The best trial's row has a dropout of 0.5, the reported best configuration 0.0, which no trial
  had. How it came there is not known; here the paper's 0.0 is put into the best trial's row.

Not kept: the example's shifted and mirrored pictures and its decay; the perturbation, of which
figure 4 shows no trace, for all its rows have values of the grid; 25 epochs in every iteration,
which the paper's parameters may mean; and nothing was seeded. On Ray a tree is trained by all
workers, a network by one; `plain` computes one trial after the other.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

from studykit.records import PLAIN, Check
from studykit.run import Outcome, Run

from hyperparameter_tuning import guards, outcome, outputs, paper, quality
from hyperparameter_tuning.answered import Answered
from hyperparameter_tuning.jobs import DONE, Configuration, Job, Report, Step, Trial
from hyperparameter_tuning.quality import Judged
from hyperparameter_tuning.register import Register, best
from hyperparameter_tuning.searching import Past, Searched

ORACLE = "none: what the paper ran, see what is wrong with it"
NAME = "published"


class Published(Protocol):
    """The paper's data, and how a trial was computed on them."""

    score_is: ClassVar[str]

    @property
    def chance(self) -> float: ...

    @property
    def rows(self) -> dict[str, int]: ...

    def compute(self, job: Job) -> tuple[Report, bytes]: ...

    def accuracy(self, step: Step) -> float | None: ...

    def judged(self, state: bytes) -> Judged:
        """By the rows that chose it."""
        ...

    def further(self, trials: Sequence[Trial], state: bytes) -> dict[str, Any]:
        """Figures of this problem alone, and `wrong`: in words."""
        ...

    def model(self, state: bytes) -> bytes: ...


Compute = Callable[[Published, Sequence[Job]], list[tuple[Report, bytes]]]


def in_turn(of: Published, jobs: Sequence[Job]) -> list[tuple[Report, bytes]]:
    return [of.compute(job) for job in jobs]


def searched(
    run: Run,
    read: Callable[[Run], Published],
    compute: Compute,
    exact: Callable[[Run], Outcome],
) -> Outcome:
    """Every point of the paper's grid, equal ones too, then what is wrong with it.

    `exact`: the exact method in one process, which of trees stands beside.
    """
    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        of = read(run)
    register, jobs = Register(run.options.seed % 2**63), []
    for point in points(run):
        jobs.append(register.job(register.enter(point), run.parameters.epochs or paper.ITERATIONS))
    with run.phase("compute", f"training {len(jobs)} trials of the paper"):
        began = time.monotonic()
        computed = compute(of, jobs)
        wall = time.monotonic() - began
    register.tell([report for report, _ in computed])
    register.finish(DONE)
    guards.flag(register.trials, of.rows["test_rows"], of.chance, of.accuracy)
    leader = best(register.trials)
    number = None if leader is None else leader.best_job
    state = None if number is None else computed[number][1]
    curve = [] if leader is None else [(register.cpu_seconds, wall, float(leader.score or 0.0))]
    found = Searched(Past(register.trials), state, curve, register.cpu_seconds, wall)
    answer = told(run, of, found)
    if run.parameters.study == paper.BREAST_CANCER:
        answer.assess = lambda: beside(run, exact)
    return answer


def beside(run: Run, exact: Callable[[Run], Outcome]) -> dict[str, Any]:
    """The depth that five folds choose, and its model on rows that have chosen nothing."""
    options = dataclasses.replace(run.options, method="exact")
    again = Run(run.study, PLAIN, options, run.parameters, run.dataset, quiet=True)
    found = exact(again).quality
    names = ("best_configuration", "accuracy", "cross_validated")
    return {f"{name}_exact": found[name] for name in names}


def reader(run: Run) -> Callable[[Run], Published]:
    # Here, because either imports libraries that the other does not need.
    if run.parameters.study == paper.BREAST_CANCER:
        from hyperparameter_tuning.published_trees import Trees

        return Trees.read
    from hyperparameter_tuning.published_networks import Networks

    return Networks.read


def points(run: Run) -> list[Configuration]:
    if run.parameters.study == paper.BREAST_CANCER:
        return [{"max_depth": row.max_depth} for row in paper.FIGURE_3]
    rows = paper.FIGURE_4[: run.parameters.trials]
    return [{"learning_rate": row.learning_rate, "dropout": row.dropout} for row in rows]


def told(run: Run, of: Published, found: Searched) -> Outcome:
    state = found.best_state
    judged = None if state is None else of.judged(state)
    further: dict[str, Any] = {"wrong": ["no trial left a model"]}
    if state is not None and judged is not None:
        further = {"accuracy": judged.share, **of.further(found.search.trials, state)}
    figures = quality.figures(
        found, judged, chance=of.chance, name=NAME, score_is=of.score_is, said=further["wrong"]
    )
    figures = {**of.rows, **figures, **further}

    def write(uri: str) -> dict[str, str]:
        model = None if state is None else of.model(state)
        return outputs.write(uri, Answered(run, run.parameters.study, figures, model))

    return Outcome(
        quality=figures,
        check=lambda: Check(oracle=ORACLE),
        write=write,
        bytes_read=run.dataset.bytes,
        summary=[outcome.shown(figures)],
    )
