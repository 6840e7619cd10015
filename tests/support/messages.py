"""Every refusal of every test is read: no punctuation stands twice in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tuner.errors import TunerError

#: Two marks side by side (an ellipsis is one, and `..` of a path), or none between two spaces.
_DOUBLED = re.compile(r"[?!;,:][.;,:?!](?![./\w])|(?<![./])\.[;,:?!](?!\S)|(?<![./\s])\.\.(?![./])")


def doubled(text: str) -> str | None:
    """The place where punctuation stands twice; what is quoted is not looked at."""
    found = _DOUBLED.search(re.sub(r"'[^']*'|\"[^\"]*\"", "''", text))
    return None if found is None else text[max(0, found.start() - 40) : found.end() + 20]


@pytest.fixture(autouse=True)
def _refusals_are_well_formed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    if "at_random" in request.node.name:  # text at random holds quotes, and they do not pair
        yield
        return
    wrong = []

    def made(self: TunerError, *args: Any) -> None:
        Exception.__init__(self, *args)
        if args and (place := doubled(str(args[0]))) is not None:
            wrong.append(place)

    monkeypatch.setattr(TunerError, "__init__", made)
    yield
    assert wrong == []
