"""Which storage is meant: flag, environment, default; and how it is named in messages."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

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
    "grpc://HOST:PORT",
)
#: Where Optuna's gRPC proxy listens unless it is told otherwise.
PROXY_PORT = 13000

# SQLAlchemy's names of drivers, and their modules, in the order they are looked for where the URL
# names none.
_DRIVERS = {
    "postgresql": {"psycopg": "psycopg", "psycopg2": "psycopg2"},
    "mysql": {"pymysql": "pymysql", "mysqldb": "MySQLdb"},
}
# What to install for the first of them.
_PACKAGES = {"postgresql": "psycopg[binary]", "mysql": "pymysql"}


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
    `postgres://` is written `postgresql://`, and `mariadb://`, which Optuna does not know,
    `mysql://`. Raises `UsageError` for anything else.
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
    elif scheme == "grpc":
        proxy_address(text)
        return text
    elif rest.startswith("//"):
        family, *driver = scheme.split("+")
        family = {"postgres": "postgresql", "mariadb": "mysql"}.get(family, family)
        if family in _DRIVERS:
            return f"{'+'.join((family, *driver))}:{rest}"
    raise UsageError(
        f"a storage is a database URL or a file; got {display_url(text)!r}. "
        f"Available: {', '.join(FORMS)}"
    )


def display_url(url: str) -> str:
    """`url` with its password as ***, fit for messages; also one that holds an @ or a /, or that
    stands among the parameters."""
    url = re.sub(r"(://[^:/@]*:).*@", r"\1***@", url)
    return re.sub(r"([?&]\w*passw\w*=)[^&]*", r"\1***", url)


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for any other storage."""
    return Path(url.removeprefix("sqlite:///").split("?")[0]) if is_sqlite(url) else None


def journal_path(url: str) -> Path | None:
    """The file of a journal; None for any other storage."""
    return Path(url.removeprefix("journal:")) if url.startswith("journal:") else None


def proxy_address(url: str) -> tuple[str, int] | None:
    """Host and port of a gRPC proxy; None for any other storage. Raises `UsageError`."""
    if not url.startswith("grpc:"):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PROXY_PORT
    except ValueError:  # no number, or one that is no port
        host = None
    if not host or f"{parts.username or ''}{parts.path.strip('/')}{parts.query}":
        raise UsageError(
            f"a gRPC proxy is a host and a port; got {display_url(url)!r}. "
            f"Available: grpc://HOST:PORT, or grpc://HOST for the port {PROXY_PORT}"
        )
    return f"[{host}]" if ":" in host else host, port


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:///")


def with_driver(url: str) -> str:
    """A server's URL with its driver: the one it names, else the first installed one.

    Raises `UsageError` naming what to install where there is none.
    """
    scheme, _, rest = url.partition("://")
    family, _, named = scheme.partition("+")
    drivers = _DRIVERS[family]
    for name, module in drivers.items():
        if named in ("", name) and find_spec(module):
            return f"{family}+{name}://{rest}"
    if named and named not in drivers:
        raise UsageError(
            f"a {family} storage has one of the drivers {', '.join(drivers)}; "
            f"got {named} in {display_url(url)}. Available: {family}://..."
        )
    raise UsageError(
        f"the storage {display_url(url)} needs a database driver and "
        f"{f'{named} is not' if named else 'none is'} installed; "
        f"available: pip install '{_PACKAGES[family]}' ({' or '.join(drivers)})"
    )
