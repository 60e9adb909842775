"""The answer as files: predictions as a table, or the model in its library's own format.

`--out` names one by its ending, or a folder, for both of every classifier.
"""

from collections.abc import Mapping, Sequence

import pyarrow as pa
from pyarrow import csv
from studykit import storage, tables
from studykit.errors import UsageError
from studykit.tables import ending

from synthetic_classifiers import evaluation
from synthetic_classifiers.layout import Labels, RowNumbers
from synthetic_classifiers.model import Trained

MODEL_ENDINGS = {
    "xgboost": ".ubj",
    "lightgbm": ".txt",
    "logistic-regression": ".json",
    "random-forest": ".joblib",
    "histogram-forest": ".ubj",
}
"""Of kNN the training samples are the model."""


def require_writable(uri: str | None, kinds: Sequence[str]) -> None:
    """Refuse an --out for which nothing can be written, before any work."""
    tables.require_ending(
        uri, (*tables.ENDINGS, *dict.fromkeys(MODEL_ENDINGS.values())), or_folder=True
    )
    if uri is None or not ending(uri):
        return
    if len(kinds) > 1:
        raise UsageError(f"--out {uri}: of several classifiers name a folder")
    own = MODEL_ENDINGS.get(kinds[0])
    if ending(uri) not in (*tables.ENDINGS, own):
        raise UsageError(f"--out {uri}: a model of {kinds[0]} ends in {own or 'nothing'}")


def write(
    uri: str, rows: RowNumbers, labels: Labels, trained: Mapping[str, Trained]
) -> dict[str, str]:
    """Write one file, or all of them into a folder; returns {what it is: where it is}."""
    if ending(uri):
        (one,) = trained.values()
        if ending(uri) in tables.ENDINGS:
            return {"predictions": tables.write(predictions(rows, labels, one), uri)}
        storage.write_bytes(uri, _content(one))
        return {"model": storage.absolute(uri)}
    written = {}
    for name, one in trained.items():
        table = pa.BufferOutputStream()
        csv.write_csv(predictions(rows, labels, one), table)
        contents = {f"{name}-predictions.csv": table.getvalue().to_pybytes()}
        model_ending = MODEL_ENDINGS.get(one.kind)
        if model_ending is not None:
            contents[f"{name}{model_ending}"] = _content(one)
        for file, content in contents.items():
            target = storage.join(uri, file)
            storage.write_bytes(target, content)
            written[file.rpartition(".")[0]] = storage.absolute(target)
    return written


def _content(trained: Trained) -> bytes:
    content = trained.fitted.content
    assert content is not None  # With --out it was fetched.
    return content


def predictions(rows: RowNumbers, labels: Labels, trained: Trained) -> pa.Table:
    """A row for every test sample: its number in the table, its class, what was predicted, and how
    likely each class was."""
    columns = {
        "row": rows, "label": labels, "predicted": evaluation.predicted(trained.probabilities)
    }  # fmt: skip
    columns |= {
        f"probability_{name}": trained.probabilities[:, name].copy()
        for name in range(trained.probabilities.shape[1])
    }
    return pa.table(columns)
