"""The answer as files. `--out` names one by its ending, or a folder, for all of them.

What draws is imported only when something is to be drawn.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyarrow import csv
from studykit import storage, tables
from studykit.errors import CheckError, UsageError
from studykit.tables import ending

from hyperparameter_tuning.answered import MODELS, Answered

PAGE = "page.html"


def require_writable(uri: str | None, study: str) -> None:
    """Refuse an --out for which nothing can be written, before any work."""
    own = MODELS[study]
    if uri is not None and ending(uri) in set(MODELS.values()) - {own}:
        raise UsageError(f"--out {uri}: a model of --study {study} ends with {own}")
    tables.require_ending(uri, (*tables.ENDINGS, ".html", own), or_folder=True)


def write(uri: str, answered: Answered) -> dict[str, str]:
    """Write one file, or all of them into a folder; returns {what it is: where it is}.

    All are made before the first is written, and each is there when complete. The page comes last:
    where it is, all are.
    """
    if ending(uri) in tables.ENDINGS:
        return {"trials": tables.write(trials(answered), uri)}
    contents = {uri: _one(uri, answered)} if ending(uri) else _all(uri, answered)
    for target, content in contents.items():
        storage.write_bytes(target, content)
    return {_name(target): storage.absolute(target) for target in contents}


def trials(answered: Answered) -> pa.Table:
    """A row for every trial: score, configuration and figures are of the same job, its best."""
    rows = [_flat(trial) for trial in answered.quality["trials"]]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _flat(trial: Mapping[str, Any]) -> dict[str, Any]:
    before = {name: trial[name] for name in ("trial", "status")}
    after = {name: trial[name] for name in ("score", "epochs", "cpu_seconds", "parent")}
    return {**before, **trial["configuration"], **after, **trial["figures"]}


def _name(uri: str) -> str:
    """'lineage' of 'answer/lineage.png', whatever a file is called that is there by itself."""
    named = {".html": "page", **dict.fromkeys(MODELS.values(), "model")}
    return named.get(ending(uri), uri.rpartition("/")[2].removesuffix(ending(uri)))


def _one(uri: str, answered: Answered) -> bytes:
    if ending(uri) == MODELS[answered.study]:
        if answered.model is None:
            raise CheckError(f"--out {uri}: no trial left a model")
        return answered.model
    # Here, because it imports altair, for which no other run shall wait.
    from hyperparameter_tuning import answer_page

    return answer_page.render(answered, answer_page.pictures(answered.quality))


def _all(folder: str, answered: Answered) -> dict[str, bytes]:
    from hyperparameter_tuning import answer_page

    table = pa.BufferOutputStream()
    csv.write_csv(trials(answered), table)
    contents = {"trials.csv": table.getvalue().to_pybytes()}
    if answered.model is not None:
        contents[f"model{MODELS[answered.study]}"] = answered.model
    drawn = answer_page.pictures(answered.quality)
    contents |= drawn
    contents[PAGE] = answer_page.render(answered, drawn, beside=list(contents))
    return {storage.join(folder, name): content for name, content in contents.items()}
