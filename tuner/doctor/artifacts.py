"""The folder of artifacts: is there what trials name, and does somebody need what is there?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial

from tuner.search.checkpoints.checkpoints import Checkpoints, study_key
from tuner.search.checkpoints.store import AtomicFileStore
from tuner.search.tickets import settled_tickets
from tuner.storage.check_result import Finding
from tuner.text import counted, listed, size_text

if TYPE_CHECKING:
    from optuna.study._frozen import FrozenStudy

#: Of the attributes under which Optuna keeps what it knows of an artifact.
_PREFIX = "artifacts:"


@dataclass(frozen=True)
class StudyFiles:
    """What a study has to do with the folder.

    Attributes:
        key: begins the names of its checkpoints, see `study_key`.
        settled: tickets that have ended, and need no checkpoint.
        named: ids of the artifacts that the study and its trials name.
    """

    name: str
    key: str
    settled: frozenset[int]
    named: tuple[str, ...]


def files_of(study: FrozenStudy, trials: Sequence[FrozenTrial], retries: int) -> StudyFiles:
    """What a study, all of its `trials` given, has to do with the folder."""
    holders = [study.system_attrs, *(trial.system_attrs for trial in trials)]
    texts = [v for own in holders for k, v in own.items() if k.startswith(_PREFIX)]
    named = tuple(str(json.loads(text)["artifact_id"]) for text in texts)
    settled = frozenset(settled_tickets(trials, retries))
    return StudyFiles(study.study_name, study_key(study), settled, named)


def check_artifacts(folder: Path, studies: Sequence[StudyFiles]) -> list[Finding]:
    """One finding a study that misses something, and one of the folder. Changes nothing."""
    there = AtomicFileStore(folder).ages()
    found = []
    for study in studies:
        if missing := [artifact for artifact in study.named if artifact not in there]:
            text = (
                f"what trials name is in the artifact folder; {folder} has no "
                f"{listed(missing, 3)}: name the folder that has (--artifacts DIR or "
                "TUNER_ARTIFACTS); results do not depend on it"
            )
            found.append(Finding("artifacts", "warning", text, study.name))
    if orphans := orphaned(folder, studies):
        text = (
            f"a checkpoint is one of a ticket still to be tried; {listed(orphans, 3)} in {folder} "
            f"({_size(folder, orphans)}) is not, or was never finished: tuner doctor --repair "
            "removes it"
        )
        return [*found, Finding("artifacts", "warning", text)]
    if not there:
        return [*found, Finding("artifacts", "ok", f"no artifacts are kept in {folder}")]
    files = f"{counted(len(there), 'file')} ({_size(folder, there)})"
    text = f"{files} in {folder}, none of them without use"
    return found or [Finding("artifacts", "ok", text)]


def orphaned(folder: Path, studies: Sequence[StudyFiles]) -> list[str]:
    """Names of the checkpoints that nobody comes back for, by the rule of the workers' own sweep
    (`Checkpoints.orphans`)."""
    store = AtomicFileStore(folder)
    names: set[str] = set()
    for study in studies:
        checkpoints = Checkpoints(store, study.key, warn=lambda text: None)
        names.update(checkpoints.orphans(lambda study=study: study.settled))  # type: ignore[misc]
    return sorted(names)


def _size(folder: Path, names: Iterable[str]) -> str:
    total = 0
    for name in names:
        with suppress(FileNotFoundError):  # a worker was quicker
            total += (folder / name).stat().st_size
    return size_text(total)
