"""All checks of a storage, in order. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from tuner.doctor.artifacts import StudyFiles, check_artifacts, files_of
from tuner.doctor.data import DataCheck, Describe
from tuner.doctor.disk import check_disk
from tuner.doctor.finding import Finding
from tuner.doctor.journal import check_journal, check_lock, look
from tuner.doctor.sqlite_file import check_integrity, check_making_lock
from tuner.doctor.steps import WriteStep
from tuner.doctor.storage import reach
from tuner.doctor.studies import check_definition
from tuner.doctor.trials import check_trials
from tuner.doctor.versions import check_versions
from tuner.errors import StorageError, UsageError, unknown
from tuner.search.checkpoints.folder import artifacts_folder
from tuner.storage import records
from tuner.storage.choosing import backend_of
from tuner.storage.opening import storage_errors
from tuner.storage.quiet import quiet_optuna
from tuner.storage.read_only import close, is_absent, require_file
from tuner.storage.urls import display_url, journal_path, sqlite_path, storage_url
from tuner.study.data import describe_data
from tuner.study.stored import read_total

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study._frozen import FrozenStudy

    from tuner.storage.backend import Backend


@dataclass(frozen=True)
class Report:
    """What was found; `reachable`: whether the storage could be opened."""

    findings: tuple[Finding, ...]
    reachable: bool

    @property
    def sound(self) -> bool:
        """No error among the findings."""
        return all(finding.state != "error" for finding in self.findings)


def examine(
    url: str | None,
    *,
    name: str | None = None,
    artifacts: str | None = None,
    grace: float = 60.0,
    describe: Describe = describe_data,
    write: WriteStep | None = None,
) -> Report:
    """Check the storage at `url` (None: the default one), its studies, and this machine.

    Args:
        name: check this study alone; None: all of them.
        artifacts: the folder of the checkpoints; None: see `artifacts_folder`.
        grace: seconds that a worker may be silent.
        describe: loads a definition's data.
        write: a write step just taken, to be told with the rest.

    Raises `UsageError` for a URL of no known form, and for a study that does not exist.
    """
    quiet_optuna()
    default, url = url is None, storage_url(url)
    found = [check_versions(), check_disk(sqlite_path(url) or journal_path(url))]
    if default and is_absent(url):
        said = f"there is no storage yet: {display_url(url)} is made when it is first used"
        return Report((Finding("storage", "ok", said), *found), True)
    try:
        require_file(url)
        whole = _check_file(url, found)
    except (StorageError, OSError) as error:
        return Report((Finding("storage", "error", str(error)), *found), False)
    if not whole:  # nobody can open it
        return Report(tuple(found), True)
    reached = reach(url, write)
    found = [*reached.findings, *found]
    if reached.storage is None:
        return Report(tuple(found), reached.reachable)
    try:
        with storage_errors(url):
            folder = artifacts_folder(artifacts, url)
            found += _check_studies(reached.storage, name, grace, DataCheck(describe), folder)
    except StorageError as error:
        found.append(Finding("studies", "error", str(error)))
    finally:
        close(reached.storage)
    return Report(tuple(found), True)


def _check_file(url: str, found: list[Finding]) -> bool:
    """Add what there is to say of the storage's file; False where it cannot be read. Raises
    OSError."""
    if (path := sqlite_path(url)) is not None:
        found += [check_integrity(path), check_making_lock(path)]
    if (path := journal_path(url)) is not None:
        scan = look(path)
        found += [check_journal(path, scan), check_lock(path)]
        return not scan.broken
    return True


def _check_studies(
    storage: BaseStorage, name: str | None, grace: float, data: DataCheck, folder: Path
) -> list[Finding]:
    backend = backend_of(storage)
    found: list[Finding] = []
    files: list[StudyFiles] = []
    for study in chosen(storage.get_all_studies(), name):
        found += _check_study(backend, study, grace, data, files)
    return check_artifacts(folder, files) + found


def _check_study(
    backend: Backend,
    study: FrozenStudy,
    grace: float,
    data: DataCheck,
    files: list[StudyFiles],
) -> list[Finding]:
    """Adds what the study has to do with the artifact folder to `files`."""
    name, study_id = study.study_name, study._study_id
    trials = backend.trials(study_id)
    said, definition = check_definition(name, study.user_attrs, len(trials))
    if definition is None:
        return [said]
    files.append(files_of(study, trials, definition.retries))
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    return [
        said,
        data(name, definition, str(study.user_attrs[records.STUDY_DATA_HASH])),
        *check_trials(
            name,
            trials,
            backend.beats(study_id, running),
            total=read_total(backend.storage, study_id),
            retries=definition.retries,
            grace=grace,
            now=time.time(),
        ),
    ]


def chosen(studies: Sequence[FrozenStudy], name: str | None) -> list[FrozenStudy]:
    """Those that are meant: all, or the one of that name. Raises `UsageError` for no such."""
    found = [study for study in studies if name in (None, study.study_name)]
    if name is not None and not found:
        raise UsageError(unknown("study", name, sorted(study.study_name for study in studies)))
    return found
