"""What an engine hands back: the answer with everything that follows from it."""

from rich.table import Table
from studykit import limits
from studykit.run import Outcome, Run

from synthetic_classifiers import oracle, outputs, training
from synthetic_classifiers.training import Answer


def exact(run: Run, answer: Answer, bytes_sent: int) -> Outcome:
    found = training.quality(answer)
    return Outcome(
        quality=found,
        assess=lambda: training.further(answer, found),
        check=lambda: oracle.check(run, answer),
        write=lambda uri: outputs.write(uri, answer.rows, answer.labels, answer.trained),
        limit=lambda: limits.streaming(run, "read the input once"),
        worker_phases=answer.seconds,
        bytes_read=run.dataset.bytes,
        bytes_sent=bytes_sent,
        unconverged="; ".join(
            one.fitted.unconverged for one in answer.trained.values() if one.fitted.unconverged
        )
        or None,
        summary=[table(answer)],
    )


def table(answer: Answer) -> Table:
    """A line for every classifier."""
    shown = Table(title=f"{len(answer.labels):,} test samples")
    for column in ("classifier", "accuracy", "95 %", "trained in", "predicted in"):
        shown.add_column(column, justify="left" if column == "classifier" else "right")
    for name, one in training.quality(answer)["algorithms"].items():
        trained = answer.trained[name]
        low, high = one["accuracy_interval"]
        shown.add_row(
            name, f"{one['accuracy']:.4f}", f"{low:.4f} - {high:.4f}",
            f"{trained.trained_in:.2f} s", f"{trained.predicted_in:.2f} s",
        )  # fmt: skip
    return shown
