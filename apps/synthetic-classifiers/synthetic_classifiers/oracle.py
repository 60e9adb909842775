"""Whether an answer is right, by other means than the engines': the plain libraries.

The table is read and divided apart (oracle_table.py). Then, of each classifier:

- logistic regression: the gradient of what is minimised, in doubles, at the coefficients. It is
  convex, and with the penalty curved by `l2` at least, so that the coefficients lie within
  gradient / l2 of the only right ones;
- kNN: of some test samples, the distances to every training sample, sorted;
- forest: its first tree, grown by scikit-learn from all training samples, is equal;
- boosting: the accuracy lies within the 95 % interval of the model that the library makes in one
  process; of XGBoost, where that is too narrow, within that of its models of three orders of rows.

And the probabilities are those that the written model gives when its library has read it.
"""

from typing import Any

import numpy as np
from studykit.errors import CheckError
from studykit.records import Check
from studykit.run import Run

from synthetic_classifiers import oracle_models, oracle_table
from synthetic_classifiers.training import Answer

ORACLE = "the plain libraries on the same table"


def check(run: Run, answer: Answer) -> Check:
    table = oracle_table.read(run)
    detail: dict[str, Any] = {}
    try:
        _same("test rows", answer.rows, table.test_rows)
        _same("test labels", answer.labels, table.test_labels)
        for name, trained in answer.trained.items():
            detail[name] = oracle_models.CHECKS[name](run, table, trained)
    except CheckError as error:
        return Check(passed=False, oracle=ORACLE, detail=detail | {"problem": str(error)})
    return Check(passed=True, oracle=ORACLE, detail=detail)


def _same(what: str, found: Any, right: Any) -> None:
    if not np.array_equal(found, right):
        raise CheckError(f"{what}: expected {len(right)}, got {len(found)} or others")
