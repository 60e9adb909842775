"""Fetching: the publisher's file or a clear line, never something made here in its place."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from study_data import twitter7
from studykit import storage
from studykit.errors import DataError, ResourceError, StorageError

MATRIX = (
    b"%%MatrixMarket matrix coordinate pattern general\n% comment\n"
    b"41652230 41652230 1468365182\n2 1\n"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kaggle"
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(folder))
    monkeypatch.setattr(storage, "free_bytes", lambda uri: 10**12)
    return folder


def client(
    monkeypatch: pytest.MonkeyPatch, answer: Path | Exception, credentials: object = None
) -> list[str]:
    """A stand-in for Kaggle's client; returns the handles that it was asked for."""
    asked: list[str] = []

    def dataset_download(handle: str) -> str:
        asked.append(handle)
        print("Downloading")
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    stand_in = ModuleType("kagglehub")
    stand_in.dataset_download = dataset_download  # type: ignore[attr-defined]
    stand_in.config = SimpleNamespace(  # type: ignore[attr-defined]
        get_kaggle_credentials=lambda: credentials
    )
    monkeypatch.setitem(sys.modules, "kagglehub", stand_in)
    return asked


def test_the_papers_data_set_is_what_is_asked_for(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.mkdir()
    (cache / "twitter7.mtx").write_bytes(MATRIX)
    asked = client(monkeypatch, cache)
    assert twitter7.fetch() == str(cache / "twitter7.mtx")
    assert asked == ["wolfram77/graphs-snap-twitter7"]
    assert capsys.readouterr().out == ""


def test_it_is_copied_where_a_place_is_given(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir()
    (cache / "twitter7.mtx").write_bytes(MATRIX)
    client(monkeypatch, cache)
    copied = twitter7.fetch(to=str(cache.parent / "store"))
    assert copied == str(cache.parent / "store" / "twitter7" / "twitter7.mtx")
    assert Path(copied).read_bytes() == MATRIX


def test_without_credentials_the_line_says_how_to_get_them(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client(monkeypatch, RuntimeError("401 Client Error.\n\nYou don't have permission"))
    with pytest.raises(StorageError) as caught:
        twitter7.fetch()
    line = str(caught.value)
    assert "https://www.kaggle.com/datasets/wolfram77/graphs-snap-twitter7" in line
    assert "401 Client Error. You don't have permission" in line
    assert "no Kaggle credentials" in line and "KAGGLE_API_TOKEN" in line
    assert "\n" not in line


def test_with_credentials_the_line_does_not_ask_for_them(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client(monkeypatch, ConnectionError("no route to host"), credentials=object())
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        twitter7.fetch()
    assert "credentials" not in str(caught.value)


def test_without_the_client_the_line_names_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)  # type: ignore[misc]
    with pytest.raises(ResourceError, match="pip install kagglehub"):
        twitter7.fetch()


def test_too_little_room_is_said_before_the_download(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = client(monkeypatch, cache)
    monkeypatch.setattr(storage, "free_bytes", lambda uri: 30_000_000_000)
    with pytest.raises(ResourceError, match=r"needs 40\.00 GB.*30\.00 GB free"):
        twitter7.fetch()
    assert asked == []


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "no MatrixMarket"),
        (b"1,2\n", 1, "no MatrixMarket"),
        (MATRIX.replace(b"1468365182", b"464000000"), 3, "464000000"),
        (MATRIX.split(b"41652230")[0], 2, "no line with its size"),
    ],
)
def test_another_file_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, line: int, reason: str
) -> None:
    cache.mkdir()
    (cache / "twitter7.mtx").write_bytes(content)
    client(monkeypatch, cache)
    with pytest.raises(DataError, match=reason) as caught:
        twitter7.fetch()
    assert caught.value.line == line


def test_a_folder_without_the_matrix_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    client(monkeypatch, cache)
    with pytest.raises(DataError, match="found 0"):
        twitter7.fetch()
