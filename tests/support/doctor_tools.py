"""What the tests of the doctor share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.studies import FACTS
from tuner.doctor import Diagnosis, Finding, examine
from tuner.storage import storage_at
from tuner.storage.backend import Backend
from tuner.storage.owner import new_owner


def look(url: str | None, **settings: Any) -> Diagnosis:
    """`examine`, with the data that the tests' studies are made on."""
    settings.setdefault("describe", lambda definition: FACTS)
    return examine(url, **settings)


def wrong(found: Diagnosis | Iterable[Finding]) -> dict[str, str]:
    """Check to text, of everything that is not ok."""
    findings = found.findings if isinstance(found, Diagnosis) else found
    return {finding.check: finding.text for finding in findings if finding.state != "ok"}


def said(report: Diagnosis, check: str) -> Finding:
    [finding] = [finding for finding in report.findings if finding.check == check]
    return finding


def dead_owner() -> str:
    """As of a process of this machine that has ended: its number is another one's by now."""
    place, number, _, name = new_owner().split(":")
    return f"{place}:{number}:1.00:{name}"


def opened(url: str, name: str = "study") -> tuple[Backend, int]:
    """The backend, and the study's id."""
    backend = storage_at(url).backend()
    return backend, backend.storage.get_study_id_from_name(name)


def pop(url: str, owner: str, number: int = 0) -> int:
    """Let `owner` take the trial with that number; its id."""
    backend, study_id = opened(url)
    trial_id = backend.trials(study_id)[number]._trial_id
    assert backend.pop(trial_id, owner)
    return trial_id


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a folder, with its time."""
    return {
        file.name: (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.iterdir()
        if file.is_file()
    }
