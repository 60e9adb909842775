"""Breast tumours, malignant or benign: scikit-learn's copy of the Wisconsin table, as CSV.

569 rows of 30 numbers that describe the nuclei of cells in a picture (Street, Wolberg and
Mangasarian 1993, "Nuclear feature extraction for breast tumor diagnosis"; Wisconsin Diagnostic
Breast Cancer, UCI). Nothing is drawn, so every seed gives the same rows. The columns are named as
in the table on Kaggle that the fourth paper read: `mean radius` is `radius_mean`, `radius error` is
`radius_se`.
"""

from study_data.dataset import Blocks, Dataset, Size

ROWS = 569
LABEL = "diagnosis"
MEASURES = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
    "concave points", "symmetry", "fractal_dimension",
)  # fmt: skip
FEATURES = tuple(f"{measure}_{of}" for of in ("mean", "se", "worst") for measure in MEASURES)
"""In scikit-learn's order."""
HEADER = ",".join((LABEL, *FEATURES)) + "\n"
DIAGNOSES = ("M", "B")
"""By scikit-learn's number: 0 is malignant, 1 benign."""


def blocks(rows: int, seed: int = 0) -> Blocks:
    """The file's bytes: the first so many rows in scikit-learn's order."""
    # Here, because no other data set needs it.
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    lines = [HEADER]
    for values, target in zip(data.data[:rows].tolist(), data.target[:rows].tolist(), strict=True):
        lines.append(",".join((DIAGNOSES[target], *map(repr, values))) + "\n")
    yield memoryview("".join(lines).encode())


DATASET = Dataset(
    name="breast-cancer",
    title="breast tumours, malignant or benign, by 30 numbers",
    licence="CC BY 4.0 (Wisconsin Diagnostic Breast Cancer, UCI)",
    source="scikit-learn's load_breast_cancer, study_data/breast_cancer.py",
    schema=f"CSV with header: {LABEL} (M or B), {', '.join(FEATURES)}",
    columns={LABEL: "string", **dict.fromkeys(FEATURES, "double")},
    sizes={
        "tiny": Size(
            ROWS, 121_358, "f6c65a8089f4dffb414973265861e4040ce6088473cba0b4552357f928995459"
        ),
    },
    make=blocks,
)
