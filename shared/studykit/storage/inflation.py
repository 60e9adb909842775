"""The bytes of a `.gz`, a piece at a time: memory is bounded however far the file inflates."""

import gzip
import zlib
from collections.abc import Iterator

from studykit.errors import DataError
from studykit.storage import contents
from studykit.storage.failures import translated


def inflate(uri: str, at_most: int) -> Iterator[bytes]:
    """The bytes of a `.gz`, of one member or several, in pieces of `at_most` bytes or fewer.

    DataError with the line in which it is damaged or ends too early.
    """
    line = 1
    with translated(uri), contents.open_input(uri) as raw, gzip.GzipFile(fileobj=raw) as file:
        try:
            # One step of the decompressor: a longer read would lose what came before the damage.
            while piece := file.read1(at_most):
                line += piece.count(b"\n")
                yield piece
        except EOFError:
            problem = "truncated gzip file: it ends in this line"
            raise DataError(problem, uri=uri, line=line) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"damaged gzip file: {error}", uri=uri, line=line) from error
