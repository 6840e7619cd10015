"""Every error that `tuner` raises on purpose.

    TunerError                    exit code 1: something failed
    ├── UsageError                exit code 2: a flag, a file or a value breaks a rule
    │   ├── SpaceError            a search-space file or parameter
    │   ├── DataError             a dataset, its URI or its folds
    │   │   └── MissingDataError  its file is not on this machine
    │   ├── PlanError             parameters that make no trainable plan
    │   ├── DefinitionError       a study definition
    │   └── StudyConflictError    a study that already holds something else
    ├── NoCompletedTrialError     exit code 3: nothing to answer with
    └── StorageError              exit code 4: the storage cannot be reached or used

A message states the rule, then the value received, then what is available. The command line
prints the message alone; a traceback is a defect.
"""

import difflib
from collections.abc import Iterable


class TunerError(Exception):
    """Base of all errors below. `exit_code` is what the command line exits with."""

    exit_code = 1


class UsageError(TunerError):
    exit_code = 2


class SpaceError(UsageError): ...


class DataError(UsageError): ...


class MissingDataError(DataError): ...


class PlanError(UsageError): ...


class DefinitionError(UsageError): ...


class StudyConflictError(UsageError): ...


class NoCompletedTrialError(TunerError):
    exit_code = 3


class StorageError(TunerError):
    exit_code = 4


def unknown(kind: str, value: object, available: Iterable[str]) -> str:
    """The message for a name that does not exist.

    Formula: ``unknown {kind} '{value}'; did you mean {closest}? Available: {a, b, c}``, the
    question left out when nothing is close. Upper and lower case alone make no other name.
    """
    names = list(available)
    close = difflib.get_close_matches(str(value), names, n=1)
    close += [name for name in names if name.lower() == str(value).lower()]
    hint = f" did you mean {close[0]}?" if close else ""
    return f"unknown {kind} {str(value)!r};{hint} Available: {', '.join(names) or 'none'}"
