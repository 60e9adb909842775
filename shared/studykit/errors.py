"""Everything that a study can say went wrong, and the exit code it says it with.

    StudyError            1    unexpected
    ├── UsageError        2    an option is wrong, or options contradict each other
    ├── DataError         2    the input is wrong: names the file, and line and column where known
    ├── CheckError        3    the answer failed its check, or did not converge: expected, got
    ├── ResourceError     4    cores, memory, GPUs: asked for, available
    │   └── BusyError     4    a cluster that is not there now, memory used up: later it may work
    ├── StorageError      5    a missing or unreadable URI, a full disk
    └── TimeLimitError  124    the run went past --timeout

`one_line(error)` is what a person reads. Engines send errors between processes: pickled, each comes
back with its text as its reason, and then with the attributes that it had.
"""

import re


def one_line(error: BaseException) -> str:
    """What a person reads of an error: in one line, with nothing that would steer a terminal.

    What input holds is shown in it: blanks stay as many as they are, and what cannot be seen
    (control characters, other blanks, bytes of a binary file) is escaped as in Python.
    """
    text = re.sub(r"\s*\n\s*", " ", str(error).strip()) or type(error).__name__
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


class StudyError(Exception):
    exit_code = 1


class UsageError(StudyError):
    exit_code = 2


class DataError(StudyError):
    """Wrong input. `line` and `column` count from 1; a column may also be a name.

    `place` says where in a file that has no lines.
    """

    exit_code = 2

    def __init__(
        self,
        reason: str,
        *,
        uri: str | None = None,
        line: int | None = None,
        column: int | str | None = None,
        place: str | None = None,
    ) -> None:
        self.reason, self.uri, self.line, self.column = reason, uri, line, column
        self.place = place
        places = [uri] if uri is not None else []
        if line is not None:
            places.append(f"line {line}")
        if place is not None:
            places.append(place)
        if column is not None:
            name = str(column)
            places.append(f"column {name if name and name == name.strip() else repr(name)}")
        super().__init__(f"{', '.join(places)}: {reason}" if places else reason)


class CheckError(StudyError):
    exit_code = 3


class ResourceError(StudyError):
    """More was asked for than there is; the text says what was asked and what is available."""

    exit_code = 4


class BusyError(ResourceError):
    """What was asked for was not to be had this time; asking again is worth it."""


class StorageError(StudyError):
    exit_code = 5

    def __init__(self, reason: str, *, uri: str | None = None) -> None:
        self.reason, self.uri = reason, uri
        super().__init__(f"{uri}: {reason}" if uri is not None else reason)


class TimeLimitError(StudyError):
    exit_code = 124
