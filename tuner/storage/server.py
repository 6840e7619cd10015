"""PostgreSQL and MySQL: connections that are checked before use and never hang for long, sessions
in UTC, a schema made by one process while the others wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Self

from tuner.errors import StorageError, UsageError
from tuner.masking import hide
from tuner.storage.check_result import Finding, WriteStep
from tuner.storage.clock import judge_clock, judge_zone
from tuner.storage.database import Database
from tuner.storage.kind import split_scheme
from tuner.storage.rdb_reading import Query
from tuner.storage.rdb_storage import by_sqlalchemy

#: Any number, the same for every tuner: the advisory lock that makers of the schema take.
_LOCK = 7_483_646_021
#: Seconds to wait for that lock: making the schema takes less than one.
LOCK_TIMEOUT = 60
#: Seconds to wait for a connection before the server counts as unreachable.
CONNECT_TIMEOUT = 10
#: Seconds after which a connection whose other end has vanished, as when a machine loses its
#: power, counts as broken. Systems left to themselves wait for hours.
SILENCE = 30
#: Seconds after which PostgreSQL ends the session of a process that stands still inside a
#: transaction (a laptop that sleeps): everybody waits for the rows that it has locked.
STANDSTILL = 10
#: Connections that a process keeps. A worker has a second thread, for its heartbeat, which opens
#: one more for the moment when both are at work; kept, it would halve the number of workers that
#: a server's limit allows (PostgreSQL's default: 100 connections).
KEPT, MORE = 1, 14
# SQLAlchemy's names of drivers, and their modules, in the order they are looked for if the URL
# names none.
_DRIVERS = {
    "postgresql": {"psycopg": "psycopg", "psycopg2": "psycopg2"},
    "mysql": {"pymysql": "pymysql", "mysqldb": "MySQLdb"},
}
# What to install for the first of them.
_PACKAGES = {"postgresql": "psycopg[binary]", "mysql": "pymysql"}
#: Other names, `mariadb` one that Optuna does not know.
_SAME = {"postgres": "postgresql", "mariadb": "mysql"}
# The session's time zone, and seconds since 1970.
_CLOCK = {
    "postgresql": (
        "SELECT current_setting('TimeZone')",
        "SELECT extract(epoch FROM clock_timestamp())",
    ),
    "mysql": ("SELECT @@session.time_zone", "SELECT unix_timestamp(now(6))"),
}
_TABLES = {
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    "mysql": "SHOW TABLES",
}


class Server(Database):
    """A PostgreSQL, MySQL or MariaDB server's database."""

    FORMS = (
        "postgresql://USER:PASSWORD@HOST/DATABASE",
        "mysql://USER:PASSWORD@HOST/DATABASE",
    )

    @classmethod
    def read(cls, text: str) -> Self | None:
        scheme, rest = split_scheme(text)
        family, *driver = scheme.split("+")
        family = _SAME.get(family, family)
        if family not in _DRIVERS or not rest.startswith("//"):
            return None
        return cls(f"{'+'.join((family, *driver))}:{rest}")

    def with_driver(self) -> str:
        """The URL with its driver: the one it names, else the first installed one.

        Raises `UsageError` naming what to install if there is none.
        """
        scheme, _, rest = self.url.partition("://")
        family, _, named = scheme.partition("+")
        drivers = _DRIVERS[family]
        for name, module in drivers.items():
            if named in ("", name) and find_spec(module):
                return f"{family}+{name}://{rest}"
        if named and named not in drivers:
            raise UsageError(
                f"a {family} storage has one of the drivers {', '.join(drivers)}; "
                f"got {hide(named, self.url, str(self))} in {self}. Available: {family}://..."
            )
        raise UsageError(
            f"the storage {self} needs a database driver and "
            f"{f'{named} is not' if named else 'none is'} installed; "
            f"available: pip install '{_PACKAGES[family]}' ({' or '.join(drivers)})"
        )

    def _settings(self, *, read_only: bool) -> tuple[str, dict[str, Any]]:
        """Every connection is tried before it is used (`pool_pre_ping`), and its session counts in
        UTC, so that a heartbeat's age is the same seen from anywhere."""
        import sqlalchemy

        url = self.with_driver()
        try:
            family = sqlalchemy.make_url(url).get_backend_name()
        except ValueError as error:  # a port that is no number
            raise UsageError(
                f"a server's port is a number; got {self}. Available: "
                "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, mysql://..."
            ) from error
        arguments: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT}
        if family == "postgresql":
            options = f"-c timezone=utc -c idle_in_transaction_session_timeout={STANDSTILL}s"
            # Of libpq, so for psycopg and psycopg2 alike; milliseconds and seconds.
            arguments |= {
                "options": options + " -c default_transaction_read_only=on" * read_only,
                "keepalives_idle": SILENCE // 3,
                "keepalives_interval": SILENCE // 6,
                "keepalives_count": 4,
                "tcp_user_timeout": 1000 * SILENCE,
            }
        else:
            # Longer than MySQL itself waits for a locked row (50 s).
            arguments |= {
                "init_command": "SET time_zone = '+00:00'",
                "read_timeout": LOCK_TIMEOUT + SILENCE,
                "write_timeout": SILENCE,
            }
        return url, {
            "pool_pre_ping": True,
            "pool_size": KEPT,
            "max_overflow": MORE,
            "connect_args": arguments,
        }

    @property
    def _family(self) -> str:
        return self.url.partition(":")[0].partition("+")[0]

    @contextmanager
    def connect(self, *, read_only: bool = True) -> Iterator[Query]:
        with self.engine(read_only=read_only) as engine:
            try:
                connection = engine.connect()
            except (TypeError, ValueError) as error:  # of a driver, about the URL's parameters
                raise StorageError(self._unusable(self._told(error))) from error
            with connection:
                yield by_sqlalchemy(connection)

    def _tables(self, query: Query) -> list[str]:
        return [name for (name,) in query(_TABLES[self._family])]

    def product(self) -> str:
        with self.connect() as query:
            text = str(query("SELECT version()")[0][0])
        # PostgreSQL: "PostgreSQL 16.2 on x86_64-pc-linux-gnu, ..."; MySQL: "8.0.36".
        name = "" if self._family == "postgresql" else "MySQL "
        return name + text.split(" on ")[0]

    def check_clock(self, write: WriteStep | None) -> list[Finding]:
        """The server's clock against this machine's, and the session's time zone."""
        zone_of, now_of = _CLOCK[self._family]
        with self.connect() as query:
            zone = str(query(zone_of)[0][0])
            before = time.time()
            server = float(query(now_of)[0][0])
            after = time.time()
        ahead = server - (before + after) / 2
        clock = judge_clock(ahead, (after - before) / 2, "the server's clock")
        return [judge_zone(zone), clock]

    @contextmanager
    def _making(self) -> Iterator[None]:
        """The server's own lock; it lets go when the connection ends, however it ends."""
        # Outside a transaction: PostgreSQL would end one that stands still for long.
        with (
            self.engine() as engine,
            engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}s'")
                take = f"SELECT pg_advisory_lock({_LOCK})"
                leave = f"SELECT pg_advisory_unlock({_LOCK})"
            else:
                take = f"SELECT GET_LOCK('tuner{_LOCK}', {LOCK_TIMEOUT})"
                leave = f"SELECT RELEASE_LOCK('tuner{_LOCK}')"
            if connection.exec_driver_sql(take).scalar() == 0:  # MySQL's answer; PostgreSQL raises
                from sqlalchemy.exc import TimeoutError as LockTimeoutError

                raise LockTimeoutError(
                    f"another process has been making the tables for {LOCK_TIMEOUT} s"
                )
            try:
                yield
            finally:
                connection.exec_driver_sql(leave)
