"""What a study's case makes of the contract that all studies share."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from sample_study.study import STUDY
from studytest.case import StudyCase
from studytest.contract.of_study import OfStudy


class Asked:
    """A test with these arguments, as pytest shows it; keeps what they are given."""

    def __init__(self, *names: str) -> None:
        self.fixturenames = names
        self.definition = self
        self.given: dict[str, list[object]] = {}

    def iter_markers(self, name: str) -> list[object]:
        """It names no engines of its own."""
        return []

    def parametrize(self, name: str, values: Iterable[object], scope: str | None = None) -> None:
        assert scope is None  # No test here asks to share anything.
        self.given[name] = list(values)


def one_case(unconverged: tuple[object, ...] | None) -> StudyCase:
    return StudyCase(
        study=STUDY,
        write=lambda folder: folder / "numbers.csv",
        same=lambda found, right: None,
        rows=lambda quality: 3,
        launch=Path("launch"),
        data_module="numbers",
        large_size="1gb",
        endless=(),
        working="working",
        long=(),
        damages={},
        damaged=lambda folder: (folder, ""),
        damaged_split_size="1kb",
        wrong_usage=[],
        outs=(),
        written=lambda out, quality: None,
        unconverged=unconverged,
    )


@pytest.mark.parametrize(
    ("said", "runs"),
    [(None, []), (("--rounds", 1), [("--rounds", 1)])],
    ids=["of one pass", "of iterations"],
)
def test_only_a_study_that_says_how_not_to_converge_is_tried(said, runs):
    class Test(OfStudy):
        case = one_case(said)

    asked = Asked("unconverged", "tmp_path")
    Test().pytest_generate_tests(asked)
    assert asked.given == {"unconverged": runs}
