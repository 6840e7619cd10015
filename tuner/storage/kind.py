"""A storage of some kind, made from its URL once: its name in messages, how it is opened, what its
errors mean. Each kind is one class in one file; `tuner.storage.urls` lists them."""

from __future__ import annotations

import os
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage

from tuner.errors import StorageError, TunerError
from tuner.masking import display_url, hide, is_well_formed
from tuner.storage.backend import Backend
from tuner.storage.check_result import Finding, Repair, WriteStep
from tuner.storage.failures import first_line, is_full, root_cause

#: In the working directory, beside the study definitions; made when first used.
DEFAULT_FOLDER = Path("studies")
#: Names the folder of the checkpoints unless a flag does.
ARTIFACTS = "TUNER_ARTIFACTS"


@dataclass(frozen=True, repr=False)
class StorageKind(ABC):
    """A storage. Nothing is opened or looked at before a method is called that does so.

    As text it is its URL with what may be secret as ***, fit for messages.

    Attributes:
        url: normal form, with its password.
    """

    #: How its URL is written.
    FORMS: ClassVar[tuple[str, ...]]
    #: Whether it is a server, which other machines reach.
    REMOTE: ClassVar[bool] = True
    #: Whether other processes can reach it.
    SHARED: ClassVar[bool] = True
    #: What has to be right for it to be reached, for messages.
    LOGIN: ClassVar[str] = "host, database, user and password"

    url: str

    @classmethod
    @abstractmethod
    def read(cls, text: str) -> Self | None:
        """The storage that `text` names; None if it names one of another kind.

        Raises `UsageError` for a text of this kind that breaks its rule.
        """

    @abstractmethod
    def _open(self) -> BaseStorage:
        """The storage, its tables made if need be."""

    @abstractmethod
    def steps(self, storage: BaseStorage) -> Backend:
        """The steps of a worker in this storage, once opened."""

    def __str__(self) -> str:
        return display_url(self.url)

    @property
    def file(self) -> Path | None:
        """None for a server."""
        return None

    @property
    def absent(self) -> bool:
        """Whether it is a file that does not exist."""
        return self.file is not None and not os.path.exists(self.file)

    @property
    def here_alone(self) -> str | None:
        """What it is, if it is reached from this machine alone, for messages; else None."""
        return None

    def artifacts_folder(self, flag: str | None) -> Path:
        """The folder of its studies' checkpoints: `flag`, else `TUNER_ARTIFACTS`, else `artifacts`
        beside its file, else `studies/artifacts` of the working directory. It need not exist."""
        if named := flag or os.environ.get(ARTIFACTS):
            return Path(named)
        return (DEFAULT_FOLDER if self.file is None else self.file.parent) / "artifacts"

    def data_folder(self, flag: str | None) -> Path:
        """The folder of data that came from Python, see `tuner.data.saved`; `flag` as above."""
        return self.artifacts_folder(flag).absolute() / "data"

    def require(self) -> None:
        """Raises `StorageError` if it is a file that does not exist."""
        if self.absent:
            raise StorageError(f"there is no storage at {self}: the file does not exist")

    def open(self, *, create: bool = True) -> BaseStorage:
        """The storage, as an Optuna storage that several processes can share.

        SQLite files and journals are made if they do not exist, folders included, unless `create`
        is false; the schema of a database is made once, however many processes open it at a time.

        Raises:
            UsageError: a driver that is not installed.
            StorageError: it does not exist (`create=False`), cannot be reached or written, or has
                the schema of another Optuna. Nothing was changed.
        """
        if not create:
            self.require()
        with self.errors():
            self._prepare()
            return self._open()

    @contextmanager
    def open_read_only(self) -> Iterator[BaseStorage | None]:
        """The storage, to be read: nothing is made, changed or left behind. None if it has no
        tables yet.

        Raises:
            UsageError: a driver that is not installed.
            StorageError: it does not exist, cannot be reached or read, or has the schema of
                another Optuna; and what `errors` makes of an error inside the context.
        """
        self.require()
        with self.errors():
            storage = self._open_read_only()
            try:
                yield storage
            finally:
                if storage is not None:
                    self.close(storage)

    def _prepare(self) -> None:  # noqa: B027
        """What comes before `_open`, but not before reading."""

    def _open_read_only(self) -> BaseStorage | None:
        return self._open()

    def close(self, storage: BaseStorage) -> None:  # noqa: B027
        """Let go of an opened storage's connections, if it has any."""

    def backend(self, *, create: bool = True) -> Backend:
        """As `open`; the steps of a worker in it."""
        return self.steps(self.open(create=create))

    # What `tuner doctor` asks. Nothing is changed but by `repair_file`; within `errors`.
    @abstractmethod
    def product(self) -> str:
        """What it is, with its version."""

    def check_file(self) -> list[Finding]:
        """Is its file sound? Raises OSError."""
        return []

    def check_schema(self) -> list[Finding]:
        """Are its tables those of the installed Optuna?"""
        return []

    def check_clock(self, write: WriteStep | None) -> list[Finding]:
        """Clock and time zone of who stamps what is written; `write`: a step just taken."""
        return []

    def time_write(self) -> WriteStep | None:
        """Write without changing anything; None if there is nothing yet that could be written."""
        return None

    def repair_file(self) -> list[Repair]:
        """Mend its file. Raises `StorageError` if a living process works on it."""
        return []

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what the storage, its driver or the file system raises into `StorageError`."""
        try:
            yield
        except TunerError:
            raise
        except Exception as error:
            text = self.explain(error)
            if text is None:
                raise
            raise StorageError(text) from error

    def explain(self, error: Exception) -> str | None:
        """What an error of this storage means and what to do; None if it is no error of it."""
        from sqlalchemy.exc import SQLAlchemyError

        if not isinstance(error, (SQLAlchemyError, StorageInternalError, sqlite3.Error, OSError)):
            return None
        if is_full(error):
            return (
                f"a storage needs room to write; the disk of {self} is full, or its quota used up "
                f"({self._told(error)}). What was stored is kept. Available: make room there"
            )
        return self._unusable(self._told(error))

    def _told(self, error: Exception) -> str:
        """What the driver says, without what is secret of the URL; of a URL with a character too
        many nobody knows what the driver took for what."""
        told = hide(first_line(error), self.url, str(self))
        if not is_well_formed(self.url):
            told = (
                "the URL is not well-formed; in a password, @ is written %40, / %2F, ? %3F, # %23"
            )
        return f"{type(root_cause(error)).__name__}: {told}"

    def lost(self) -> str | None:
        """What became of its file since first asked, if it is not in place any more."""
        return None

    def _unusable(self, reason: str) -> str:
        return (
            f"the storage {self} cannot be reached or used ({reason}). Is the server up, and are "
            f"{self.LOGIN} right? Available: another --storage"
        )


def split_scheme(text: str) -> tuple[str, str]:
    """Scheme and what follows its colon; an empty scheme for a path (`C:` begins one too)."""
    scheme, colon, rest = text.partition(":")
    return (scheme, rest) if colon and re.match(r"[a-zA-Z][a-zA-Z0-9+]+$", scheme) else ("", text)
