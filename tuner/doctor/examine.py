"""All checks of a storage, in order. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from tuner.doctor.artifacts import StudyFiles, check_artifacts, files_of
from tuner.doctor.machine import check_disk, check_versions
from tuner.doctor.studies import DataCheck, Describe, check_definition, check_trials, deleting
from tuner.errors import StorageError, UsageError, unknown
from tuner.storage import records, storage_at
from tuner.storage.check_result import Finding, WriteStep
from tuner.storage.quiet import quiet_optuna
from tuner.storage.urls import typed
from tuner.study.data import describe_data
from tuner.study.stored import read_total
from tuner.text import time_text

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study._frozen import FrozenStudy

    from tuner.storage.backend import Backend

#: Seconds above which a step slows a search down.
SLOW = 1.0


@dataclass(frozen=True)
class Diagnosis:
    """What was found; `reachable`: whether the storage could be opened."""

    findings: tuple[Finding, ...]
    reachable: bool = True

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
) -> Diagnosis:
    """Check the storage at `url` (None: the default one), its studies, and this machine.

    Args:
        name: check this study alone; None: all of them.
        artifacts: the folder of the checkpoints; None: see `StorageKind.artifacts_folder`.
        grace: seconds that a worker may be silent.
        describe: loads a definition's data.
        write: a write step just taken, to be told with the rest.

    Raises `UsageError` for a URL of no known form, and for a study that does not exist.
    """
    quiet_optuna()
    storage = storage_at(url)
    machine = [check_versions(), check_disk(storage.file)]
    if url is None and storage.absent:
        text = f"there is no storage yet: {storage} is made when it is first used"
        return Diagnosis((Finding("storage", "ok", text), *machine))
    own: list[Finding] = []
    studies: list[Finding] = []
    try:
        storage.require()
        machine += storage.check_file()
        if _blocked(machine):
            return Diagnosis(tuple(machine))
        with storage.errors():
            own += [*storage.check_schema(), *storage.check_clock(write)]
            product = storage.product()
        if _blocked(own):
            return Diagnosis((*own, *machine))
        began = time.perf_counter()
        with storage.open_read_only() as opened:
            seconds = time.perf_counter() - began
            read = None if opened is None else time_read(opened)
            own.insert(0, _reached(f"{product} at {storage}", seconds, read, write))
            if opened is not None:
                try:
                    with storage.errors():
                        meant = chosen(opened.get_all_studies(), name)
                        folder = storage.artifacts_folder(artifacts)
                        steps = storage.steps(opened)
                        studies = _check_studies(steps, meant, folder, grace, describe, typed(url))
                except StorageError as error:
                    studies = [Finding("studies", "error", str(error))]
    except (StorageError, OSError) as error:
        own = [Finding("storage", "error", str(error)), *own]
        return Diagnosis((*own, *machine), reachable=False)
    return Diagnosis((*own, *machine, *studies))


def time_write(url: str | None) -> WriteStep | None:
    """Write to the storage, but change nothing. None if there is no storage or no table yet, and
    for a proxy, which has no such step. Raises `StorageError`."""
    storage = storage_at(url)
    if url is None and storage.absent:
        return None
    storage.require()
    with storage.errors():
        return storage.time_write()


def time_read(storage: BaseStorage) -> float:
    """Seconds for the list of studies."""
    began = time.perf_counter()
    storage.get_all_studies()
    return time.perf_counter() - began


def _blocked(findings: Sequence[Finding]) -> bool:
    return any(finding.blocks for finding in findings)


def _reached(what: str, opened: float, read: float | None, write: WriteStep | None) -> Finding:
    """`opened`, `read`: seconds."""
    steps = {"read": read, "write": None if write is None else write.seconds}
    taken = {name: seconds for name, seconds in steps.items() if seconds is not None}
    told = [f"a {name} step takes {time_text(seconds)}" for name, seconds in taken.items()]
    text = "; ".join([f"{what}, opened in {time_text(opened)}", *told])
    if max(taken.values(), default=0.0) <= SLOW:
        return Finding("storage", "ok", text)
    return Finding(
        "storage",
        "warning",
        f"a step takes less than {time_text(SLOW)}; {text}: is the network slow, or the machine "
        "overloaded? Workers wait for several steps a trial",
    )


def _check_studies(
    backend: Backend,
    studies: Sequence[FrozenStudy],
    folder: Path,
    grace: float,
    describe: Describe,
    place: str,
) -> list[Finding]:
    """Each of the studies, and the `folder` of their artifacts; `place`: see `typed`."""
    check_data = DataCheck(describe)
    findings: list[Finding] = []
    files: list[StudyFiles] = []
    for study in studies:
        name, study_id = study.study_name, study._study_id
        trials = backend.trials(study_id)
        found, definition = check_definition(name, study.user_attrs, len(trials), place)
        findings.append(found)
        if definition is None:
            continue
        files.append(files_of(study, trials, definition.retries))
        try:
            total = read_total(backend.storage, study_id)
        except StorageError as error:
            text = f"{error}; {deleting(name, place)}"
            findings.append(Finding("tickets", "error", text, name))
            continue
        running = [trial for trial in trials if trial.state == TrialState.RUNNING]
        stored = str(study.user_attrs[records.STUDY_DATA_HASH])
        findings += [
            check_data(name, definition, stored),
            *check_trials(
                name,
                trials,
                backend.beats(study_id, running),
                total=total,
                retries=definition.retries,
                grace=grace,
                now=time.time(),
            ),
        ]
    return check_artifacts(folder, files) + findings


def chosen(studies: Sequence[FrozenStudy], name: str | None) -> list[FrozenStudy]:
    """Those that are meant: all, or the one of that name. Raises `UsageError` for no such."""
    found = [study for study in studies if name in (None, study.study_name)]
    if name is not None and not found:
        raise UsageError(unknown("study", name, sorted(study.study_name for study in studies)))
    return found
