"""A disk without room, or one that nobody may write any more, is named; nothing is lost."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from optuna.trial import TrialState

from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, load, of, prepare, work
from tuner.errors import StorageError
from tuner.search.events import WorkerWarning
from tuner.storage.owner import process_name
from tuner.workers.hand_back import WorkerDeath
from tuner.workers.lost_trials import hand_back_trials

TRIALS = 6


@pytest.fixture(params=["sqlite:///", "journal:"])
def url_on(request):
    """From a folder to a storage in it."""
    return lambda folder: f"{request.param}{folder}/a"


@pytest.fixture(params=["random", pytest.param("tpe", marks=pytest.mark.slow)])
def made(request):
    """Of a study whose trials share stacks, and of one that writes in every epoch."""
    prunes = request.param == "tpe"
    pruner = "median" if prunes else "none"
    changes = {"sampler": request.param, "pruner": pruner, "trials": TRIALS, "retries": 0}
    return definition({"optimizer.learning_rate": {"low": 0.1, "high": 1.0}}, **changes)


def in_trial(number, damage):
    """A trainer during whose training of that number (from 1) `damage` is done."""

    def epoch(params, number_of_epoch):
        if len(trainer.stacks) == number and number_of_epoch == 2:
            damage()

    trainer = FakeTrainer(fail=epoch, most=1)
    return trainer


def hand_back(url):
    """As the command does for a worker that ended."""
    hand_back_trials(url, "study", WorkerDeath(process_name(os.getpid()), "ended", "nobody"))


def goes_on_exactly(url):
    """No ticket is lost, none runs twice, and no attempt was spent: a retry is not allowed."""
    hand_back(url)
    reason, events = work(url)
    assert reason == "done"
    assert not of(WorkerWarning, events)
    counted = Counter(
        trial.user_attrs["ticket"]
        for trial in load(url).trials
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    )
    assert counted == dict.fromkeys(range(TRIALS), 1)


def test_a_full_disk_is_named_and_resume_goes_on_exactly(small_disk, url_on, made):
    url = url_on(small_disk.folder)
    prepare(url, made)
    trainer = in_trial(3, small_disk.fill)
    with pytest.raises(StorageError, match=r"the disk of .* is full") as failed:
        work(url, trainer=trainer)
    assert str(small_disk.folder) in str(failed.value)
    assert "make room" in str(failed.value)
    assert len(trainer.stacks) <= 5  # what still had room was stored
    small_disk.make_room()
    goes_on_exactly(url)


def test_a_disk_that_is_full_before_the_study_is_made(small_disk, url_on, made):
    url = url_on(small_disk.folder)
    small_disk.fill()
    with pytest.raises(StorageError, match=r"the disk of .* is full"):
        prepare(url, made)
    small_disk.make_room()
    prepare(url, made)
    goes_on_exactly(url)


def test_a_file_that_may_not_grow(tmp_path, url_on, made):
    """As with a quota, the system refuses with an error of its own."""
    resource = pytest.importorskip("resource")
    url, before = url_on(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    prepare(url, made)

    def limit():
        largest = max(file.stat().st_size for file in tmp_path.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))

    try:
        with pytest.raises(StorageError, match=r"the disk of .* is full.*too large"):
            work(url, trainer=in_trial(2, limit))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    goes_on_exactly(url)


def test_a_disk_that_becomes_read_only(small_disk, made):
    """A file that SQLite has open keeps a disk from being mounted anew."""
    url = f"journal:{small_disk.folder}/a"
    prepare(url, made)
    with pytest.raises(StorageError, match=r"cannot be used .*Read-only file system"):
        work(url, trainer=in_trial(2, small_disk.read_only))
    small_disk.read_only(False)
    goes_on_exactly(url)
