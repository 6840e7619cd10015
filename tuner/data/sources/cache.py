"""The folder that downloads go to, the download itself, and whether it is allowed."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from tuner.errors import DataError, MissingDataError
from tuner.files import expanded
from tuner.text import path_text, said

#: What the offline message offers instead.
ALTERNATIVES = (
    "Without a network use sklearn:digits (bundled with scikit-learn) or npz:PATH, csv:PATH, "
    "parquet:PATH with a file of your own"
)
TIMEOUT_S = 30.0


def cache_folder() -> Path:
    """`$TUNER_CACHE`, else `$XDG_CACHE_HOME/tuner`, else `~/.cache/tuner`; not created here."""
    own = os.environ.get("TUNER_CACHE")
    if own:
        return expanded(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (expanded(base) if base else Path.home() / ".cache") / "tuner"


_forbidden: ContextVar[bool] = ContextVar("downloads forbidden", default=False)


@contextmanager
def without_downloads() -> Iterator[None]:
    """Inside, what would be downloaded is a `MissingDataError`, and nothing is written."""
    token = _forbidden.set(True)
    try:
        yield
    finally:
        _forbidden.reset(token)


def check_allowed(source: str, file: Path) -> None:
    """Raise `MissingDataError` inside `without_downloads` if `file` is still to be fetched."""
    if _forbidden.get() and not file.is_file():
        raise MissingDataError(
            f"{source} is not on this machine: it is fetched when it is first used, into "
            f"{path_text(file)}"
        )


def download(url: str, file: Path, *, source: str, sha256: str | None = None) -> Path:
    """Fetch `url` into `file`, whole or not at all: written beside it, checked, then renamed, so
    that processes that fetch at the same time cannot see each other's halves.

    Args:
        source: the dataset's URI, for the message.
        sha256: the expected hash in hexadecimal; None: unchecked.

    Raises:
        MissingDataError: no network, or not allowed; the message names `file` and what can be used
            offline.
        DataError: a wrong hash, or a folder that cannot be written.
    """
    from urllib.request import urlopen

    check_allowed(source, file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise DataError(
            f"{source} is kept in {path_text(file)}, which cannot be written ({said(error)}); set "
            "TUNER_CACHE to a "
            f"folder that can. {ALTERNATIVES}"
        ) from error
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as out, urlopen(url, timeout=TIMEOUT_S) as response:
            while chunk := response.read(1 << 20):
                digest.update(chunk)
                out.write(chunk)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise DataError(
                f"{source} must have the SHA-256 {sha256}; {url} sent {digest.hexdigest()}. "
                f"Nothing was kept. {ALTERNATIVES}"
            )
        os.replace(part, file)
    except OSError as error:  # URLError, HTTPError and timeouts are among these
        raise offline(source, file, url, error) from error
    finally:
        Path(part).unlink(missing_ok=True)
    return file


def offline(source: str, file: Path, url: str, cause: Exception) -> MissingDataError:
    """The error of a source that is in no cache and cannot be fetched."""
    return MissingDataError(
        f"{source} is not on this machine (or damaged) and could not be fetched from {url} "
        f"({said(cause)}). It would be kept in {path_text(file)}: put the file there, or try "
        "again with a "
        "network. "
        f"{ALTERNATIVES}"
    )
