"""A file is what its bytes are, not what its name says.

For a class of its own, because tests on every engine share what they join.
"""

from pathlib import Path

import pytest
from studykit import records

from studytest.contract.answers import PlainAnswer
from studytest.forms import FOREIGN, NAMED


class Brought(PlainAnswer):
    @pytest.mark.parametrize("form", NAMED)
    def test_a_file_is_read_whatever_its_name(
        self, engine: str, form: str, data: Path, plain: records.Record,
        joined: tuple[object, ...], tmp_path: Path,
    ) -> None:  # fmt: skip
        name, made_of = NAMED[form]
        path = tmp_path / name
        path.write_bytes(made_of(data.read_bytes()))
        found = self.answer(engine, path, tmp_path / "results", "--workers", 1, *joined)
        self.case.same(found, plain.quality)

    @pytest.mark.parametrize("form", ["zip", "UTF-16"])
    def test_what_is_no_text_is_refused_on_every_engine(
        self, engine: str, form: str, data: Path, joined: tuple[object, ...], tmp_path: Path
    ) -> None:
        made_of, said = FOREIGN[form]
        path, content = tmp_path / data.name, made_of(data.read_bytes())
        assert self.refusal(engine, joined, path, content, said).isprintable()

    def refusal(
        self, engine: str, joined: tuple[object, ...], path: Path, content: bytes, *said: str
    ) -> str:
        """The line in which a file of this content is refused: it names the file, and says this."""
        path.write_bytes(content)
        results = path.parent / "results"
        line = self.refused(
            engine, 2, "--data", path, "--workers", 1, "--results", results, *joined
        )
        for words in (str(path), *said):
            assert words in line
        return line
