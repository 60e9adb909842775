"""The layout of MRA-MIDAS (Chiou et al., "Multimodal Image Dataset for AI-based Skin Cancer"), as
paper 1 used it: a spreadsheet of 19 columns beside a folder of images.

Its label is what the text of the pathologist's path begins with or holds: "malignant", else
"benign", else the row is not used. As in the paper's code a row with a blank in what is used is
dropped, and 474 spellings of locations are put into twelve groups by the first word that fits.
Whatever its column says of controls, none has a path.
"""

from collections.abc import Mapping

from lesion_classification.layout import Dropped, Layout, Row, filled, number, one_of

RECORD, IMAGE, PATH = "midas_record_id", "midas_file_name", "midas_path"
NUMBERS = ("midas_age", "length_(mm)", "width_(mm)")
CATEGORIES = ("midas_gender", "midas_distance", "midas_location")
MELANOMA = "midas_melanoma"
"""A clinician's yes or no, not the pathologist's."""
GENDERS = ("male", "female")
DISTANCES = ("dscope", "6in", "1ft", "n/a - virtual")
LOCATIONS = {
    "back": ("back", "scapula", "flank", "spine", "lumbar"),
    "chest": ("chest", "breast", "sternum", "clavic"),
    "arm": ("arm", "elbow", "wrist", "bicep", "tricep"),
    "face": (
        "face", "cheek", "nose", "nasal", "forehead", "temple", "lip", "chin", "jaw", "brow", "eye",
    ),
    "leg": ("leg", "thigh", "calf", "knee", "shin", "ankle", "pretibial"),
    "head": ("head", "scalp", "ear", "vertex", "occip", "pariet"),
    "neck": ("neck", "nape"),
    "abdomen": ("abdomen", "abd", "belly", "umbilic"),
    "shoulder": ("shoulder", "deltoid", "axilla"),
    "hand": ("hand", "finger", "thumb", "palm"),
    "foot": ("foot", "toe", "heel", "plantar", "sole"),
}  # fmt: skip
OTHER = "other"


def group_of(location: str) -> str:
    """The first group of which a word stands in the text."""
    text = location.lower()
    return next(
        (group for group, words in LOCATIONS.items() if any(word in text for word in words)), OTHER
    )


def row(values: Mapping[str, str]) -> Row | Dropped:
    path = values[PATH].strip().lower()
    if "malignant" not in path and "benign" not in path:
        return Dropped(f"{PATH} says neither malignant nor benign")
    for column in (*NUMBERS, *CATEGORIES, MELANOMA, IMAGE):
        if not values[column].strip():
            return Dropped(f"{column} is blank")
    melanoma = one_of({MELANOMA: values[MELANOMA].lower()}, MELANOMA, ("yes", "no"))
    return Row(
        image=filled(values, IMAGE),
        malignant="malignant" in path,
        lesion=filled(values, RECORD),
        numbers=(*(number(values, name) for name in NUMBERS), float(melanoma == "yes")),
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
)
