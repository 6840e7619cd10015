"""Kinds by name, from here and from other packages."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from tuner import registry
from tuner.errors import UsageError
from tuner.registry import Registry


class Own:
    name = "own"


class Theirs:
    name = "theirs"


def registered(monkeypatch, **points: str) -> Registry:
    found = [EntryPoint(name, value, "tuner.things") for name, value in points.items()]
    monkeypatch.setattr(registry, "entry_points", lambda *, group: found)
    return Registry("thing", "tuner.things", [Own])


def test_own_kinds_come_before_those_of_entry_points(monkeypatch):
    kinds = registered(monkeypatch, theirs=f"{__name__}:Theirs")
    assert list(kinds) == ["own", "theirs"]
    assert kinds["theirs"] is Theirs
    assert "own, theirs" in kinds.unknown("thairs")


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("theirs", "no_such_package:Theirs", "must be importable"),
        ("theirs", f"{__name__}:missing", "must be importable"),
        ("other", f"{__name__}:Theirs", "must have the name of its thing"),
        ("own", f"{__name__}:Own", "none of tuner's own"),
    ],
)
def test_an_entry_point_that_breaks_a_rule_is_refused(monkeypatch, name, value, rule):
    with pytest.raises(UsageError, match=rule):
        list(registered(monkeypatch, **{name: value}))
