"""What an engine hands back: the answer with everything that follows from it."""

from rich.table import Table
from studykit import limits, storage
from studykit.run import Outcome, Run

from lesion_classification import answering, lesions, metrics, oracle, outputs
from lesion_classification.answering import Answer
from lesion_classification.leak import Leak


def exact(run: Run, answer: Answer, bytes_sent: int) -> Outcome:
    assert answer.data is not None
    table = sum(map(storage.size, lesions.tables_in(run.dataset.uri)))
    threads = run.options.worker_count * run.options.threads
    leak = Leak(run.parameters.folds, answer.data, list(answer.results), threads)
    return Outcome(
        quality=answering.quality(answer),
        assess=lambda: leak.figures,
        check=lambda: oracle.check(run, answer),
        write=lambda uri: outputs.write(uri, run, answer, leak),
        limit=lambda: limits.streaming(run, "read the table and the images once"),
        worker_phases=answer.seconds,
        bytes_read=table + answer.bytes_read,
        bytes_sent=bytes_sent,
        summary=[shown(answer)],
    )


def shown(answer: Answer) -> Table:
    """Mean and standard deviation of each figure over the folds."""
    found = answering.quality(answer)
    title = f"{found['images']:,} images of {found['groups']:,} lesions, {found['folds']} folds"
    table = Table(title=title)
    table.add_column("figure")
    table.add_column("mean ± standard deviation", justify="right")
    for name in metrics.NAMES:
        if found[name] is not None:
            table.add_row(name, f"{found[name]:.4f} ± {found[f'{name}_std']:.4f}")
    if found["groups_shared_by_folds"]:
        table.caption = (
            f"{found['groups_shared_by_folds']:,} lesions stand in several folds: their images are"
            " known when they are tested, and all figures are too high"
        )
    return table
