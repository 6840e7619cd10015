"""Storages for the tests of the doctor."""

from __future__ import annotations

import pytest

SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("sqlite", "postgres")]


@pytest.fixture(params=["journal", *SLOW])
def url(request) -> str:
    """The quickest storage to open; with the slow tests the others too."""
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch):
    """Nobody appends while these tests look: a torn record is torn."""
    monkeypatch.setattr("tuner.storage.journal.LOOK_AGAIN", 0.0)
