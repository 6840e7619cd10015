"""Which storage is meant: flag, environment, default; and how it is named in messages."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

from tuner.errors import UsageError

#: In the working directory, beside the study definitions; the folder is made when first used.
DEFAULT_PATH = Path("studies") / "tuner.db"
ENVIRONMENT = ("TUNER_STORAGE", "OPTUNA_STORAGE")
FORMS = (
    "sqlite:///PATH",
    "PATH.db",
    "journal:PATH",
    "PATH.log",
    "postgresql://USER:PASSWORD@HOST/DATABASE",
    "mysql://USER:PASSWORD@HOST/DATABASE",
)

# Drivers in the order they are looked for where the URL names none.
_DRIVERS = {"postgresql": ("psycopg", "psycopg2"), "mysql": ("pymysql", "MySQLdb")}
_DIALECT = {"psycopg": "psycopg", "psycopg2": "psycopg2", "pymysql": "pymysql", "MySQLdb": ""}


def default_storage_url() -> str:
    """The storage of a command without `--storage`: `TUNER_STORAGE`, else `OPTUNA_STORAGE`, else
    the SQLite file `studies/tuner.db` of the working directory."""
    for name in ENVIRONMENT:
        if value := os.environ.get(name):
            return normal_url(value)
    return f"sqlite:///{DEFAULT_PATH.as_posix()}"


def storage_url(flag: str | None) -> str:
    """The storage meant by a command: `flag`, or `default_storage_url()` where it is None."""
    return normal_url(flag) if flag else default_storage_url()


def normal_url(text: str) -> str:
    """`text` in the form that `open_storage` takes: `journal:PATH` or a SQLAlchemy URL.

    A path that ends in .log is a journal, one in .db, .sqlite or .sqlite3 a SQLite file;
    `postgres://` is written `postgresql://`. Raises `UsageError` for anything else.
    """
    scheme, _, rest = text.partition(":")
    if not re.match(r"^[a-zA-Z][a-zA-Z0-9+]+:", text):
        if text.endswith(".log"):
            return f"journal:{text}"
        if text.endswith((".db", ".sqlite", ".sqlite3")):
            return f"sqlite:///{Path(text).as_posix()}"
    elif scheme == "sqlite":
        if rest.startswith("///") and rest.strip("/") not in ("", ":memory:"):
            return text
        raise UsageError(
            "a SQLite storage is a file, because its workers are processes of their own; "
            f"got {text!r}. Available: sqlite:///PATH"
        )
    elif scheme == "journal" and rest:
        return text
    elif scheme.split("+")[0] in ("postgres", "postgresql", "mysql", "mariadb"):
        return text.replace("postgres:", "postgresql:", 1) if scheme == "postgres" else text
    raise UsageError(
        f"a storage is a database URL or a file; got {display_url(text)!r}. "
        f"Available: {', '.join(FORMS)}"
    )


def display_url(url: str) -> str:
    """`url` with its password as ***, fit for messages."""
    return re.sub(r"(://[^:/@]*:)[^@/]*@", r"\1***@", url)


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for any other storage."""
    return Path(url.removeprefix("sqlite:///").split("?")[0]) if is_sqlite(url) else None


def journal_path(url: str) -> Path | None:
    """The file of a journal; None for any other storage."""
    return Path(url.removeprefix("journal:")) if url.startswith("journal:") else None


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:///")


def with_driver(url: str) -> str:
    """A server's URL with the first installed driver, where it names none.

    Raises `UsageError` naming what to install where there is none.
    """
    scheme, _, rest = url.partition("://")
    if "+" in scheme:
        return url
    family = "mysql" if scheme == "mariadb" else scheme
    for module in _DRIVERS[family]:
        if find_spec(module):
            driver = _DIALECT[module]
            return f"{scheme}+{driver}://{rest}" if driver else url
    extra = "mysql" if family == "mysql" else "postgresql"
    raise UsageError(
        f"the storage {display_url(url)} needs a database driver and none is installed; "
        f"available: pip install 'tuner[{extra}]' ({' or '.join(_DRIVERS[family])})"
    )
