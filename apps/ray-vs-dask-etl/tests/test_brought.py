"""Files as people bring them: read, or refused in words that help."""

import pytest
from case import CASE
from studytest.contract.of_study import OfStudy

READ = {
    "blanks around names": ("id, x, y, category\n0,0.5,1,A\n1,1.5,2,B\n2,2.5,3,A\n", (), 1.5),
    "a line of blanks": ("id,x,y,category\n0,1,1,A\n   \n1,2,2,A\n", (), 1.5),
    "an unnamed index": (",x,y,category\n0,1,1,A\n1,2,2,A\n", ("--columns", ",x,y,category"), 1.5),
    "a comma in a category": (
        'id,x,y,category\n0,1,1,"Paris, FR"\n1,2,2,B\n', ("--categories", '"Paris, FR",B'), 1.0,
    ),
    "quotes in a category": (
        'id,x,y,category\n0,1,1,"""A"""\n1,7,1,"A"\n', ("--categories", '"""A""",A'), 1.0,
    ),
}  # fmt: skip
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


class TestBrought(OfStudy):
    case = CASE

    @pytest.mark.parametrize("name", READ)
    def test_it_is_read(self, name, tmp_path):
        text, argv, mean = READ[name]
        path = tmp_path / "rows.csv"
        path.write_text(text)
        record = self.called("plain", "--data", path, "--workers", 1, *argv, "--results", tmp_path)
        assert record["check"]["passed"] is True
        assert record["quality"]["groups"][0]["mean_x"] == mean

    @pytest.mark.parametrize("name", REFUSED)
    def test_it_is_refused(self, name, tmp_path):
        text, words = REFUSED[name]
        path = tmp_path / "rows.csv"
        path.write_text(text)
        line = self.refused("plain", 2, "--data", path, "--workers", 1, "--results", tmp_path)
        assert words in line and str(path) in line
