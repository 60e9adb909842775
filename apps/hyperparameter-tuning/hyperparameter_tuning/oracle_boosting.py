"""The proof that the boosted trees say what the record says: their file, walked anew.

The written model is opened as JSON and each row is led through each tree in NumPy, sums and the
logistic function in double precision, without XGBoost's own predictor; accuracy, log-loss and
confusion are then scikit-learn's.
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.errors import CheckError

from hyperparameter_tuning.boosting import Probabilities
from hyperparameter_tuning.diagnoses import Diagnoses
from hyperparameter_tuning.diagnosis_table import Features
from hyperparameter_tuning.quality import Judged

ROUNDING = 1e-5
"""Of a probability that XGBoost sums in single floats, of some dozens of trees."""


def probabilities(state: bytes, features: Features) -> Probabilities:
    """float64[n], of a model as UBJSON; features float32[n, d]."""
    # Only the form of the file is the library's; what is in it is read here.
    import xgboost

    model = xgboost.Booster()
    model.load_model(bytearray(state))
    learner = json.loads(bytes(model.save_raw("json")))["learner"]
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    total = np.full(len(features), np.log(base / (1 - base)))
    for tree in learner["gradient_booster"]["model"]["trees"]:
        total += _leaves(tree, features)
    return 1 / (1 + np.exp(-total))


def _leaves(tree: dict[str, Any], features: Features) -> npt.NDArray[np.float64]:
    """The value of the leaf that each row comes to."""
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    # A leaf has its value where another node has the threshold, which is a single float.
    values = np.array(tree["split_conditions"], np.float32)
    asked, default_left = np.array(tree["split_indices"]), np.array(tree["default_left"], bool)
    node = np.zeros(len(features), np.int64)
    rows = np.flatnonzero(left[node] >= 0)
    while len(rows):
        at = node[rows]
        value = features[rows, asked[at]]
        goes_left = np.where(np.isnan(value), default_left[at], value < values[at])
        node[rows] = np.where(goes_left, left[at], right[at])
        rows = rows[left[node[rows]] >= 0]
    return values[node].astype(np.float64)


def check(state: bytes, test: Diagnoses, found: Probabilities, judged: Judged) -> dict[str, Any]:
    """CheckError where a probability or a figure is another. What was compared, for the record."""
    from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

    own = probabilities(state, test.features)
    far = float(np.abs(own - found).max())
    if not far <= ROUNDING:
        raise CheckError(f"probabilities: expected within {ROUNDING:g} of the trees', got {far:g}")
    called = found > 0.5
    for name, expected, got in (
        ("accuracy", accuracy_score(test.labels, called), judged.share),
        ("log_loss", log_loss(test.labels, found), judged.figures["log_loss"]),
    ):
        if not abs(got - expected) <= 1e-12:
            raise CheckError(f"{name}: expected {expected:.12g}, got {got:.12g}")
    confusion = confusion_matrix(test.labels, called, labels=[0, 1]).tolist()
    if confusion != judged.figures["confusion"]:
        got = judged.figures["confusion"]
        raise CheckError(f"confusion: expected {confusion}, got {got}")
    return {"rows_walked": len(test), "probability_difference": far}
