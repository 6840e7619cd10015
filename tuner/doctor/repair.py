"""What can be mended: a torn journal, locks of the dead, trials that nobody works on.

Doing it again does nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from optuna.study._frozen import FrozenStudy
from optuna.trial import TrialState

from tuner.doctor.artifacts import StudyFiles, files_of, orphaned
from tuner.doctor.examine import chosen
from tuner.doctor.studies import lost_tickets, numbered, stale_trials
from tuner.errors import TunerError
from tuner.search.budget import missing_tickets
from tuner.search.sweep import Sweeper
from tuner.search.tickets import unfollowed
from tuner.storage import storage_at
from tuner.storage.backend import Backend
from tuner.storage.check_result import Repair
from tuner.storage.quiet import quiet_optuna
from tuner.storage.retry import Retry
from tuner.study.definition import StudyDefinition
from tuner.study.stored import definition_in, read_total
from tuner.text import listed

RUNNING = TrialState.RUNNING
Tell = Callable[[str], None]


def repair(
    url: str | None,
    *,
    name: str | None = None,
    artifacts: str | None = None,
    grace: float = 60.0,
    interval: float = 10.0,
    tell: Tell = lambda line: None,
) -> list[Repair]:
    """Mend what is broken in the storage at `url`; what was done, one entry each.

    Args:
        name: only this study's trials; None: those of all studies.
        artifacts: the folder of the checkpoints; None: see `StorageKind.artifacts_folder`.
        grace, interval: seconds, of the workers' heartbeats: see `BeatWatch`. A silent trial of
            another machine is watched for as long as a worker would watch it.
        tell: told before a long wait.

    Raises:
        UsageError: a URL of no known form, no such study.
        StorageError: the storage cannot be used, or a living process writes to the journal.
    """
    quiet_optuna()
    storage = storage_at(url)
    if url is None and storage.absent:
        return []
    storage.require()
    with storage.errors():
        done = storage.repair_file()
        with storage.open_read_only() as looked:
            if looked is None:  # no tables yet
                return done
        backend = storage.backend(create=False)
        try:
            files: list[StudyFiles] = []
            for study in chosen(backend.storage.get_all_studies(), name):
                try:
                    definition = definition_in(study.user_attrs, study.study_name)
                except TunerError:  # not tuner's, or not to be read: `examine` says so
                    continue
                done += _repair_trials(backend, study, definition, grace, interval, tell)
                trials = backend.trials(study._study_id)
                files.append(files_of(study, trials, definition.retries))
            folder = storage.artifacts_folder(artifacts)
            if removed := orphaned(folder, files):
                for file in removed:
                    (folder / file).unlink(missing_ok=True)
                done.append(Repair("artifacts", f"removed {listed(removed, 3)} from {folder}"))
        finally:
            storage.close(backend.storage)
    return done


def _repair_trials(
    backend: Backend,
    study: FrozenStudy,
    definition: StudyDefinition,
    grace: float,
    interval: float,
    tell: Tell,
) -> list[Repair]:
    """Queue lost tickets; fail trials without a worker and queue their tickets again."""
    call = Retry(patience=60)
    name, study_id = study.study_name, study._study_id
    total = call(lambda: read_total(backend.storage, study_id))
    retries = definition.retries
    done: list[Repair] = []
    trials = call(lambda: backend.trials(study_id))
    if lost := lost_tickets(trials, total):
        new = missing_tickets(definition, trials, total)
        call(lambda: backend.add_trials(study_id, new))
        done.append(Repair("tickets", f"queued ticket {numbered(lost)}", name))
    sweeper = Sweeper(
        backend, study_id, call, retries=retries, grace=grace, interval=interval, every=0.0
    )
    # As long as a worker would watch, and a little for the looks themselves.
    until = time.monotonic() + max(grace, 2 * interval) + interval
    told_wait = False
    while True:
        trials = call(lambda: backend.trials(study_id))
        alone = unfollowed(trials, total, retries)
        for line in sweeper.sweep(trials, total):
            done.append(Repair("stale trials", f"{line}; its ticket waits again", name))
        if alone:
            done.append(Repair("followers", f"queued ticket {numbered(alone)} again", name))
        trials = call(lambda: backend.trials(study_id))
        beats = call(partial(backend.beats, study_id, [t for t in trials if t.state == RUNNING]))
        silent = stale_trials(trials, beats, grace=grace, now=time.time())
        if not silent or time.monotonic() >= until:
            return done
        if not told_wait:
            wait = until - time.monotonic()
            tell(f"{name}: watching {len(silent)} silent trials for up to {wait:.0f} s")
            told_wait = True
        time.sleep(min(0.5, interval / 4))
