"""Are the libraries those that tuner needs, and is there room for what a search writes?"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from tuner import __version__
from tuner.storage.check_result import Finding
from tuner.text import size_text

#: tuner's own name as a distribution, in pyproject.toml.
DISTRIBUTION = "keras-mlp-tuner"
#: What a score depends on; the others are named only if something is wrong with them.
SHOWN = ("tensorflow", "keras", "optuna", "scikit-learn", "numpy", "sqlalchemy")
#: The same library under other names.
_ALSO = {"tensorflow": ("tensorflow-cpu", "tensorflow-intel", "tf-nightly")}
#: Bytes below which a search may end soon, and below which it hardly begins.
LITTLE, NONE = 2**30, 50 * 2**20


def installed(name: str) -> str | None:
    """The version of a distribution; None if it is not installed."""
    for own in (name, *_ALSO.get(name, ())):
        try:
            return version(own)
        except PackageNotFoundError:
            continue
    return None


def check_versions(
    needed: Iterable[str] | None = None, found: Callable[[str], str | None] = installed
) -> Finding:
    """Whether what is installed is what tuner needs, read from metadata: importing takes seconds.

    Args:
        needed: requirements as in pyproject.toml; None: tuner's own.
        found: distribution to its version.
    """
    rules = [Requirement(text) for text in (_own() if needed is None else needed)]
    wrong = []
    for rule in rules:
        if rule.marker is not None and not rule.marker.evaluate({"extra": ""}):
            continue
        have = found(rule.name)
        if have is None:
            wrong.append(f"{rule.name}{rule.specifier} (not installed)")
        elif not rule.specifier.contains(have, prereleases=True):
            wrong.append(f"{rule.name}{rule.specifier} (installed: {have})")
    shown = ", ".join(f"{name} {found(name) or 'missing'}" for name in SHOWN)
    machine = f"Python {platform.python_version()}, tuner {__version__}"
    if wrong:
        names = " ".join(f"'{text.split(' ')[0]}'" for text in wrong)
        return Finding(
            "versions",
            "error",
            f"tuner needs other libraries than those here: {', '.join(wrong)}; install them: "
            f"pip install {names}",
        )
    return Finding("versions", "ok", f"{machine}, {shown}")


def _own() -> list[str]:
    try:
        return requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # run from its source alone
        return []


def check_disk(path: Path | None) -> Finding:
    """The disk of the storage's file; None (a server): of the working directory, where its
    artifacts are."""
    folder = (Path() if path is None else path.parent).absolute()
    while not folder.exists():
        folder = folder.parent
    return judge_space(shutil.disk_usage(folder).free, folder)


def judge_space(free: int, folder: Path) -> Finding:
    """`free`: bytes."""
    if free >= LITTLE:
        return Finding("disk", "ok", f"{size_text(free)} are free in {folder}")
    return Finding(
        "disk",
        "error" if free < NONE else "warning",
        f"a search wants {size_text(LITTLE)} of free disk for trials and checkpoints; {folder} has "
        f"{size_text(free)}: make room, or put the storage elsewhere (--storage)",
    )
