"""Files as people bring them, on every engine: read, or refused in words that help."""

import pytest
from case import CASE
from studytest.contract.brought import Brought

READ = {
    "blanks around names": ("id, x, y, category\n0,0.5,1,A\n1,1.5,2,B\n2,2.5,3,A\n", (), 1.5),
    "a line of blanks": ("id,x,y,category\n0,1,1,A\n   \n1,2,2,A\n", (), 1.5),
    "an unnamed index": (",x,y,category\n0,1,1,A\n1,2,2,A\n", ("--columns", ",x,y,category"), 1.5),
    "a comma in a category": (
        'id,x,y,category\n0,1,1,"Paris, FR"\n1,2,2,B\n', ("--categories", '"Paris, FR",B'), 1.0,
    ),
}  # fmt: skip
"""name → the file, the options it needs, the mean of x in the first category."""
MORE_READ = {
    "quotes in a category": (
        'id,x,y,category\n0,1,1,"""A"""\n1,7,1,"A"\n', ("--categories", '"""A""",A'), 1.0,
    ),
    "blanks behind quotes": (
        '"id" ,"x","y", category\n"0" ,"1" ,1,"A" \n1,"2"\t, "3" ,A\n', (), 1.5,
    ),
}  # fmt: skip
"""By one process: what tells them apart every engine uses."""
REFUSED = {
    "blanks before a category": (
        "id,x,y,category\n0, 1, 1, A\n",
        "line 2, column category: ' A'",
    ),
    "a missing category": (
        "id,x,y,category\n0,1,1,A\n1,2,2,\n",
        "line 3, column category: a missing",
    ),
    "semicolons": ("id;x;y;category\n0;1,5;1;A\n", "semicolons between the names: commas are read"),
    "tabs": ("id\tx\ty\tcategory\n0\t1\t1\tA\n", "tabs between the names: commas are read"),
    "thousands": ('id,x,y,category\n0,"1,234.5",1,A\n', "a thousands separator"),
}
MORE_REFUSED = {
    "a no-break space": ("id,x,y,category\n0,1\u202f234.5,1,A\n", "narrow no-break space (U+202F)"),
    "a word for nothing": (
        "id,x,y,category\n0,NA,1,A\n",
        "line 2, column x: a missing value, 'NA'",
    ),
}


class TestBrought(Brought):
    case = CASE

    @pytest.mark.parametrize("name", READ)
    def test_it_is_read(self, engine, name, joined, tmp_path):
        self.assert_read(engine, joined, tmp_path, *READ[name])

    @pytest.mark.parametrize("name", MORE_READ)
    def test_so_is_this(self, name, tmp_path):
        self.assert_read("plain", (), tmp_path, *MORE_READ[name])

    def assert_read(self, engine, joined, tmp_path, text, argv, mean):
        path = tmp_path / "rows.csv"
        path.write_text(text)
        record = self.called(
            engine, "--data", path, "--workers", 1, *argv, "--results", tmp_path, *joined
        )
        assert record["check"]["passed"] is True
        assert record["quality"]["groups"][0]["mean_x"] == mean

    @pytest.mark.parametrize("name", REFUSED)
    def test_it_is_refused(self, engine, name, joined, tmp_path):
        text, words = REFUSED[name]
        self.refusal(engine, joined, tmp_path / "rows.csv", text.encode(), words)

    @pytest.mark.parametrize("name", MORE_REFUSED)
    def test_so_is_that(self, name, tmp_path):
        text, words = MORE_REFUSED[name]
        self.refusal("plain", (), tmp_path / "rows.csv", text.encode(), words)

    def test_a_column_in_names_of_folders_is_pointed_out(self, tmp_path):
        path = tmp_path / "category=A" / "rows.csv"
        path.parent.mkdir()
        path.write_text("id,x,y\n0,1,1\n")
        line = self.refused("plain", 2, "--data", tmp_path, "--workers", 1, "--results", tmp_path)
        assert f"{path}, line 1: no column 'category'" in line and "category=… are not" in line
