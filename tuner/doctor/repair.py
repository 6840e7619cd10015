"""What can be mended: a torn journal, locks of the dead, trials that nobody works on.

Doing it again does nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from optuna.study._frozen import FrozenStudy
from optuna.trial import TrialState

from tuner.doctor.artifacts import StudyFiles, files_of, remove_orphans
from tuner.doctor.examine import chosen
from tuner.doctor.finding import Repair
from tuner.doctor.journal import age_of, leftovers, look
from tuner.doctor.trials import lost_tickets, stale_trials, unfollowed
from tuner.errors import TunerError
from tuner.search.checkpoints.folder import artifacts_folder
from tuner.search.heartbeat import BeatWatch
from tuner.search.prepare import missing_tickets
from tuner.search.sweep import Sweeper
from tuner.storage.backend import Backend
from tuner.storage.choosing import backend_of
from tuner.storage.journal_lock import (
    GRACE,
    JournalLock,
    describe_holder,
    holder_is_dead,
    lock_path,
    read_holder,
)
from tuner.storage.journal_repair import Mended, mend_lines, mend_tail, scan_journal
from tuner.storage.opening import open_storage, storage_errors
from tuner.storage.quiet import quiet_optuna
from tuner.storage.read_only import close, is_absent, open_read_only, require_file
from tuner.storage.retry import Retry
from tuner.storage.urls import journal_path, storage_url
from tuner.study.definition import StudyDefinition
from tuner.study.stored import definition_in, read_total
from tuner.text import listed, size_text

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
        artifacts: the folder of the checkpoints; None: see `artifacts_folder`.
        grace, interval: seconds, of the workers' heartbeats: see `BeatWatch`. A silent trial of
            another machine is watched for as long as a worker would watch it.
        tell: told before a long wait.

    Raises:
        UsageError: a URL of no known form, no such study.
        StorageError: the storage cannot be used, or a living process writes to the journal.
    """
    quiet_optuna()
    default, url = url is None, storage_url(url)
    if default and is_absent(url):
        return []
    require_file(url)
    with storage_errors(url):
        path = journal_path(url)
        done = [] if path is None else repair_journal(path.absolute())
        looked = open_read_only(url)
        if looked is None:  # no tables yet
            return done
        close(looked)
        storage = open_storage(url, create=False)
        try:
            backend = backend_of(storage)
            files: list[StudyFiles] = []
            for study in chosen(storage.get_all_studies(), name):
                try:
                    definition = definition_in(study.user_attrs, study.study_name)
                except TunerError:  # not tuner's, or not to be read: `examine` says so
                    continue
                done += _repair_trials(backend, study, definition, grace, interval, tell)
                trials = backend.trials(study._study_id)
                files.append(files_of(study, trials, definition.retries))
            folder = artifacts_folder(artifacts, url)
            if removed := remove_orphans(folder, files):
                done.append(Repair("artifacts", f"removed {listed(removed, 3)} from {folder}"))
        finally:
            close(storage)
    return done


def repair_journal(path: Path) -> list[Repair]:
    """Cut off a torn tail, take broken lines out, remove the lock of a dead process and what it
    left, all under the journal's lock. Raises `StorageError` where a living process of this
    machine holds it for long."""
    scan, lock = look(path), lock_path(path)
    holder = read_holder(lock)
    dead = holder is not None and holder_is_dead(holder)
    stale = dead or (holder is not None and age_of(lock) > GRACE)
    if not (stale or scan.torn or scan.broken or leftovers(path)):
        return []
    done: list[Repair] = []
    own = JournalLock(path)
    own.acquire_to_repair()
    try:
        if stale:
            why = "which has ended" if dead else f"unchanged for {GRACE:.0f} s"
            done.append(Repair("locks", f"removed {lock.name} of {describe_holder(holder)}, {why}"))
        for file in leftovers(path):
            file.unlink(missing_ok=True)
            done.append(Repair("locks", f"removed {file.name}, which a dead process had left"))
        if mended := mend_lines(path, scan_journal(path)):
            done.append(_told(mended, "took {cut} of broken lines out of the journal"))
        if mended := mend_tail(path):
            done.append(_told(mended, "cut {cut} behind the journal's last whole record"))
    finally:
        own.release()
    return done


def _told(mended: Mended, what: str) -> Repair:
    rescued = f"; {mended.rescued} whole record among them was kept" if mended.rescued else ""
    text = f"{what.format(cut=size_text(mended.cut))}, kept in {mended.saved.name}{rescued}"
    return Repair("journal", text)


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
        told = listed([str(ticket) for ticket in lost])
        done.append(Repair("tickets", f"queued ticket {told}", name))
    watch = BeatWatch(grace, interval, lambda: call.outages)
    sweeper = Sweeper(backend, study_id, watch, retries=retries, call=call, every=0.0)
    # As long as a worker would watch, and a little for the looks themselves.
    until = time.monotonic() + max(grace, 2 * interval) + interval
    told_wait = False
    while True:
        trials = call(lambda: backend.trials(study_id))
        alone = unfollowed(trials, total, retries)
        for line in sweeper.sweep(trials, total):
            done.append(Repair("stale trials", f"{line}; its ticket waits again", name))
        if alone:
            told = listed([str(ticket) for ticket in alone])
            done.append(Repair("followers", f"queued ticket {told} again", name))
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
