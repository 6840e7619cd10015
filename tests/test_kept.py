"""Files named by their contents: taken back by who wrote them, unless somebody uses them."""

from __future__ import annotations

import pytest

from tuner.errors import StorageError, UsageError
from tuner.kept import Kept


def refused(kept: Kept) -> None:
    with kept:
        raise UsageError("no")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a" / "data" / "file"


def have(path, kept: Kept) -> Kept:
    kept.have(path, lambda: path.write_text("x") and None)
    return kept


def test_what_was_written_for_nothing_goes_with_its_folders(path, tmp_path):
    with pytest.raises(UsageError):
        refused(have(path, Kept()))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError), have(path, Kept()):  # a study may have been stored
        raise StorageError("gone")
    assert path.exists()
    with pytest.raises(UsageError):  # not its own
        refused(have(path, Kept()))
    assert path.exists()


@pytest.mark.parametrize("when", ["at work", "done", "refused"])
def test_what_another_one_has_begun_to_use_stays(path, when):
    mine = have(path, Kept())
    other = have(path, Kept())
    if when == "done":
        other.keep()
    elif when == "refused":
        other.take_back()
    with pytest.raises(UsageError):
        refused(mine)
    # One that came and went in vain has used it too: nobody can tell.
    assert path.exists()


def test_of_two_that_wrote_at_a_time_the_one_that_stores_keeps_it(path):
    mine, other = have(path, Kept()), Kept()
    path.unlink()
    have(path, other)
    mine.keep()
    with pytest.raises(UsageError):
        refused(other)
    assert path.exists()


def test_a_study_that_is_stored_keeps_its_files(path):
    kept = have(path, Kept())
    kept.keep()
    with pytest.raises(UsageError):
        refused(kept)
    assert path.exists()
