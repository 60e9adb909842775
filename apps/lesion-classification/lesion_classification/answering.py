"""The answer, on any engine: the table, features of its images, and folds over both.

An engine hands over its workers as a `Team`; what is here puts their steps in order.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.errors import DataError, ResourceError
from studykit.run import Run

from lesion_classification import cross_validation, feature_file, folds, lesions, parts, pictures
from lesion_classification.classifier import Settings
from lesion_classification.cross_validation import Data, FoldResult
from lesion_classification.decoding import Broken
from lesion_classification.feature_file import FeatureFile, Key
from lesion_classification.layout import Lesions
from lesion_classification.parts import Part
from lesion_classification.team import Team
from lesion_classification.worker import Job


@dataclass
class Answer:
    """In the first process; the others have it without `data`.

    broken: images that were left out; precision, weights: what features were computed in and of;
    images_read: by this run, others were kept already; seconds: of every worker, by phase.
    """

    data: Data | None = None
    results: Sequence[FoldResult] = ()
    broken: Sequence[Broken] = ()
    precision: str = ""
    weights: str = ""
    images_read: int = 0
    bytes_read: int = 0
    seconds: Sequence[dict[str, float]] = ()


def answered(run: Run, team: Team) -> Answer:
    """DataError where the table or an image is wrong, StorageError where there are no weights."""
    parameters = run.parameters
    with run.phase("load", "reading the table"):
        table = team.told(lambda: lesions.read(run.dataset.uri, parameters.images))
        # Before any image is read: the folds, of which a table may be too small for.
        _folds_of(run, table)
    with run.phase("start", f"loading ResNet50, {parameters.weights}"):
        kinds = team.load(job_of(run, table))
        if len(set(kinds)) > 1:
            said = " and ".join(sorted({precision for _, precision in kinds}))
            raise ResourceError(f"workers compute in {said}: choose one by --precision")
    answer = Answer(weights=kinds[0][0], precision=kinds[0][1])
    with run.iterations("looking at images") as computed:
        kept = _Kept(run, table, answer)
        features = _features(run, team, kept, answer)
        left = table if features is None else table.without([one.number for one in answer.broken])
        if features is not None:
            answer.data = Data(features, left, _folds_of(run, left), settings_of(run))
        for turn in range(parameters.rounds):
            run.progress(f"training, round {turn + 1}")
            found = team.folds(answer.data, range(parameters.fold_count))
            answer.results = sorted(found, key=lambda result: result.fold)
        answer.seconds = team.seconds()
        computed(answer.seconds)
    return answer


def job_of(run: Run, table: Lesions) -> Job:
    options, asked = run.options, run.parameters
    return Job(
        table.folder,
        table.paths,
        functools.partial(pictures.decode, side=asked.side),
        asked.weights,
        options.seed,
        asked.precision,
        options.device,
        run.threads_of_a_worker,
        asked.skip_broken,
    )


def settings_of(run: Run) -> Settings:
    asked = run.parameters
    return Settings(asked.epochs, asked.batch_size, run.options.seed)


def _folds_of(run: Run, table: Lesions) -> npt.NDArray[np.int64]:
    asked = run.parameters
    try:
        return folds.made(
            asked.folds, table.labels, table.groups, asked.fold_count, run.options.seed
        )
    except DataError as error:
        raise DataError(error.reason, uri=run.dataset.uri) from None


class _Kept:
    """Features as they come in: in a file with --features, else in memory."""

    def __init__(self, run: Run, table: Lesions, answer: Answer) -> None:
        self._asked, self._table, self._answer = run.parameters, table, answer
        self._parts: dict[int, Part] = {}
        self._file: FeatureFile | None = None

    def missing(self) -> list[int]:
        """Of all parts; called once, by the first process, which opens the file."""
        asked, answer, table = self._asked, self._answer, self._table
        if asked.features is None:
            return list(range(len(parts.ranges(len(table)))))
        images = json.dumps([asked.side, feature_file.fingerprint(table.sizes)])
        key = Key(answer.weights, answer.precision, images, asked.feature_type)
        self._file = FeatureFile(asked.features, key, table.paths, skip_broken=asked.skip_broken)
        return self._file.missing()

    def append(self, part: Part) -> None:
        if self._file is not None:
            self._file.append(part)
        else:
            self._parts[part.number] = part

    def finish(self) -> tuple[npt.NDArray[Any], list[Broken]]:
        """All features in the order of the table, and the images that have none."""
        if self._file is not None:
            broken = self._file.finish()
            return feature_file.read(self._file.uri)[1], broken
        kind = feature_file.TYPES[self._asked.feature_type]
        found = [self._parts.pop(number) for number in sorted(self._parts)]
        features = np.concatenate([part.features.astype(kind) for part in found])
        return features, [one for part in found for one in part.broken]


def _features(run: Run, team: Team, kept: _Kept, answer: Answer) -> npt.NDArray[Any] | None:
    """Of all images, in the first process."""
    missing = team.told(kept.missing)
    for done, part in enumerate(team.parts(missing), start=1):
        kept.append(part)
        answer.images_read += len(part.numbers)
        answer.bytes_read += part.bytes_read
        run.progress(f"features: part {done} of {len(missing)}")
    if not team.is_first:
        return None
    features, answer.broken = kept.finish()
    return features


def quality(answer: Answer) -> dict[str, Any]:
    """What a record's `quality` says, but for what the leak adds when the clock has stopped."""
    assert answer.data is not None
    return {
        **cross_validation.quality(answer.results, answer.data),
        "rows": answer.data.lesions.rows,
        "dropped": dict(answer.data.lesions.dropped),
        "broken": len(answer.broken),
        "images_read": answer.images_read,
        "computed_in": answer.precision,
        "weights_sha256": answer.weights,
    }
