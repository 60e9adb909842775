"""The answer as files. `--out` names one by its ending, or a folder, for all of them.

What draws, and torch, is imported only when something is to be written.
"""

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet
from studykit import storage, tables
from studykit.run import Run
from studykit.tables import ending

if TYPE_CHECKING:
    from lesion_classification.answering import Answer
    from lesion_classification.leak import Leak

ENDINGS = (".csv", ".parquet", ".html")


def require_writable(uri: str | None) -> None:
    """Refuse an --out for which nothing can be written, before any work."""
    tables.require_ending(uri, ENDINGS, or_folder=True)


def write(uri: str, run: Run, answer: "Answer", leak: "Leak") -> dict[str, str]:
    """Write one file, or all of them into a folder; returns {what it is: where it is}.

    All are made before the first is written, and each is there when complete. The page comes last:
    where it is, all are.
    """
    if ending(uri) in tables.ENDINGS:
        return {"predictions": tables.write(predictions(answer), uri)}
    contents = {uri: _page(run, answer, leak)} if ending(uri) else _all(uri, run, answer, leak)
    for target, content in contents.items():
        storage.write_bytes(target, content)
    return {_name(target): storage.absolute(target) for target in contents}


def predictions(answer: "Answer") -> pa.Table:
    """A row for every image, in the order of the table: the fold that tested it, and its score."""
    from lesion_classification import cross_validation, metrics

    assert answer.data is not None
    lesions = answer.data.lesions
    scores = cross_validation.scores(answer.results, lesions)
    columns: dict[str, Any] = {
        "image": list(lesions.paths),
        "lesion": [lesions.group_names[group] for group in lesions.groups],
        "malignant": lesions.labels,
        "fold": answer.data.folds,
        "score": scores,
        "predicted": scores > metrics.THRESHOLD,
    }
    return pa.table(columns)


def features(answer: "Answer") -> pa.Table:
    """Of every image, in the order of the table: a list of 2,048."""
    assert answer.data is not None
    kept = answer.data.features
    lists = pa.FixedSizeListArray.from_arrays(pa.array(kept.reshape(-1)), kept.shape[1])
    return pa.table({"image": list(answer.data.lesions.paths), "features": lists})


def _name(uri: str) -> str:
    """'roc' of 'answer/roc.png', whatever a page is called that is there by itself."""
    if ending(uri) == ".html":
        return "page"
    return uri.rpartition("/")[2].removesuffix(ending(uri))


def _page(run: Run, answer: "Answer", leak: "Leak") -> bytes:
    # Here, because it imports altair, for which no other run shall wait.
    from lesion_classification import answer_page

    return answer_page.render(run, answer, leak, answer_page.pictures(answer, leak))


def _all(folder: str, run: Run, answer: "Answer", leak: "Leak") -> dict[str, bytes]:
    from lesion_classification import answer_page

    contents = {
        "predictions.parquet": _parquet(predictions(answer)),
        "features.parquet": _parquet(features(answer)),
    }
    drawn = answer_page.pictures(answer, leak)
    contents |= drawn
    contents["index.html"] = answer_page.render(run, answer, leak, drawn, beside=list(contents))
    return {storage.join(folder, name): content for name, content in contents.items()}


def _parquet(table: pa.Table) -> bytes:
    written = pa.BufferOutputStream()
    parquet.write_table(table, written)
    content: bytes = written.getvalue().to_pybytes()
    return content
