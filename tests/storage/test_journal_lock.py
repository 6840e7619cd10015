"""The lock of a journal: who holds it, and when it may be broken."""

from __future__ import annotations

import math
import os
import threading
import time

import pytest
from optuna.storages.journal import JournalFileOpenLock, JournalFileSymlinkLock

from tuner.errors import StorageError
from tuner.storage import journal_lock
from tuner.storage.journal_lock import (
    JournalLock,
    break_lock,
    lock_path,
    read_holder,
)
from tuner.storage.owner import is_gone, new_owner


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.log"


def dead_owner() -> str:
    """As of a process of this machine that has ended: its number is another one's by now."""
    place, number, _, name = new_owner().split(":")
    return f"{place}:{number}:1.00:{name}"


def test_the_lock_names_its_holder_and_leaves_nothing(path):
    lock = JournalLock(path)
    lock.acquire()
    holder = read_holder(lock_path(path))
    assert f":{os.getpid()}:" in holder
    assert not is_gone(holder)
    lock.release()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("patience", [math.inf, 10.0, 0.0])
def test_the_lock_of_a_dead_process_is_broken_at_once(path, patience, monkeypatch):
    monkeypatch.setattr(journal_lock, "GRACE", float("inf"))
    lock_path(path).write_text(dead_owner())
    assert is_gone(read_holder(lock_path(path)))
    taken = threading.Thread(target=JournalLock(path, patience).acquire, daemon=True)
    taken.start()
    taken.join(60)
    assert not taken.is_alive()
    assert f":{os.getpid()}:" in lock_path(path).read_text()
    assert [file.name for file in path.parent.iterdir()] == ["a.log.lock"]


@pytest.mark.parametrize("content", ["", "x", "elsewhere/1/2:77:1.00:abc"])
def test_a_lock_of_nobody_knows_whom_is_broken_after_it_was_watched(path, content, monkeypatch):
    monkeypatch.setattr(journal_lock, "GRACE", 0.05)
    for patience in (math.inf, 10.0, 0.0):
        lock_path(path).write_text(content)
        began = time.monotonic()
        JournalLock(path, patience).acquire()
        assert time.monotonic() - began >= 0.05
        assert f":{os.getpid()}:" in lock_path(path).read_text()


def test_a_living_holder_is_named(path):
    holder = JournalLock(path)
    holder.acquire()
    with pytest.raises(StorageError, match=f"by process {os.getpid()} on ") as error:
        JournalLock(path, 0.01).acquire()
    assert error.value.exit_code == 4
    assert holder.still_held


def test_who_was_taken_for_dead_does_not_release_anothers_lock(path):
    slow = JournalLock(path)
    slow.acquire()
    assert break_lock(lock_path(path), read_holder(lock_path(path)))
    assert not slow.still_held
    JournalLock(path).acquire()
    taken = read_holder(lock_path(path))
    slow.release()
    assert read_holder(lock_path(path)) == taken


def test_a_lock_that_has_changed_hands_is_given_back(path):
    """Two processes find a dead one's lock; the slower of them breaks what the quicker took."""
    lock_path(path).write_text("quicker")
    assert not break_lock(lock_path(path), "dead one")
    assert lock_path(path).read_text() == "quicker"
    assert [file.name for file in path.parent.iterdir()] == ["a.log.lock"]
    lock_path(path).unlink()
    assert not break_lock(lock_path(path), "dead one")


@pytest.mark.parametrize("kind", [JournalFileSymlinkLock, JournalFileOpenLock, JournalLock])
def test_it_excludes_optunas_own_locks_and_is_excluded(path, kind):
    path.touch()
    stock = kind(path if kind is JournalLock else str(path))
    ours = JournalLock(path)
    for first, second in ((stock, ours), (ours, stock)):
        first.acquire()
        taken = threading.Event()

        def take(second=second, taken=taken):
            second.acquire()
            taken.set()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        assert not taken.wait(0.05)
        first.release()
        assert taken.wait(30)
        thread.join()
        second.release()
    assert [file.name for file in path.parent.iterdir()] == ["a.log"]


def test_many_threads_hold_it_one_at_a_time(path):
    inside, most, turns = 0, 0, 0

    def work():
        nonlocal inside, most, turns
        for _ in range(20):
            lock = JournalLock(path)
            lock.acquire()
            inside += 1
            most = max(most, inside)
            time.sleep(0.0002)
            turns += 1
            inside -= 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, turns) == (1, 80)
