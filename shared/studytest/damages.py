"""Text that no reader may take for right: the content, and the line that has to be named."""

BAD_TEXT: dict[str, tuple[bytes, int | None]] = {
    "empty file": (b"", None),
    "blank lines only": (b"\n\n\r\n", None),
    "NUL bytes": (b"1,2\n3,\x004\n", 2),
    "three columns": (b"1,2\n3,4,5\n6,7\n", 2),
    "one column": (b"1,2\n3\n", 2),
    "a letter in a number": (b"1,2\n2,3\n3,4x\n", 3),
    "a quoted line break": (b'1,2\n"3\n",4\n', 2),
    "truncated last line": (b"1,2\n3,4\n5,", 3),
}
"""name → (content of two integer columns, the line to be named)."""
