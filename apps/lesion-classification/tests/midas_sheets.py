"""A spreadsheet of the shape of MRA-MIDAS: 3,154 rows of 19 columns, with its sets of values.

What is used of it, by its first 1,051, 2,102 and all rows, is as many as the paper used.
"""

from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

ROWS = 3154
USED = {1051: 904, 2102: 1843, ROWS: 2670}
"""{first rows of the sheet: rows of them that are used}, from the paper's own data."""
COLUMNS = (
    "", "midas_record_id", "midas_file_name", "midas_iscontrol", "midas_distance", "midas_location",
    "midas_path", "midas_pathreport", "midas_gender", "midas_age", "midas_fitzpatrick",
    "midas_melanoma", "midas_ethnicity", "midas_race", "clinical_impression_1",
    "clinical_impression_2", "clinical_impression_3", "length_(mm)", "width_(mm)",
)  # fmt: skip
MALIGNANT = ("malignant- bcc", "malignant- scc", "malignant- sccis", "malignant- melanoma",
             "malignant- ak", "Malignant- other")  # fmt: skip
BENIGN = ("benign-melanocytic nevus", "benign-seborrheic keratosis", "benign-fibrous papule",
          "benign-dermatofibroma", "benign-hemangioma", "benign-other")  # fmt: skip
NEITHER = ("other- melanocytic lesion with possible re-excision (severe/spitz nevus, aimp)",
           "other- non-neoplastic/inflammatory/infectious", "melanocytic", 0, None)  # fmt: skip
DISTANCES = ("dscope", "6in", "1ft", "n/a - virtual")
SIDES = ("", "left ", "right ", "Lower ", "upper ", "mid ")
PLACES = ("back", "chest", "forearm", "cheek", "thigh", "scalp", "neck", "abdomen", "shoulder",
          "dorsal hand", "foot", "buttock", "groin")  # fmt: skip
USED_COLUMNS = ("midas_file_name", "midas_distance", "midas_location", "midas_path", "midas_gender",
                "midas_age", "midas_melanoma", "length_(mm)", "width_(mm)")  # fmt: skip

Values = dict[str, Any]


def rows(seed: int = 0) -> list[Values]:
    random = np.random.default_rng(seed)
    made: list[Values] = []
    record = 0
    for stop, used in USED.items():
        left = stop - len(made)
        kept = np.zeros(left, bool)
        kept[: used - sum(not_dropped(row) for row in made)] = True
        for is_used in random.permutation(kept):
            record += random.random() < 0.25
            made.append(_row(random, len(made), record, is_used))
    return made


def not_dropped(values: Values) -> bool:
    return str(values["midas_path"]).lower().startswith(("malignant", "benign")) and all(
        values[name] is not None for name in USED_COLUMNS
    )


def _row(random: np.random.Generator, number: int, record: int, used: bool) -> Values:
    def one(choices: tuple[Any, ...]) -> Any:
        return choices[random.integers(len(choices))]

    length = round(float(random.uniform(1, 30)), 1)
    location = one(SIDES) + one(PLACES) + one(("", "\xa0", " "))
    values = {
        "": number,
        "midas_record_id": record,
        "midas_file_name": f"s-prd-{100_000 + number}{one(('.jpg', '.jpeg'))}",
        "midas_iscontrol": "no",
        "midas_distance": one(DISTANCES),
        "midas_location": location,
        "midas_path": one(MALIGNANT if random.random() < 0.51 else BENIGN),
        "midas_pathreport": "free text, with commas\nand lines",
        "midas_gender": one(("male", "female")),
        "midas_age": int(random.integers(18, 95)),
        "midas_fitzpatrick": one(("i pale white skin", "iii beige", None)),
        "midas_melanoma": one(("yes", "no")),
        "midas_ethnicity": one(("yes", "no", None)),
        "midas_race": one(("white", "asian", None)),
        "clinical_impression_1": one(("7-bcc", "1-sk", None)),
        "clinical_impression_2": one(("7-bcc", None)),
        "clinical_impression_3": None,
        "length_(mm)": length,
        "width_(mm)": round(length * 0.6, 1) if random.random() < 0.9 else int(length) + 1,
    }
    if not used:
        _spoil(values, random)
    return values


def _spoil(values: Values, random: np.random.Generator) -> None:
    """As a row that is not used may be: a control, of another path, or with a blank."""
    kind = random.integers(3)
    if kind == 0:
        values |= {"midas_iscontrol": "yes", "midas_path": None, "midas_location": None}
    elif kind == 1:
        values["midas_path"] = NEITHER[random.integers(len(NEITHER))]
    else:
        # The image's name is never blank in the real one.
        values[USED_COLUMNS[random.integers(1, len(USED_COLUMNS))]] = None


def write(path: Path, lines: list[Values], columns: tuple[str, ...] = COLUMNS) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append([name or None for name in columns])
    for values in lines:
        sheet.append([values.get(name) for name in columns])
    book.save(path)
    return path
