"""The first sheet of an .xlsx workbook as columns of text."""

import contextlib
import io
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping
from xml.etree.ElementTree import ParseError

from studykit import storage
from studykit.errors import DataError

ENDING = ".xlsx"
_ENDINGS = (ENDING, ".xlsm", ".xls")
_SIGNATURE = b"PK\x03\x04"
"""Of a ZIP archive, which a workbook is."""
_CONTENTS = "[Content_Types].xml"
"""In a workbook, and in no other archive that is not of an office."""
_OLD = b"\xd0\xcf\x11\xe0"
"""Of .xls, and of a workbook that is locked."""
_PAGES = (b"<!doctype html", b"<html")

Values = Mapping[str, str]


def is_spreadsheet(uri: str) -> bool:
    """By what it holds, or by the name of what should be one. StorageError where it is not."""
    if uri.lower().endswith(_ENDINGS):
        return True
    with storage.open_input(uri) as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return False
    with contextlib.suppress(zipfile.BadZipFile):
        content = io.BytesIO(storage.read_bytes(uri))
        return _CONTENTS in zipfile.ZipFile(content).namelist()
    return False


def rows(uri: str) -> Iterator[tuple[int, Values]]:
    """(row's number in the sheet, {column: text}) of the first sheet, rows of blanks left out.

    DataError where it is no workbook, has no header, or two columns of one name."""
    # Here, because of all tables only spreadsheets need it.
    import openpyxl

    content = storage.read_bytes(uri)
    _refuse_another(content, uri)
    with _named(uri):
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # Some programs write a range that is smaller than what they filled.
        sheet.reset_dimensions()
        lines = sheet.iter_rows(values_only=True)
        header = [_text(value) for value in next(lines, ())]
    if not any(header):
        raise DataError("no rows: the first sheet is empty", uri=uri)
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise DataError("two columns have this name", uri=uri, place="row 1", column=twice)
    yield from _filled(lines, header, uri)


def _filled(
    lines: Iterator[tuple[object, ...]], header: list[str], uri: str
) -> Iterator[tuple[int, Values]]:
    number = 1
    while True:
        number += 1
        with _named(uri):
            line = next(lines, None)
        if line is None:
            return
        texts = [_text(value) for value in line]
        if any(texts):
            yield number, dict(zip(header, texts, strict=False))


@contextlib.contextmanager
def _named(uri: str) -> Generator[None, None, None]:
    """What openpyxl raises of a damaged workbook, with its name."""
    # Its own errors are a KeyError of a part that is not there, and of XML and ZIP what they raise.
    kinds = (zipfile.BadZipFile, zlib.error, ParseError, EOFError, KeyError, IndexError, ValueError)
    try:
        yield
    except kinds as error:
        reason = f"is no spreadsheet that can be read, damaged perhaps: {error}"
        raise DataError(reason, uri=uri) from error


def _text(value: object) -> str:
    """As the sheet shows it; a whole number without a point, blanks of any kind around it gone."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("\xa0", " ").strip()


def _refuse_another(content: bytes, uri: str) -> None:
    if content.startswith(_SIGNATURE):
        return
    if content[:1000].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(_PAGES):
        raise DataError(
            "is a web page, not a spreadsheet: log in where it comes from, and fetch it again",
            uri=uri,
        )
    if content.startswith(_OLD):
        raise DataError("is of Excel's old kind, or locked: save it as .xlsx, unlocked", uri=uri)
    raise DataError("is no spreadsheet (.xlsx)" if content else "no rows: it is empty", uri=uri)
