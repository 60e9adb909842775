"""Where a table is in the text of a paper.

The papers are no part of this repository. Each is a text file that begins with its number
(`1-….txt`), cells apart by tabs, in the folder `papers` beside that of the real samples.
"""

import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

Key = tuple[str, str, float | None, int | None, str]
"""Engine, data set or task, GB as the paper counts them, workers, metric: columns of the file."""
Numbers = dict[Key, float]
"""What a table's cells are of, and the number that is printed there."""
Row = list[str]
"""The cells of a line."""
Lines = Callable[[str], list[str]]
"""The text of a paper → the lines of a table."""


class Table(NamedTuple):
    """Where a table is in its text, and what its lines say."""

    lines: Lines
    numbers: Callable[[list[Row]], Numbers]

    def read(self, text: str) -> Numbers:
        return self.numbers([line.rstrip("\t").split("\t") for line in self.lines(text)])


def text_of(paper: int) -> str:
    """Skips the test where the paper's text is not there."""
    samples = os.environ.get("STUDY_SAMPLES")
    folder = Path(samples).parent / "papers" if samples else None
    found = sorted(folder.glob(f"{paper}-*.txt")) if folder else []
    if not found:
        pytest.skip(f"paper {paper} is not here: no folder papers beside that of STUDY_SAMPLES")
    return found[0].read_text("utf-8")


def below(heading: str, which: int = 0) -> Lines:
    """The first lines with tabs from the heading's line on, down to one without."""

    def lines(text: str) -> list[str]:
        begin = list(re.finditer(heading, text, re.MULTILINE))[which].start()
        rest = itertools.dropwhile(lambda line: "\t" not in line, text[begin:].splitlines())
        return list(itertools.takewhile(lambda line: "\t" in line, rest))

    return lines


def above(caption: str) -> Lines:
    """The lines with tabs between the figure before the caption and the caption."""

    def lines(text: str) -> list[str]:
        found = re.search(caption, text, re.MULTILINE)
        assert found, caption
        before = re.split(r"^Figure \d+:", text[: found.start()], flags=re.MULTILINE)[-1]
        return [line for line in before.splitlines() if "\t" in line]

    return lines


def matching(pattern: str) -> Lines:
    return lambda text: [line for line in text.splitlines() if re.match(pattern, line)]
