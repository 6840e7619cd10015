"""A storage's file that is deleted, moved, replaced or cut during a search is missed at once."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from tests.search.test_full_disk import in_trial
from tests.support.fake_trainer import FakeTrainer
from tests.support.studies import definition, prepare, work
from tuner.errors import StorageError

GONE, OTHER = "deleted or moved away", "another file now"


def delete(file):
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()


def delete_alone(file):
    file.unlink()


def move_the_folder(file):
    file.parent.rename(file.parent.with_name("elsewhere"))


def replace(file):
    shutil.copy(file, file.with_name("copy"))
    os.replace(file.with_name("copy"), file)


def make_anew(file):
    file.unlink()
    prepare(("sqlite:///" if file.suffix == ".db" else "journal:") + str(file))


def empty(file):
    os.truncate(file, 0)


def cut(file):
    os.truncate(file, file.stat().st_size // 2)


def damages(*fast):
    """Those named are done with every change."""
    return pytest.mark.parametrize(
        ("damage", "told"),
        [
            pytest.param(damage, told, marks=[] if damage in fast else pytest.mark.slow)
            for damage, told in [
                (delete, GONE),
                (delete_alone, GONE),
                (move_the_folder, GONE),
                (replace, OTHER),
                (make_anew, f"{OTHER}|was cut off"),  # a journal made anew may look like that
                (empty, "was cut off"),
            ]
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )


@pytest.fixture(params=[".db", ".log"])
def file(request, tmp_path):
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / f"a{request.param}"


@damages(move_the_folder, empty)
@pytest.mark.parametrize("sampler", ["random", pytest.param("tpe", marks=pytest.mark.slow)])
def test_between_two_trials(file, damage, told, sampler):
    url = str(file)
    prepare(url, definition(sampler=sampler, pruner="none", trials=20))
    trainer = in_trial(2, lambda: damage(file))
    with pytest.raises(StorageError, match=told):
        work(url, trainer=trainer)
    assert len(trainer.stacks) == 2


@damages(delete, replace)
@pytest.mark.parametrize("pruner", ["none", pytest.param("median", marks=pytest.mark.slow)])
def test_within_two_heartbeats_of_a_long_trial(file, damage, told, pruner):
    url, damaged = str(file), []
    prepare(
        url,
        definition(
            {"optimizer.learning_rate": {"low": 0.1, "high": 1.0}, "epochs": 400},
            sampler="random",
            pruner=pruner,
            trials=2,
        ),
    )

    def epoch(params, number):
        if number == 2:
            damage(file)
            damaged.append(time.monotonic())

    trainer = FakeTrainer(fail=epoch, epoch_seconds=0.01, most=1)
    with pytest.raises(StorageError, match=told):
        work(url, trainer=trainer, heartbeat=0.2)
    assert time.monotonic() - damaged[0] < 1.5


def test_a_journal_that_was_cut(tmp_path):
    url = f"journal:{tmp_path}/a"
    prepare(url)
    with pytest.raises(StorageError, match="was cut off"):
        work(url, trainer=in_trial(2, lambda: cut(tmp_path / "a")))


def test_an_idle_worker_misses_it_too(file):
    """Another worker has the only trial."""
    from tuner.search.events import WorkerIdle
    from tuner.storage import storage_at

    url = str(file)
    prepare(url, definition(trials=1))
    backend = storage_at(url).backend()
    study_id = backend.storage.get_study_id_from_name("study")
    assert backend.pop(backend.trials(study_id)[0]._trial_id, "another/machine/1:5:0.00:x")

    def damage(event):
        if isinstance(event, WorkerIdle):
            delete(file)

    with pytest.raises(StorageError, match=GONE):
        work(url, on_event=damage)


def test_a_journal_that_another_one_was_copied_over(tmp_path):
    """The file is the same and grows."""
    prepare(f"journal:{tmp_path}/a", definition(trials=3))
    prepare(f"journal:{tmp_path}/b", definition(trials=60))
    trainer = in_trial(2, lambda: shutil.copyfile(tmp_path / "b", tmp_path / "a"))
    with pytest.raises(StorageError, match=OTHER):
        work(f"journal:{tmp_path}/a", trainer=trainer)
