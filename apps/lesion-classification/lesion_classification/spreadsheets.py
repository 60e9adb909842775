"""A sheet of an .xlsx workbook as columns of text."""

import io
import zipfile
from collections.abc import Iterator, Mapping

from studykit import storage
from studykit.errors import DataError

ENDING = ".xlsx"
_SIGNATURE = b"PK\x03\x04"
"""Of a ZIP archive, which a workbook is."""


def is_spreadsheet(uri: str) -> bool:
    """By its first bytes, or by the name of what should be one."""
    return uri.lower().endswith(ENDING)


def rows(uri: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(row's number in the sheet, {column: text}) of the first sheet, rows of blanks left out.

    DataError where it is no workbook, or has no header."""
    # Here, because of all tables only spreadsheets need it.
    import openpyxl

    content = storage.read_bytes(uri)
    _refuse_another(content, uri)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataError(f"is no spreadsheet that can be read: {error}", uri=uri) from error
    lines = book.worksheets[0].iter_rows(values_only=True)
    header = [_text(value).strip() for value in next(lines, ())]
    if not any(header):
        raise DataError("no rows: the first sheet is empty", uri=uri)
    for number, line in enumerate(lines, start=2):
        texts = [_text(value) for value in line]
        if any(texts):
            yield number, dict(zip(header, texts, strict=False))


def _text(value: object) -> str:
    """As the sheet shows it; a whole number is written without a point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("\xa0", " ")


def _refuse_another(content: bytes, uri: str) -> None:
    if content.startswith(_SIGNATURE):
        return
    begin = content[:1000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if begin.startswith((b"<!doctype html", b"<html")):
        raise DataError(
            "is a web page, not a spreadsheet: log in where it comes from, and fetch it again",
            uri=uri,
        )
    raise DataError("is no spreadsheet (.xlsx)" if content else "no rows: it is empty", uri=uri)
