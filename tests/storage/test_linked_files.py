"""A storage's file by the name of a link to it is the same storage, with the same lock and log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import definition, load, prepare, work
from tuner.errors import StorageError
from tuner.storage import storage_at
from tuner.storage.journal_lock import lock_path


@pytest.fixture(params=["a.db", "a.log"])
def linked(request, tmp_path) -> tuple[Path, Path]:
    """A place for a storage, and a link of a link to it in another folder."""
    for folder in ("real", "links"):
        (tmp_path / folder).mkdir()
    file = tmp_path / "real" / request.param
    (tmp_path / "links" / "between").symlink_to(f"../real/{file.name}")
    link = tmp_path / "links" / f"link{file.suffix}"
    link.symlink_to("between")
    return file, link


def test_both_names_are_one_storage(linked, tmp_path):
    file, link = linked
    prepare(str(link), definition(trials=2))  # the link pointed nowhere
    assert work(str(link))[0] == "done"
    assert len(load(str(file)).trials) == 2
    assert sorted(path.name for path in link.parent.iterdir()) == ["between", link.name]
    by_link, by_name = storage_at(str(link)), storage_at(str(file))
    assert str(by_link).endswith(str(link))
    assert by_link.artifacts_folder(None) == by_name.artifacts_folder(None)


def test_journals_have_one_lock(tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.log").symlink_to(tmp_path / "b.log")
    opened: list[Any] = [
        storage_at(str(tmp_path / name)).open() for name in ("links/a.log", "b.log")
    ]
    locks = [storage._backend._lock for storage in opened]
    assert locks[0].acquire()
    assert lock_path(tmp_path / "b.log").exists()
    assert not locks[1]._take()
    locks[0].release()
    assert locks[1]._take()


def test_a_repair_mends_the_file_and_keeps_the_link(tmp_path):
    file, link = tmp_path / "b.log", tmp_path / "a.log"
    prepare(str(file), definition(trials=1))
    begin, *rest = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(begin + b"{}\n" + b"".join(rest))
    link.symlink_to(file.name)
    done = storage_at(str(link)).repair_file()
    assert [repair.check for repair in done] == ["journal"]
    assert os.path.islink(link)
    assert file.read_bytes() == begin + b"".join(rest)
    assert work(str(link))[0] == "done"


def test_a_link_that_is_turned_to_another_file_is_missed(linked, tmp_path):
    file, link = linked
    place = storage_at(str(link))
    prepare(str(link))
    prepare(str(other := tmp_path / f"other{file.suffix}"))
    assert place.lost() is None
    link.unlink()
    link.symlink_to(other)
    assert "another file now" in place.lost()


def test_a_link_to_a_folder_or_to_itself_is_refused(tmp_path):
    (tmp_path / "a.db").symlink_to(tmp_path)
    (tmp_path / "b.log").symlink_to("b.log")
    for name in ("a.db", "b.log"):
        with pytest.raises(StorageError, match=str(tmp_path)):
            storage_at(str(tmp_path / name)).open()
