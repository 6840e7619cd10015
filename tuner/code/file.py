"""The file of a study's own code: written, looked at, and loaded where it is trusted."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.code.fingerprint import fingerprint
from tuner.code.modules import by_value
from tuner.code.spec import CodePart, CodeSpec, python_version
from tuner.errors import UsageError
from tuner.files import unreadable, write_whole
from tuner.kept import Kept
from tuner.text import path_text, quoted, said, shortened

#: In the folder of artifacts beside the storage.
FOLDER = "code"


def save(folder: Path, parts: Mapping[str, object], kept: Kept | None = None) -> CodeSpec:
    """Write the objects of `parts` (name to object) below `folder`, unless they are there already.

    `kept` takes back what is written, if nothing comes of it. Code of the program's own modules
    goes into the file; of installed packages only names do.

    Raises:
        UsageError: an object cannot be pickled, or the folder cannot be written.
    """
    import cloudpickle

    held = {}
    with by_value():
        for name, value in parts.items():
            try:
                held[name] = CodePart(what=described(value), hash=fingerprint(value))
                cloudpickle.dumps(value)
            except Exception as error:
                raise UsageError(
                    f"code of one's own goes to the workers as a pickle; {name} "
                    f"({described(value)}) cannot be pickled ({type(error).__name__}: "
                    f"{said(error)}). Available: what holds no open file, lock or connection"
                ) from error
        content = cloudpickle.dumps(dict(parts))
    digest = hashlib.sha256(content).hexdigest()[:32]
    _write(place(folder, digest), content, kept or Kept())
    return CodeSpec(file=digest, python=python_version(), parts=held)


def place(folder: Path, digest: str) -> Path:
    """The path of the file with that hash, in a folder of artifacts."""
    return folder / FOLDER / f"{digest}.pickle"


def trusted_file(spec: CodeSpec | None, folder: Path, study: str, *, trust: bool) -> str | None:
    """The hash of the file of a study's code, for `load`; None if it has none. Nothing is
    unpickled.

    Args:
        trust: whether somebody said that it may be loaded.

    Raises `UsageError` for code that nobody trusts, or that is not there.
    """
    if spec is None:
        return None
    _content(spec, folder, spec.file if trust else None, study)
    return spec.file


def load(spec: CodeSpec, folder: Path, trusted: str | None, study: str) -> dict[str, Any]:
    """The objects of a study's code by name.

    Args:
        folder: of the artifacts beside the storage.
        trusted: the hash of the file that may be loaded: what `trusted_file` gave to who said so.

    Raises `UsageError` as `trusted_file`, and if an import that they need is missing here.
    """
    content = _content(spec, folder, trusted, study)
    try:
        held: dict[str, Any] = pickle.loads(content)
    except Exception as error:
        raise UsageError(
            f"the code of study {quoted(study)} needs what it was written with; it cannot be "
            f"loaded here ({type(error).__name__}: {said(error)}). Available: the packages that it "
            "imports, in the same versions"
        ) from error
    return held


def described(value: object) -> str:
    """An object in a few words; of a metric its function."""
    value = getattr(value, "function", value)
    kind, name = "class" if isinstance(value, type) else "function", type(value).__qualname__
    own = getattr(value, "__qualname__", None)
    return shortened(name if own is None else f"{kind} {own}", 60)


def _content(spec: CodeSpec, folder: Path, trusted: str | None, study: str) -> bytes:
    file = place(folder, spec.file)
    what = ", ".join(f"{name} ({part.what})" for name, part in spec.parts.items())
    if trusted != spec.file:
        raise UsageError(
            "a study runs code of somebody's own only if it is trusted, for it may do anything; "
            f"study {quoted(study)} has {what} in {path_text(file)}. Available: --trust-code "
            "if you know who wrote it"
        )
    if spec.python != python_version():
        raise UsageError(
            f"compiled code fits the Python that made it; that of study {quoted(study)} is of "
            f"Python {spec.python}, this is {python_version()}. Available: Python {spec.python}"
        )
    if reason := unreadable(file):
        raise UsageError(
            f"a study's own code is in a file beside its storage; {path_text(file)}, of study "
            f"{quoted(study)}, {reason}. Available: the folder that has it (--artifacts), or the "
            "program that made the study, which writes it anew"
        )
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()[:32]
    if found != spec.file:
        raise UsageError(
            f"a study's own code is the file that it was made with; {path_text(file)} was changed "
            f"since: its hash is {found}. Available: the program that made the study "
            f"{quoted(study)}, which writes it anew"
        )
    return content


def _write(path: Path, content: bytes, kept: Kept) -> None:
    """Raises `UsageError` for a folder that cannot be written."""
    try:

        def write() -> None:
            write_whole(path, lambda file: file.write(content), mode=0o600)

        kept.have(path, write)
        if path.read_bytes() != content:  # changed by hand
            write()
    except OSError as error:
        raise UsageError(
            f"code of one's own is kept in a folder that can be written; {path_text(path.parent)}: "
            f"{error.strerror or error}. Available: storage= or artifacts= elsewhere"
        ) from error
