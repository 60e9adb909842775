"""What an engine hands back: the answer with everything that follows from it."""

from typing import Any

from rich.table import Table
from studykit import limits
from studykit.errors import CheckError
from studykit.records import Check
from studykit.run import Outcome, Run

from hyperparameter_tuning import answering, guards, outputs, searches
from hyperparameter_tuning.answered import Answered
from hyperparameter_tuning.answering import Answer

SHOWN = 20
"""Trials in the table on the terminal, the best ones."""


def exact(run: Run, answer: Answer) -> Outcome:
    found = answering.figures(answer, run.parameters.kind)
    state = answer.searched.best_state

    def write(uri: str) -> dict[str, str]:
        model = None if state is None else answer.problem.model(state)
        return outputs.write(uri, Answered(run, run.parameters.study, found, model))

    return Outcome(
        quality=found,
        check=lambda: check(run, answer, found),
        write=write,
        limit=lambda: limits.streaming(run, "read the data once"),
        worker_phases=answer.seconds,
        bytes_read=run.dataset.bytes,
        bytes_sent=answer.bytes_sent,
        summary=[shown(found)],
    )


def check(run: Run, answer: Answer, found: dict[str, Any]) -> Check:
    """The guards, and the best model by other means."""
    oracle = "the data and the best model, read and computed apart"
    kind, trials = run.parameters.kind, answer.searched.search.trials
    best, axes = found["best"], run.parameters.axes
    space, allowed = searches.allowed(kind, axes)
    faults = guards.faults(trials, best and best["configuration"], space, allowed)
    detail: dict[str, Any] = {"at_chance": found["at_chance"]}
    state = answer.searched.best_state
    try:
        if faults:
            raise CheckError("; ".join(faults))
        assert state is not None and answer.judged is not None
        detail |= answer.problem.check(run.dataset.uri, state, answer.predicted, answer.judged)
    except CheckError as error:
        return Check(passed=False, oracle=oracle, detail=detail | {"problem": str(error)})
    return Check(passed=True, oracle=oracle, detail=detail)


def shown(found: dict[str, Any]) -> Table:
    """The trials, best first."""
    table = Table(title=f"{len(found['trials'])} trials by {found['search']}")
    names = list(found["trials"][0]["configuration"])
    for name in ("trial", *names, found["score_is"], "epochs", "CPU s", "status"):
        table.add_column(name, justify="right")
    order = sorted(found["trials"], key=lambda one: -(one["score"] or float("-inf")))
    for one in order[:SHOWN]:
        values = [f"{one['configuration'][name]:.4g}" for name in names]
        score = "none" if one["score"] is None else f"{one['score']:.4f}"
        table.add_row(
            str(one["trial"]), *values, score, str(one["epochs"]),
            f"{one['cpu_seconds']:.2f}", one["status"],
        )  # fmt: skip
    best = found["best"]
    if best and "score" in best:
        low, high = best["interval"]
        table.caption = (
            f"best: trial {best['trial']}, {best['score']:.4f} ({low:.4f} … {high:.4f}) of"
            f" {best['test_rows']} test rows; chance {found['chance']:.4f}"
        )
    if found["at_chance"]:
        table.caption = f"{table.caption or ''}\nat chance: {len(found['at_chance'])} trials"
    if found["said"]:
        table.caption = "\n".join([str(table.caption or ""), *found["said"]])
    return table
