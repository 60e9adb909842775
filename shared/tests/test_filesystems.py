"""What a URI says: forms of local names, schemes, and secrets that are never repeated."""

from pathlib import Path

import pytest
from studykit import storage
from studykit.errors import StorageError, UsageError
from studytest import fake_hdfs


def test_local_names_have_many_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = f"{tmp_path}/a b%20?.csv"
    storage.write_bytes("a b%20?.csv", b"x")
    assert storage.absolute("a b%20?.csv") == expected
    assert storage.absolute(f"file://{tmp_path}/a%20b%2520?.csv") == expected
    assert storage.absolute(f"file://localhost{tmp_path}/a b%2520?.csv") == expected
    assert storage.list_files("./a b%20?.csv") == [expected]
    assert storage.join("deep", "er/", "c.csv") == f"{tmp_path}/deep/er/c.csv"
    assert storage.join("s3://bucket/", "c.csv") == "s3://bucket/c.csv"


@pytest.mark.parametrize("uri", ["ftp://host/a", "https://host/a", "file://a/b", "", "s3:///key"])
def test_a_uri_that_no_store_knows_is_wrong_usage(uri: str) -> None:
    with pytest.raises(UsageError):
        storage.list_files(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://AKIAKEY:sEcReT@bucket/key",
        "s3://AKIAKEY:sEc/ReT@bucket/key",
        "hdfs://user:sEcReT@host:9000/a",
        "https://user:sEcReT@host/a",
        "https://host/a?X-Amz-Signature=sEcReT&X-Amz-Credential=AKIAKEY",
    ],
)
def test_credentials_in_a_uri_are_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        storage.size(uri)
    assert "cReT" not in str(caught.value)
    assert "AKIAKEY" not in str(caught.value)


def test_a_secret_of_the_environment_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sEcReT/+")
    fake_hdfs.install(monkeypatch).failures = [
        PermissionError("denied:\nthe key sEcReT/+ is wrong")
    ]
    with pytest.raises(StorageError) as caught:
        storage.size("hdfs://server/a")
    assert str(caught.value) == "hdfs://server/a: denied: the key … is wrong"
