"""Pickles that are no batches: refused with the file's name, and never run."""

import os
import pickle
import re

import numpy as np
import picture_files
import pytest
from hyperparameter_tuning import pickled_batches, pictures
from hypothesis import given
from hypothesis import strategies as st
from picture_files import flat, pickled_batch, write_batches
from studykit.errors import DataError

TRAIN, TEST = picture_files.random_pictures(30), picture_files.random_pictures(9, seed=1)


def refused(uri) -> str:
    with pytest.raises(DataError) as caught:
        pictures.read(str(uri))
    return str(caught.value)


def with_pickle(folder, content) -> str:
    write_batches(folder, TRAIN, TEST, "pickled")
    (folder / "test_batch").write_bytes(
        content if isinstance(content, bytes) else pickle.dumps(content, 2)
    )
    said = refused(folder)
    assert said.startswith(f"{folder}/test_batch: ")
    return said


class Runs:
    """Pickled, it makes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_runs_something_is_refused_and_runs_nothing(tmp_path):
    """The same bytes do run where pickle itself reads them."""
    made = tmp_path / "made"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        content = pickle.dumps({b"data": Runs(made), b"labels": []}, protocol)
        said = with_pickle(tmp_path / "batches", content)
        assert f"this pickle names {os.mkdir.__module__}.mkdir" in said
        assert not made.exists()
        pickle.loads(content)
        assert made.exists()
        made.rmdir()


@pytest.mark.parametrize(
    "name",
    ["os.system", "builtins.eval", "builtins.getattr", "numpy.load", "numpy.f2py.compile",
     "numpy.core.multiarray.fromfile", "copyreg._reconstructor", "subprocess.Popen",
     "functools.partial", "hyperparameter_tuning.pickled_batches._loaded"],
)  # fmt: skip
def test_no_other_name_is_known(tmp_path, name):
    module, _, function = name.rpartition(".")
    said = with_pickle(tmp_path, f"c{module}\n{function}\n(S'x'\ntR.".encode())
    assert f"refused: this pickle names {name}" in said


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy\nndarray\n(S'x'\ntR.",
        b"c_codecs\nencode\n(Vx\nVzip\ntR.",
        b"c__builtin__\nbytes\n(I1000000000000\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(tRI1\nb.",
        b"",
        b"\x80\x05",
        b"no pickle",
        b"\x80\x04]r\xff\xff\xff\x7f.",
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"c_codecs\nencode\n}S'__doc__'\nS'x'\nsb.",
        pickled_batch(*TEST)[:-500],
    ],
    ids=[
        "class called", "codec", "bytes", "state", "nothing", "header", "text", "many objects",
        "large", "state of a function", "cut short",
    ],
)  # fmt: skip
def test_what_is_no_pickle_of_a_batch(tmp_path, content):
    said = with_pickle(tmp_path, content)
    assert re.search("is no pickle(d batch| that can be read)|the file is empty", said)
    assert pickled_batches._encoded.__doc__ != "x"


ROWS = flat(TEST[0])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1, 2], "is no pickled batch: no dictionary"),
        ({b"data": ROWS}, "no 'labels' in this batch; it has 'data'"),
        ({b"labels": [0]}, "no 'data' in this batch"),
        ({b"data": b"x", b"labels": [0]}, "'data' is no array of rows of 3,072 bytes"),
        ({b"data": ROWS[:, :100].copy(), b"labels": [0]}, "'data' is no array of rows of 3,072"),
        ({b"data": ROWS[:0].copy(), b"labels": []}, "'data' is no array of rows of 3,072"),
        ({b"data": ROWS.reshape(-1), b"labels": []}, "'data' is no array of two dimensions"),
        ({b"data": ROWS.astype(float), b"labels": []}, "'data' is no array of bytes"),
        ({b"data": np.array([[{}]]), b"labels": []}, "'data' is no array of bytes"),
        ({b"data": ROWS, b"labels": [0, 1]}, "9 pictures and 2 labels"),
        ({b"data": ROWS, b"labels": 9 * [0.5]}, "'labels' is no list of whole numbers"),
        ({b"data": ROWS, b"labels": "012"}, "'labels' is no list of whole numbers"),
        ({b"data": ROWS, b"labels": [10**30] * 9}, "a number that is none of a class"),
    ],
)
def test_a_pickle_of_something_else(tmp_path, content, reason):
    assert reason in with_pickle(tmp_path, content)


def test_pickled_names_that_are_none(tmp_path):
    write_batches(tmp_path, TRAIN, TEST, "pickled")
    for content, reason in (
        ({b"x": 1}, "no 'label_names'"),
        ({b"label_names": []}, "no 'label_names'"),
        ({b"label_names": [b"a", b"a"]}, "a class twice"),
    ):
        (tmp_path / "batches.meta").write_bytes(pickle.dumps(content))
        assert reason in refused(tmp_path)


@given(st.data())
def test_a_damaged_pickle_is_read_or_refused(data):
    """Whatever its bytes: never another error, and never something that a batch is not."""
    content = bytearray(pickled_batch(TEST[0][:1], [0], data.draw(st.sampled_from([0, 2, 4, 5]))))
    for _ in range(data.draw(st.integers(1, 4))):
        # What is no pixel is at the beginning and at the end.
        place = data.draw(st.integers(-150, 150))
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    try:
        rows, labels = pickled_batches.batch(bytes(content), "a", 3072)
    except DataError as error:
        assert str(error).startswith("a: ")
    else:
        assert rows.shape == (len(labels), 3072) and rows.dtype == np.uint8
