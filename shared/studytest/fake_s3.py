"""An S3 for the tests of one process: a folder for Arrow, and boto3's calls that write to it."""

from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs as arrow_fs
from studykit.storage import filesystems


class Uploads:
    """The calls of a boto3 client that `storage.writing` makes; parts wait outside the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: dict[str, list[bytes]] = {}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        path = self.folder / Bucket / Key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Body)

    def create_multipart_upload(self, Bucket: str, Key: str) -> dict[str, str]:
        self.parts[f"{Bucket}/{Key}"] = []
        return {"UploadId": f"{Bucket}/{Key}"}

    def upload_part(self, UploadId: str, PartNumber: int, Body: bytes, **_: str) -> dict[str, str]:
        parts = self.parts[UploadId]
        assert PartNumber == len(parts) + 1
        parts.append(Body)
        return {"ETag": str(PartNumber)}

    def complete_multipart_upload(
        self, Bucket: str, Key: str, UploadId: str, MultipartUpload: dict[str, Any]
    ) -> None:
        parts = self.parts.pop(UploadId)
        assert [part["PartNumber"] for part in MultipartUpload["Parts"]] == [
            *range(1, len(parts) + 1)
        ]
        self.put_object(Bucket, Key, b"".join(parts))

    def abort_multipart_upload(self, UploadId: str, **_: str) -> None:
        del self.parts[UploadId]


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Uploads:
    """Let s3://bucket/key be folder/bucket/key."""
    disk = arrow_fs.SubTreeFileSystem(str(folder), arrow_fs.LocalFileSystem())
    uploads = Uploads(folder)
    monkeypatch.setitem(filesystems.CLIENTS, "s3", lambda _: disk)
    monkeypatch.setattr(filesystems, "upload_client", lambda: uploads)
    return uploads
