"""Failures of a store: tried again where that may help, and then one clear `StorageError`.

Failures of a server are often transient: every remote operation that may be repeated goes through
`retried`, which waits exponentially longer, with full jitter, so that many workers do not come
back at the same moment. It is the one layer of retries: the clients are told to try once
(`filesystems`), and a function that is retried calls none that is.
"""

import errno
import os
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

import pyarrow as pa

from studykit.errors import StorageError, StudyError

T = TypeVar("T")

ATTEMPTS = 8  # over 8 s on average: a server that is started again is back by then
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
ANSWER_SECONDS = 120.0
"""Longest that one operation of HDFS may take, the reading of a whole range included."""

_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_FINAL_WORDS = re.compile(
    r"ACCESS_DENIED|ACCESS_KEY|SIGNATURE|NO_SUCH_|TOKEN|ALREADY_EXISTS|INVALID|"
    r"AccessControlException|HTTP status (400|401|403|404|405)"
)
_REASONS = {
    errno.ENOENT: "no such file or folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "is a folder, not a file",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.ENAMETOOLONG: "the name is too long",
}


def client_errors() -> tuple[type[Exception], ...]:
    """What the operating system and the clients of servers raise."""
    boto = sys.modules.get("botocore.exceptions")  # Imported by the first upload only.
    uploads = () if boto is None else (boto.BotoCoreError, boto.ClientError)
    return (OSError, RuntimeError, pa.ArrowException, *uploads)


def retried(operation: Callable[[], T], uri: str) -> T:
    """Run an operation that may be repeated; on a server, until it succeeds or there is no hope.

    StorageError at once on a local disk and for what waiting cannot mend (missing, forbidden, an
    HDFS that hangs), else after `ATTEMPTS` tries. Errors of a study's own pass through.
    """
    kind = uri.partition("://")[0].lower()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return answered(operation, uri) if kind == "hdfs" else operation()
        except StudyError:
            raise
        except client_errors() as error:
            lasting = isinstance(error, _FINAL) or _FINAL_WORDS.search(str(error))
            if lasting or kind not in ("hdfs", "s3"):
                raise storage_error(error, uri) from error
            if attempt == ATTEMPTS:
                raise storage_error(error, uri, f" (tried {ATTEMPTS} times)") from error
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        time.sleep(random.uniform(0, longest))
    raise AssertionError("the last attempt returns or raises")


def answered(operation: Callable[[], T], uri: str) -> T:
    """Run an operation of HDFS; StorageError where it has not ended in time.

    Its client waits without end for a NameNode that took the connection and then says nothing, and
    hears no Ctrl-C meanwhile; so it waits in a thread that may be left behind.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(operation())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(ANSWER_SECONDS)
    except TimeoutError:
        if outcome.done():
            raise
        raise StorageError(
            f"no answer within {ANSWER_SECONDS:g} s: does the server hang?", uri=redacted(uri)
        ) from None


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """What the operating system or a client raises inside becomes a StorageError of this URI."""
    try:
        yield
    except StudyError:
        raise
    except client_errors() as error:
        raise storage_error(error, uri) from error


def storage_error(error: Exception, uri: str, remark: str = "") -> StorageError:
    code = error.errno if isinstance(error, OSError) else None
    if code is None and isinstance(error, FileNotFoundError):
        code = errno.ENOENT
    reason = _REASONS.get(code or 0) or redacted(str(error)).strip() or type(error).__name__
    return StorageError(reason + remark, uri=redacted(uri))


def redacted(text: str) -> str:
    """One line of text without credentials: no user or key in a URI, no signed query, no secret."""
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"):
        secret = os.environ.get(name)
        if secret:
            text = text.replace(secret, "…")
    text = re.sub(r"://[^/\s]*@", "://", text)
    # A key may hold slashes of its own: s3://KEY:SEC/RET@bucket.
    text = re.sub(r"s3://[^\s@/:]+:[^\s@]*@", "s3://", text)
    text = re.sub(r"((?:X-Amz-)?(?:Signature|Credential|Security-Token)=)[^&\s]+", r"\1…", text)
    return " ".join(text.split())
