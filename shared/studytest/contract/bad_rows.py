"""Rows that cannot be read, skipped where that is asked: the same ones on every engine."""

from pathlib import Path

import pytest
from studykit import records

from studytest.contract.answers import PlainAnswer
from studytest.contract.of_study import Joining

BAD_LINES = (b"no row of any table\n", b'"a quote that is not closed\n', b"\0\n")
SKIP = ("--bad-rows", "skip")


class BadRows(PlainAnswer):
    @pytest.fixture(scope="class")
    def spoilt(
        self, data: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> tuple[Path, list[int]]:
        """The valid input with bad lines in it, and their numbers."""
        lines = data.read_bytes().splitlines(keepends=True)
        places = [len(lines) // 4, len(lines) // 2, len(lines) - 1]
        for place, bad in reversed(list(zip(places, BAD_LINES, strict=True))):
            lines.insert(place, bad)
        path = tmp_path_factory.mktemp("spoilt") / data.name
        path.write_bytes(b"".join(lines))
        return path, [place + 1 + before for before, place in enumerate(places)]

    def test_every_engine_skips_the_same_rows(
        self,
        skipping: str,
        spoilt: tuple[Path, list[int]],
        plain: records.Record,
        joining: Joining,
        tmp_path: Path,
    ) -> None:
        path, numbers = spoilt
        found = self.answer(
            skipping, path, tmp_path, "--workers", 2, "--split-size", self.case.split_size,
            *SKIP, *joining(skipping),
        )  # fmt: skip
        self.case.same(found, plain.quality)
        bad = found["bad_rows"]
        assert [(row["file"], row["line"]) for row in bad["first"]] == [
            (str(path), number) for number in numbers
        ]
        assert (bad["rows"], bad["skipped"]) == (len(BAD_LINES), len(BAD_LINES))
        assert sum(bad["reasons"].values()) == len(BAD_LINES)

    @pytest.mark.quick
    def test_they_are_refused_unless_that_is_asked_for_and_they_are_few(
        self, lenient: str, spoilt: tuple[Path, list[int]], tmp_path: Path
    ) -> None:
        path, numbers = spoilt
        argv = ("--data", path, "--workers", 1, "--results", tmp_path)
        line = self.refused(lenient, 2, *argv)
        assert f"{path}, line {numbers[0]}" in line and "--bad-rows skip" in line
        line = self.refused(lenient, 2, *argv, *SKIP, "--bad-rows-limit", "0")
        assert f"{path}, line {numbers[0]}: {len(BAD_LINES)} of " in line
        assert "--bad-rows-limit 0" in line
