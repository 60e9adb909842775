"""The layout of the generated lesions, and of who writes a table for this study.

    lesion_id,image,malignant,age,sex,location,distance,length_mm,width_mm

`image` is a file's name in the images' folder, or a path or URI of its own; `malignant` is 0 or 1.
"""

from collections.abc import Mapping

from lesion_classification.layout import Layout, Row, filled, number, one_of

NUMBERS = ("age", "length_mm", "width_mm")
CATEGORIES = ("sex", "location", "distance")


def row(values: Mapping[str, str]) -> Row:
    return Row(
        image=filled(values, "image"),
        malignant=one_of(values, "malignant", ("0", "1")) == "1",
        lesion=filled(values, "lesion_id"),
        numbers=tuple(number(values, name) for name in NUMBERS),
        categories=tuple(filled(values, name) for name in CATEGORIES),
    )


LAYOUT = Layout(
    "lesion table",
    ("lesion_id", "image", "malignant", *NUMBERS, *CATEGORIES),
    NUMBERS,
    CATEGORIES,
    row,
)
