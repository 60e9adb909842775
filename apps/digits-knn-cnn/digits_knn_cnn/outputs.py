"""The answer as files. `--out` names one by its ending, or a folder, for all of them.

What draws is imported only when something is to be drawn, torch only by who has a network.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv
from studykit import storage, tables
from studykit.errors import UsageError
from studykit.tables import ending

from digits_knn_cnn.answered import Answered, why_no_model

MODEL = ".safetensors"
ENDINGS = (".csv", ".parquet", ".html", MODEL)


def require_writable(uri: str | None, model: str, method: str) -> None:
    """Refuse an --out for which nothing can be written, before any work."""
    tables.require_ending(uri, ENDINGS, or_folder=True)
    reason = why_no_model(model, method)
    if uri is not None and ending(uri) == MODEL and reason is not None:
        raise UsageError(f"--out {uri}: {reason}")


def write(uri: str, answered: Answered) -> dict[str, str]:
    """Write one file, or all of them into a folder; returns {what it is: where it is}.

    All are made before the first is written, and each is there when complete. The page comes last:
    where it is, all are.
    """
    if ending(uri) in tables.ENDINGS:
        return {"predictions": tables.write(predictions(answered), uri)}
    contents = {uri: _one(uri, answered)} if ending(uri) else _all(uri, answered)
    for target, content in contents.items():
        storage.write_bytes(target, content)
    return {_name(target): storage.absolute(target) for target in contents}


def predictions(answered: Answered) -> pa.Table:
    """A row for every test picture: its place in the test part, its label, what was predicted."""
    columns: dict[str, Any] = {"row": answered.places, "label": answered.labels}
    for name, predicted in answered.predicted.items():
        column = f"predicted_k{name}" if name.isdigit() else "predicted"
        columns[column] = np.ascontiguousarray(predicted)
    return pa.table(columns)


def _name(uri: str) -> str:
    """'accuracy' of 'answer/accuracy.png', whatever a file is called that is there by itself."""
    return {".html": "page", MODEL: "model"}.get(
        ending(uri), uri.rpartition("/")[2].removesuffix(ending(uri))
    )


def _one(uri: str, answered: Answered) -> bytes:
    if ending(uri) == MODEL:
        assert answered.network is not None
        return answered.network()
    # Here, because it imports altair, for which no other run shall wait.
    from digits_knn_cnn import answer_page

    return answer_page.render(answered, answer_page.pictures(answered))


def _all(folder: str, answered: Answered) -> dict[str, bytes]:
    from digits_knn_cnn import answer_page

    table = pa.BufferOutputStream()
    csv.write_csv(predictions(answered), table)
    contents = {"predictions.csv": table.getvalue().to_pybytes()}
    if answered.network is not None:
        contents[f"model{MODEL}"] = answered.network()
    drawn = answer_page.pictures(answered)
    contents |= drawn
    contents["index.html"] = answer_page.render(answered, drawn, beside=list(contents))
    return {storage.join(folder, name): content for name, content in contents.items()}
