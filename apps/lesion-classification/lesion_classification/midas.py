"""The layout of MRA-MIDAS (Stanford AIMI, doi 10.71718/15nz-jv40): a spreadsheet of 19 columns
beside a folder of images.

The label is in the text of the pathologist's path: it holds "malignant", else "benign", else the
row is not used. As in the paper's code a row with a blank in what is used is dropped, and hundreds
of spellings of locations are put into twelve groups by the first that fits. Images of one record,
taken from other distances or of other places on one body, are a group.
"""

import re
from collections.abc import Mapping

from lesion_classification.layout import Dropped, Layout, Row, filled, number, one_of

RECORD, IMAGE, PATH = "midas_record_id", "midas_file_name", "midas_path"
CONTROL = "midas_iscontrol"
NUMBERS = ("midas_age", "length_(mm)", "width_(mm)")
CATEGORIES = ("midas_gender", "midas_distance", "midas_location")
MELANOMA = "midas_melanoma"
"""A clinician's yes or no, not the pathologist's."""
YES_NO = ("yes", "no")
GENDERS = ("male", "female")
DISTANCES = ("dscope", "6in", "1ft", "n/a - virtual")
LOCATIONS = {
    "back": "back|scapula|flank|spine|lumbar",
    "chest": "chest|breast|sternum|clavic",
    "arm": "arm|elbow|wrist|bicep|tricep",
    "face": r"(?<!sur)face|cheek|nose|nasal|forehead|temple|\blip|chin\b|jaw|brow\b|\beye",
    "leg": r"leg|thigh|calf|knee|\bshin|ankle|tibia",
    "head": r"head|scalp|\bear|vertex|occip|pariet",
    "neck": "neck|nape",
    "abdomen": "abd|belly|umbilic",
    "shoulder": "shoulder|deltoid|axilla",
    "hand": "hand|finger|thumb|palm",
    "foot": r"foot|feet|\btoe|heel|plantar|\bsole\b",
}
"""What a location holds that is of the group; the first group of which it holds one."""
OTHER = "other"
BLANK = frozenset(("", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan"))
"""What pandas, by which the paper reads the sheet, takes for a blank."""


def group_of(location: str) -> str:
    text = location.lower()
    return next((group for group, words in LOCATIONS.items() if re.search(words, text)), OTHER)


def row(values: Mapping[str, str]) -> Row | Dropped:
    path = values[PATH].lower()
    if values.get(CONTROL, "").strip().lower() == "yes":
        return Dropped("a control")
    if "malignant" not in path and "benign" not in path:
        return Dropped(f"{PATH} says neither malignant nor benign")
    for column in (IMAGE, *NUMBERS, *CATEGORIES, MELANOMA):
        if values[column].strip() in BLANK:
            return Dropped(f"{column} is blank")
    return Row(
        image=filled(values, IMAGE),
        malignant="malignant" in path,
        lesion=filled(values, RECORD),
        numbers=(
            *(number(values, name) for name in NUMBERS),
            float(one_of(values, MELANOMA, YES_NO) == "yes"),
        ),
        categories=(
            one_of(values, "midas_gender", GENDERS),
            one_of(values, "midas_distance", DISTANCES),
            group_of(values["midas_location"]),
        ),
    )


LAYOUT = Layout(
    "MRA-MIDAS",
    (RECORD, IMAGE, PATH, MELANOMA, *NUMBERS, *CATEGORIES),
    (*NUMBERS, MELANOMA),
    CATEGORIES,
    row,
    optional=(CONTROL,),
)
