"""The folder of artifacts: is there what trials name, and does somebody need what is there?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial

from tuner.search.checkpoints.checkpoints import Checkpoints, study_key
from tuner.search.checkpoints.store import AtomicFileStore
from tuner.search.tickets import settled_tickets
from tuner.storage.finding import Finding
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
    store = AtomicFileStore(folder)
    there = store.ages()
    found: list[Finding] = []
    for own in studies:
        if missing := [artifact for artifact in own.named if artifact not in there]:
            found.append(
                Finding(
                    "artifacts",
                    "warning",
                    f"what trials name is in the artifact folder; {folder} has no "
                    f"{listed(missing, 3)}: name the folder that has (--artifacts DIR or "
                    "TUNER_ARTIFACTS); results do not depend on it",
                    own.name,
                )
            )
    orphans = orphaned(folder, studies)
    held = sum(_bytes(folder / name) for name in there)
    if orphans:
        lost = sum(_bytes(folder / name) for name in orphans)
        text = (
            f"a checkpoint is one of a ticket still to be tried; {listed(orphans, 3)} in {folder} "
            f"({size_text(lost)}) is not, or was never finished: tuner doctor --repair removes it"
        )
        found.append(Finding("artifacts", "warning", text))
    elif not there:
        found.append(Finding("artifacts", "ok", f"no artifacts are kept in {folder}"))
    elif not found:
        files = counted(len(there), "file")
        text = f"{files} ({size_text(held)}) in {folder}, none of them without use"
        found.append(Finding("artifacts", "ok", text))
    return found


def orphaned(folder: Path, studies: Sequence[StudyFiles]) -> list[str]:
    """Names of the checkpoints that nobody comes back for, by the rule of the workers' own sweep
    (`Checkpoints.orphans`)."""
    store = AtomicFileStore(folder)
    names: set[str] = set()
    for own in studies:
        checkpoints = Checkpoints(store, own.key, warn=lambda text: None)
        names.update(checkpoints.orphans(lambda own=own: own.settled))  # type: ignore[misc]
    return sorted(names)


def remove_orphans(folder: Path, studies: Sequence[StudyFiles]) -> list[str]:
    """Remove `orphaned` files; the names of those that are gone."""
    names = orphaned(folder, studies)
    for name in names:
        (folder / name).unlink(missing_ok=True)
    return names


def _bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
