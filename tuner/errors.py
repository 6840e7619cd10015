"""Every error that `tuner` raises on purpose.

    TunerError                    exit code 1: something failed
    ├── UsageError                exit code 2: a flag, a file or a value breaks a rule
    │   ├── SpaceError            a search-space file or parameter
    │   ├── DataError             a dataset, its URI or its folds
    │   │   └── MissingDataError  its file is not on this machine
    │   ├── PlanError             parameters that make no trainable plan
    │   ├── DefinitionError       a study definition
    │   ├── StudyConflictError    a study that already holds something else
    │   └── UnknownKeywordError   of a function of Python; a TypeError too
    ├── NoCompletedTrialError     exit code 3: nothing to answer with
    └── StorageError              exit code 4: the storage cannot be reached or used

A message states the rule, then the value received, then what is available. The command line
prints the message alone; a traceback is a defect.
"""

import difflib
import re
from collections.abc import Iterable

from tuner.text import listed, quoted, shortened

#: So many names are listed of those that there are, and so many are meant by one.
_LISTED, _MEANT = 60, 3


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


class UnknownKeywordError(UsageError, TypeError): ...


class NoCompletedTrialError(TunerError):
    exit_code = 3


class StorageError(TunerError):
    exit_code = 4


def unknown(kind: str, value: object, available: Iterable[str]) -> str:
    """The message for a name that does not exist.

    Formula: ``unknown {kind} '{value}'; did you mean {closest}? Available: {a, b, c}``, the
    question left out when nothing is close.
    """
    names, given = list(available), value if isinstance(value, str) else quoted(value)
    return (
        f"unknown {kind} {quoted(given)};{did_you_mean(given, names)} "
        f"Available: {listed(names, _LISTED) or 'none'}"
    )


def did_you_mean(value: object, available: Iterable[str]) -> str:
    """` did you mean a or b?`, or nothing if no name is close."""
    meant = closest(str(value), list(available))
    return f" did you mean {' or '.join(shortened(name) for name in meant)}?" if meant else ""


def closest(value: str, names: list[str]) -> list[str]:
    """The few names that `value` may stand for, by the first of these rules that finds any:

    - the same but for upper and lower case, hyphens and underscores (`SGD`, `warm-up`);
    - their last part (`units` for `model.units`);
    - one is the first letters of the other's words (`lr` for `learning_rate`);
    - they begin with it (`acc` for `accuracy`), or it is one of their words (`auc` for `roc_auc`);
    - the one that is spelled most alike.
    """
    wanted = _plain(value)
    if not wanted or len(wanted) > 100:  # nobody's misspelling, and slow to compare
        return []
    plain = {name: _plain(name) for name in names}
    last = {name: plain[name].rpartition(".")[2] for name in names}
    rules = (
        [name for name in names if plain[name] == wanted],
        [name for name in names if last[name] == wanted],
        [name for name in names if len(wanted) > 1 and _initials(last[name]) == wanted],
        [name for name in names if len(last[name]) > 1 and last[name] == _initials(wanted)],
        [name for name in names if len(wanted) > 1 and plain[name].startswith(wanted)],
        [name for name in names if len(wanted) > 1 and wanted in re.split(r"[._]", plain[name])],
    )
    if found := next((found for found in rules if 0 < len(found) <= _MEANT), None):
        return found
    alike = difflib.get_close_matches(wanted, dict.fromkeys(plain.values()), n=1)
    return [name for name in names if plain[name] in alike][:1]


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _initials(name: str) -> str:
    """`lr` of `learning_rate`; nothing of a single word."""
    words = [word for word in re.split(r"[._ ]", name) if word]
    return "".join(word[0] for word in words) if len(words) > 1 else ""
