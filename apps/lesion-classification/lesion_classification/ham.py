"""The layout of HAM10000 (Tschandl, Rosendahl and Kittler 2018, "The HAM10000 dataset").

    lesion_id,image_id,dx,dx_type,age,sex,localization[,malignant]

An image is `IMAGE_ID.jpg`. Where no column `malignant` says it, 0 or 1, its diagnosis `dx` does:
melanoma, basal cell carcinoma and what comes before squamous cell carcinoma are malignant. An image
of a patient of unknown age is not used.
"""

from collections.abc import Mapping

from lesion_classification.layout import Dropped, Layout, Row, filled, number, one_of

MALIGNANT = ("mel", "bcc", "akiec")
BENIGN = ("nv", "bkl", "df", "vasc")
LABEL = "malignant"


def row(values: Mapping[str, str]) -> Row | Dropped:
    image, lesion = filled(values, "image_id"), filled(values, "lesion_id")
    if LABEL in values:
        malignant = one_of(values, LABEL, ("0", "1")) == "1"
    else:
        malignant = one_of(values, "dx", (*MALIGNANT, *BENIGN)) in MALIGNANT
    if not values["age"].strip():
        return Dropped("age is blank")
    return Row(
        image=f"{image}.jpg",
        malignant=malignant,
        lesion=lesion,
        numbers=(number(values, "age"),),
        categories=(filled(values, "sex"), filled(values, "localization")),
    )


LAYOUT = Layout(
    "HAM10000",
    ("lesion_id", "image_id", "dx", "age", "sex", "localization"),
    ("age",),
    ("sex", "localization"),
    row,
    optional=(LABEL,),
)
