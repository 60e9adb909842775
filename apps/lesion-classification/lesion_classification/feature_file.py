"""Features of images in one Parquet file, made of parts that outlive the run that wrote them.

    file = FeatureFile("answer/features.parquet", key, paths)
    for number in file.missing():       # in any order
        file.append(part)               # each is there whole, or not at all
    file.finish()

The one idea: a part is a file of its own that appears when it is complete. A run that is killed
leaves its parts, and the next one computes the others. At the end all are written one after the
other, always in the same way: the file has the same bytes however often that took.

A `Key` says what the features are of: others are refused, not mixed.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet
from studykit import storage
from studykit.errors import DataError
from studykit.storage import files, filesystems
from studykit.storage.failures import retried

from lesion_classification import parts
from lesion_classification.decoding import Broken
from lesion_classification.parts import Part
from lesion_classification.resnet import FEATURES

TYPES = {"float32": np.float32, "float16": np.float16}
ROWS = 1024
"""Of a row group, at least."""
_PART_NAME = re.compile(r"([0-9]{6})(\.broken)?\.arrow")


@dataclass(frozen=True)
class Key:
    """What features are of: the fingerprint of the weights, what they were computed in, the
    fingerprint of the images, how features are kept."""

    weights: str
    precision: str
    images: str
    feature_type: str = "float32"


def fingerprint(sizes: Mapping[str, int]) -> str:
    """Of images: {path below their folder: bytes}, in the order of the table."""
    return hashlib.sha256(json.dumps(list(sizes.items())).encode()).hexdigest()


class FeatureFile:
    """A file in the making. Images are told by their numbers in `paths`."""

    def __init__(
        self, uri: str, key: Key, paths: Sequence[str], *, skip_broken: bool = False
    ) -> None:
        """Look what is there. DataError where that is of something else than `key` says, and where
        images were skipped in it that are not to be."""
        self.uri, self._key, self._paths = storage.absolute(uri), key, paths
        self._ranges = parts.ranges(len(paths))
        self._folder = self.uri + ".parts"
        self._there: dict[int, str] = {}
        self.is_complete = storage.exists(self.uri)
        if self.is_complete:
            made_of, broken = _metadata(self.uri)
            _refuse_another(made_of, key, self.uri)
            if broken and not skip_broken:
                raise DataError(
                    f"{len(broken)} images were broken and skipped when these features were made:"
                    f" give --skip-broken, or another file; the first: {broken[0].path}:"
                    f" {broken[0].reason}",
                    uri=self.uri,
                )
        else:
            self._look_for_parts(skip_broken)

    def _look_for_parts(self, skip_broken: bool) -> None:
        key_uri = storage.join(self._folder, "key.json")
        if not storage.exists(key_uri):
            storage.write_bytes(key_uri, json.dumps(asdict(self._key)).encode())
            return
        _refuse_another(_key_of(storage.read_bytes(key_uri), key_uri), self._key, self._folder)
        for uri in files.listed(self._folder, recursive=False, hidden=(".",)):
            named = _PART_NAME.fullmatch(uri.rsplit("/", 1)[-1])
            # A broken image may have been mended, so it is looked at again, or named.
            if named and (skip_broken or not named[2]):
                self._there[int(named[1])] = uri

    def missing(self) -> list[int]:
        """The parts that are still to be computed."""
        if self.is_complete:
            return []
        return [number for number in range(len(self._ranges)) if number not in self._there]

    def append(self, part: Part) -> None:
        """Keep it, whole or not at all."""
        kind = TYPES[self._key.feature_type]
        with np.errstate(over="ignore"):  # It is said below.
            rows = np.ascontiguousarray(part.features, kind)
        if not np.isfinite(rows).all():
            raise DataError(
                f"features of part {part.number} are too large for {self._key.feature_type}"
            )
        broken = [[one.number, one.path, one.reason] for one in part.broken]
        table = _table([self._paths[number] for number in part.numbers], rows)
        table = table.replace_schema_metadata({"broken": json.dumps(broken)})
        name = f"{part.number:06d}{'.broken' if broken else ''}.arrow"
        uri = storage.join(self._folder, name)
        with storage.write_atomic(uri) as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        self._there[part.number] = uri

    def finish(self) -> list[Broken]:
        """Make the one file of all parts, which must be there, and remove them; who is broken."""
        if self.is_complete:
            _remove(self._folder)
            return _metadata(self.uri)[1]
        broken: list[Broken] = []
        together = max(1, ROWS // parts.size(len(self._paths)))
        schema = _schema(TYPES[self._key.feature_type])
        with (
            storage.write_atomic(self.uri) as file,
            parquet.ParquetWriter(
                file, schema, compression="none", use_dictionary=False, write_statistics=False
            ) as writer,
        ):
            for first in range(0, len(self._ranges), together):
                last = min(first + together, len(self._ranges))
                tables = [self._read(number, broken) for number in range(first, last)]
                group = pa.concat_tables(tables)
                writer.write_table(group, row_group_size=max(len(group), 1))
            told = [[one.number, one.path, one.reason] for one in broken]
            writer.add_key_value_metadata(
                {"key": json.dumps(asdict(self._key)), "broken": json.dumps(told)}
            )
        self.is_complete = True
        _remove(self._folder)
        return broken

    def _read(self, number: int, broken: list[Broken]) -> pa.Table:
        """A part as it was kept; adds to `broken`."""
        uri = self._there[number]
        try:
            with pa.ipc.open_file(pa.py_buffer(storage.read_bytes(uri))) as reader:
                table = reader.read_all()
            left_out = [Broken(*one) for one in json.loads(table.schema.metadata[b"broken"])]
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise DataError("a part that is damaged: remove it", uri=uri) from error
        out = {one.number for one in left_out}
        expected = [self._paths[one] for one in self._ranges[number] if one not in out]
        if table["image"].to_pylist() != expected:
            raise DataError("a part of other images: remove it", uri=uri)
        broken += left_out
        return table.replace_schema_metadata(None)


def read(uri: str) -> tuple[list[str], NDArray[Any]]:
    """Paths, and features [n, 2048] in the same order, of a finished file."""
    _metadata(uri)
    with storage.open_input(uri) as file:
        table = parquet.read_table(file)
    column = table["features"].combine_chunks()
    return table["image"].to_pylist(), column.flatten().to_numpy().reshape(-1, FEATURES)


def broken_in(uri: str) -> list[Broken]:
    """The images that were skipped when a finished file was made."""
    return _metadata(uri)[1]


def _schema(kind: Any) -> pa.Schema:
    features = pa.list_(pa.from_numpy_dtype(kind), FEATURES)
    return pa.schema([pa.field("image", pa.string()), pa.field("features", features)])


def _table(images: Sequence[str], features: NDArray[Any]) -> pa.Table:
    rows = pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), FEATURES)
    return pa.table([pa.array(images, pa.string()), rows], schema=_schema(features.dtype))


def _metadata(uri: str) -> tuple[Key, list[Broken]]:
    """Of a finished file."""
    try:
        with storage.open_input(uri) as file:
            said = parquet.read_metadata(file).metadata or {}
        return _key_of(said[b"key"], uri), [Broken(*one) for one in json.loads(said[b"broken"])]
    except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise DataError("is no file of features that this study has written", uri=uri) from error


def _key_of(content: bytes, uri: str) -> Key:
    try:
        return Key(**json.loads(content))
    except (TypeError, ValueError) as error:
        raise DataError("does not say what the features are of", uri=uri) from error


def _refuse_another(found: Key, wanted: Key, uri: str) -> None:
    for field in fields(Key):
        has, wants = getattr(found, field.name), getattr(wanted, field.name)
        if has != wants:
            raise DataError(
                f"holds features of other {_NAMES[field.name]} ({has[:16]}, not {wants[:16]}):"
                " remove it, or give another place",
                uri=uri,
            )


_NAMES = {
    "weights": "weights",
    "precision": "precision",
    "images": "images",
    "feature_type": "type",
}


def _remove(folder: str) -> None:
    """A folder of parts, where it is there."""
    if storage.exists(folder):
        store, path = filesystems.filesystem(folder)
        retried(lambda: store.delete_dir(path), folder)
