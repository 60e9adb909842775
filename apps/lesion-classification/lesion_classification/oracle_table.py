"""The table read apart, by pandas: what each image is, and of which lesion."""

import pandas as pd
from studykit import columnar, storage

from lesion_classification import lesions

MALIGNANT = {"mel", "bcc", "akiec"}
"""Diagnoses of HAM10000."""
OF_MIDAS = (
    "midas_age", "length_(mm)", "width_(mm)", "midas_melanoma",
    "midas_gender", "midas_distance", "midas_location", "midas_file_name",
)  # fmt: skip
"""Columns of which none may be blank."""


def read(uri: str) -> dict[str, tuple[bool, str]]:
    """{file name of an image: (whether malignant, its lesion or record)}, of those used."""
    table = pd.concat(map(_table, lesions.tables_in(uri)), ignore_index=True)
    if "midas_path" in table:
        path = table["midas_path"].fillna("").str.lower()
        malignant = path.str.contains("malignant")
        blank = table[list(OF_MIDAS)].apply(lambda column: column.fillna("").str.strip() == "")
        used = (malignant | path.str.contains("benign")) & ~blank.any(axis=1)
        images, groups = table["midas_file_name"], table["midas_record_id"]
    elif "dx" in table:
        malignant = table["dx"].str.strip().isin(MALIGNANT)
        used = table["age"].fillna("").str.strip() != ""
        images, groups = table["image_id"].str.strip() + ".jpg", table["lesion_id"]
    else:
        malignant = table["malignant"].str.strip() == "1"
        used = malignant | True
        images, groups = table["image"], table["lesion_id"]
    rows = zip(images[used].str.strip(), malignant[used], groups[used].str.strip(), strict=True)
    return {image.rpartition("/")[2]: (bool(label), group) for image, label, group in rows}


def _table(uri: str) -> pd.DataFrame:
    with storage.open_inflated(uri) as file:
        if uri.lower().endswith(".xlsx"):
            return pd.read_excel(file, dtype=str)
        if columnar.is_parquet(uri):
            return pd.read_parquet(file).astype(str)
        return pd.read_csv(file, dtype=str, encoding="utf-8-sig", skipinitialspace=True)
