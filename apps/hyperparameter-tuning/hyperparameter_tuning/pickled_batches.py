"""The pickled batches of CIFAR-10, read without running anything that they say.

A pickle is a program: it may name any function of any library and call it. The one idea: of all
names only the few by which NumPy pickles an array are known here, and each stands for a function of
this module that does nothing but remember what it was given. So nothing of NumPy or of anything
else is called by a file; the array is then made here, of bytes and of nothing else. Any other name
is refused, as is whatever is no batch: {data: uint8[n, 3072], labels: [n]} (and, beside them,
batches.meta: {label_names: […]}).

The site's files were written by Python 2, whose text is bytes here; those that a newer Python
writes have text, and name NumPy's parts otherwise.
"""

import io
import pickle
from typing import Any, ClassVar

import numpy as np
from studykit.errors import DataError

from hyperparameter_tuning.picture_parts import Labels, Pixels

_BYTE_TYPES = ("u1", b"u1", "|u1", b"|u1")


class _Type:
    """Of an array's numbers, by its name."""

    def __init__(self, name: object = "", *_: object) -> None:
        self.name = name

    def __setstate__(self, state: object) -> None:
        """Byte order and the like, of which single bytes have none."""


class _Array:
    """What a pickled array says of itself."""

    def __init__(self) -> None:
        self.shape: object = ()
        self.kind: object = None
        self.by_columns: object = False
        self.content: object = b""

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise pickle.UnpicklingError("an array of another kind")
        _, self.shape, self.kind, self.by_columns, self.content = state

    def array(self) -> Pixels:
        """ValueError where it is no array of bytes in two dimensions."""
        name = self.kind.name if isinstance(self.kind, _Type) else None
        if name not in _BYTE_TYPES or not isinstance(self.content, bytes):
            raise ValueError("no array of bytes")
        shape = self.shape
        if not (
            isinstance(shape, tuple) and len(shape) == 2 and all(type(n) is int for n in shape)
        ):
            raise ValueError("no array of two dimensions")
        order = "F" if self.by_columns else "C"
        return np.frombuffer(self.content, np.uint8).reshape(shape, order=order)  # type: ignore[call-overload,no-any-return]


def _reconstructed(*_: object) -> _Array:
    return _Array()


def _from_buffer(content: object, kind: object, shape: object, order: object) -> _Array:
    found = _Array()
    found.content = bytes(content) if isinstance(content, bytes | bytearray) else b""
    found.shape, found.kind, found.by_columns = shape, kind, order == "F"
    return found


def _encoded(text: object, encoding: object = "") -> bytes:
    """How newer Pythons write bytes for older ones."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("bytes of another kind")
    return text.encode("latin-1")


def _no_bytes(*given: object) -> bytes:
    """How newer Pythons write empty bytes for older ones."""
    if given:
        raise pickle.UnpicklingError("bytes of another kind")
    return b""


class _ArrayClass:
    """Stands for numpy.ndarray, which is only ever given to `_reconstruct`."""

    def __init__(self, *_: object) -> None:
        raise pickle.UnpicklingError("an array that is made otherwise than NumPy does it")


_KNOWN = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): _ArrayClass,
    ("_codecs", "encode"): _encoded,
    ("__builtin__", "bytes"): _no_bytes,
    **{
        (module, name): function
        for core in ("core", "_core")
        for module, name, function in (
            (f"numpy.{core}.multiarray", "_reconstruct", _reconstructed),
            (f"numpy.{core}.numeric", "_frombuffer", _from_buffer),
        )
    },
}


class _Reader(pickle._Unpickler):
    """The one written in Python: the other makes room for as many objects as a file says that it
    has, gigabytes where it lies."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise _Refused(f"{module}.{name}")
        return _KNOWN[module, name]

    def load_build(self) -> None:
        """Gives an object its state: of nothing but arrays and their types."""
        state = self.stack.pop()
        if not isinstance(self.stack[-1], _Array | _Type):
            raise pickle.UnpicklingError("a state of something else")
        self.stack[-1].__setstate__(state)

    dispatch[pickle.BUILD[0]] = load_build


class _Refused(Exception):
    """A pickle names what no batch needs."""


def _loaded(content: bytes, uri: str) -> dict[str, Any]:
    """A pickled dictionary, its keys as text."""
    try:
        found = _Reader(io.BytesIO(content), encoding="bytes").load()
    except _Refused as refused:
        reason = f"refused: this pickle names {refused}, which no batch of pictures has"
        raise DataError(f"{reason} and which could run anything", uri=uri) from None
    except Exception as error:  # Whatever the bytes may come to: there is no list of it.
        raise DataError("is no pickle that can be read, or is cut short", uri=uri) from error
    except MemoryError as error:
        raise DataError("is no pickle that can be read: it asks for too much", uri=uri) from error
    if not isinstance(found, dict):
        raise DataError("is no pickled batch: no dictionary", uri=uri)
    return {_text(key): value for key, value in found.items()}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def batch(content: bytes, uri: str, picture_bytes: int) -> tuple[Pixels, Labels]:
    """uint8[n, picture_bytes], labels int64[n]. DataError where it is no batch."""
    found = _loaded(content, uri)
    for name in ("data", "labels"):
        if name not in found:
            has = ", ".join(map(repr, list(found)[:8])) or "nothing"
            raise DataError(f"no {name!r} in this batch; it has {has}", uri=uri)
    data, labels = found["data"], found["labels"]
    try:
        rows = data.array() if isinstance(data, _Array) else np.empty((0, 0), np.uint8)
    except ValueError as error:
        raise DataError(f"'data' is {error}", uri=uri) from error
    if rows.shape[1:] != (picture_bytes,) or not len(rows):
        reason = f"'data' is no array of rows of {picture_bytes:,} bytes, a picture each"
        raise DataError(reason, uri=uri)
    if not isinstance(labels, list) or any(type(label) is not int for label in labels):
        raise DataError("'labels' is no list of whole numbers", uri=uri)
    if len(labels) != len(rows):
        raise DataError(f"{len(rows):,} pictures and {len(labels):,} labels", uri=uri)
    if any(abs(label) >= 2**31 for label in labels):
        raise DataError("'labels' has a number that is none of a class", uri=uri)
    return rows, np.array(labels, np.int64)


def names(content: bytes, uri: str) -> list[str]:
    """Of the classes."""
    found = _loaded(content, uri).get("label_names")
    if not isinstance(found, list) or not found:
        raise DataError("no 'label_names': names of the classes", uri=uri)
    named = [_text(name) for name in found]
    if len(set(named)) < len(named):
        raise DataError("a class twice", uri=uri, place="label_names")
    return named
