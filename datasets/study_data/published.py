"""The figures that the papers printed, to be drawn beside ours and never mixed with them.

`published.csv` has one figure to a row. Where a paper shows a figure only as a drawing, the value
was read off it; `source` names the paper.
"""

import csv
import functools
from importlib import resources
from typing import TypedDict

from studykit.errors import UsageError


class PublishedRow(TypedDict):
    study: str
    engine: str
    dataset_or_task: str
    size_gb: float | None
    workers: int | None
    worker_unit: str
    """What the paper counts: nodes, processes or workers."""
    metric: str
    value: float | str
    """A number; text where the paper reports that a run did not end."""
    source: str


def rows(study: str) -> list[PublishedRow]:
    """The figures of one study, in the file's order; UsageError where no paper has any."""
    found = [row for row in _all_rows() if row["study"] == study]
    if not found:
        known = ", ".join(sorted({row["study"] for row in _all_rows()}))
        raise UsageError(f"no published figures of '{study}': there are {known}")
    return found


@functools.cache
def _all_rows() -> tuple[PublishedRow, ...]:
    text = resources.files("study_data").joinpath("published.csv").read_text("utf-8")
    return tuple(_typed(fields) for fields in csv.DictReader(text.splitlines()))


def _typed(fields: dict[str, str]) -> PublishedRow:
    return PublishedRow(
        study=fields["study"],
        engine=fields["engine"],
        dataset_or_task=fields["dataset_or_task"],
        size_gb=float(fields["size_gb"]) if fields["size_gb"] else None,
        workers=int(fields["workers"]) if fields["workers"] else None,
        worker_unit=fields["worker_unit"],
        metric=fields["metric"],
        value=_number(fields["value"]),
        source=fields["source"],
    )


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
