"""Messages in the words of Python: the rest of `tuner` names the flags of the command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from tuner.errors import TunerError

Given = ParamSpec("Given")
Made = TypeVar("Made")

#: Flags to keywords of another name, and those that take no value.
_RENAMED = {"kind": "kinds", "try": "try_first", "out": "folder", "trial": "number"}
_SWITCHES = {"force": "True", "trust_code": "True", "na_class": "True", "header": "True"}
#: Flags of NAME=VALUE, whose keywords take a dict.
_DICTS = ("set", "kinds", "at_most", "at_least")
#: Values that messages name as they are typed.
_NAMES = "robust|standard|minmax|log|multiclass|regression|balanced_accuracy|folds"

_MESSAGE = re.compile(
    r"""tuner resume (?P<study>(?:'[^']*'|"[^"]*"|[^\s`;,'"])+)"""
    # Commands stay commands.
    r"|(?:tuner [a-z]+|optuna storage|ray start|pip install) [^,`;]*"
    r"|(?<![\w'-])--(?P<flag>[a-z][a-z-]*)"
    rf"(?: (?P<value>'[^']*'|[\w.]+=[\w.+-]+|\d[\w.+-]*\b|[A-Z][A-Z:]*\b|(?:{_NAMES})\b))?"
    r"(?: (?P<item>[\w.]+)(?=:))?"
)


def in_python(text: str) -> str:
    """`text` with keywords in place of flags.

    >>> in_python("Available: another --name, --kind 'a=date', or --test-share 0.3")
    "Available: another name=, kinds={'a': 'date'}, or test_share=0.3"
    """
    return _MESSAGE.sub(_keyword, text)


def told_in_python(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """The function, whose errors of ours name keywords."""

    @wraps(function)
    def call(*args: Given.args, **keywords: Given.kwargs) -> Made:
        try:
            return function(*args, **keywords)
        except TunerError as error:
            error.args = tuple(map(in_python, map(str, error.args)))
            raise

    return call


def _keyword(found: re.Match[str]) -> str:
    if found["study"]:
        return f"tuner.load({''.join(shlex.split(found['study']))!r}).optimize()"
    if not found["flag"]:
        return found[0]
    flag, value = found["flag"].replace("-", "_"), found["value"]
    name = _RENAMED.get(flag, flag)
    if name == "no_header":
        return "header=False"
    if found["item"]:
        return f"{name}[{found['item']!r}]"
    if value is None:
        return f"{name}={_SWITCHES.get(name, '')}"
    value = value.strip("'")
    if name in _DICTS:
        key, _, own = value.rpartition("=")
        return f"{name}={{{key!r}: {_value(own)}}}"
    return f"{name}={_value(value)}"


def _value(text: str) -> str:
    """As Python writes it: a number, also N in place of one, else text."""
    try:
        float(text)
    except ValueError:
        return text if text in ("N", "V") else repr(text)
    return text
