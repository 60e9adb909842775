"""The figures of the papers' own runs, to be drawn beside ours and never mixed with them.

`published.csv` has one figure to a row. A number that stands in a table or a sentence of a paper is
kept as it is printed there, digit for digit, also where the paper cuts instead of rounding. Times
that a paper only draws, and what it does not show, are known by their authors' result files.
`datasets/README.md` describes the columns.
"""

import csv
import functools
from importlib import resources
from typing import TypedDict

from studykit.errors import UsageError


class PublishedRow(TypedDict):
    study: str
    engine: str
    """`any` where the paper does not tell the engines apart."""
    dataset_or_task: str
    size_gb: float | None
    """As the paper writes it, in what it calls GB."""
    size_bytes: int | None
    """To three digits, where those are other GB than 10⁹ bytes."""
    workers: int | None
    worker_unit: str
    """What the paper counts: nodes, processes or workers."""
    metric: str
    measure: str
    """What was measured under that name; two measures share no axis."""
    value: float | str
    """A number; text where the paper reports that a run did not end."""
    stands_in: str
    """A table or a section of the text, a figure that draws it, or a result file alone."""
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
        size_bytes=int(fields["size_bytes"]) if fields["size_bytes"] else None,
        workers=int(fields["workers"]) if fields["workers"] else None,
        worker_unit=fields["worker_unit"],
        metric=fields["metric"],
        measure=fields["measure"],
        value=_number(fields["value"]),
        stands_in=fields["stands_in"],
        source=fields["source"],
    )


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
