"""Workers started, killed, paused and replaced, as by an operator."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.faults.worker_main import Settings, work
from tuner.workers.environment import environment

#: Imported once, by the process that all workers are forked from: a hundred kills are a hundred
#: workers.
PRELOAD = [
    "tests.support.faults.worker_main",
    "tuner.search.loop",
    "tests.support.fake_trainer",
    "tuner.storage.journal_file",
    "tuner.storage.rdb_backend",
    "alembic.migration",
    "psycopg",
    "scipy.stats",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
]


@dataclass(frozen=True)
class LogLine:
    """What a worker was told, or did: `event` is the name of an event of `tuner.search.events`,
    or `Failpoint`."""

    time: float
    event: str
    fields: dict[str, Any]


class Worker:
    """One worker's process.

    Attributes:
        name: stands in its trials' owner too, see `WorkerProcesses.owner_of`.
        killed_at: seconds since 1970; None if nobody killed it.
    """

    def __init__(self, name: str, process: Any, log: Path) -> None:
        self.name = name
        self.process = process
        self._log = log
        self._killed_at: float | None = None

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    @property
    def killed_at(self) -> float | None:
        if self._killed_at is not None or self.process.exitcode != -signal.SIGKILL:
            return self._killed_at
        return next((line.time for line in self.log() if line.event == "Failpoint"), None)

    def kill(self) -> None:
        """kill -9, and wait for the end."""
        if self.process.exitcode is None:
            self._killed_at = time.time()
        self.process.kill()
        self.process.join()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    @property
    def in_transaction(self) -> bool:
        """Whether it is at a database just now; only a stopped one can be asked."""
        file = self._log.with_suffix(".busy")
        return file.exists() and file.read_bytes() not in (b"", b"\0")

    def log(self) -> list[LogLine]:
        lines = self._log.read_text().split("\n")[:-1] if self._log.exists() else []
        told = [json.loads(line) for line in lines]  # a line that a kill tore was the last
        return [LogLine(line.pop("time"), line.pop("event"), line) for line in told]

    def errors(self) -> str:
        file = self._log.with_suffix(".err")
        return file.read_text()[-4000:] if file.exists() else ""


class WorkerProcesses:
    """The workers of one study. As a context manager: whoever is left at the end is killed."""

    def __init__(self, url: str, study: str, settings: Settings) -> None:
        self.workers: list[Worker] = []
        self._url, self._study = url, study
        self.settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="tuner-faults-"))

    def __enter__(self) -> WorkerProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.process.kill()
            worker.process.join()
        shutil.rmtree(self._folder)

    @property
    def alive(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.alive]

    def start(self, **changes: Any) -> Worker:
        """Start a worker; `changes` are of the settings."""
        name = f"w{len(self.workers)}"
        log = self._folder / f"{name}.log"
        settings = replace(self.settings, **changes)
        context = multiprocessing.get_context("forkserver")
        process = context.Process(
            target=work, args=(self._url, self._study, name, log, settings), daemon=True
        )
        context.set_forkserver_preload(PRELOAD)
        with environment(_variables()):
            process.start()
        self.workers.append(Worker(name, process, log))
        return self.workers[-1]

    def fill(self, number: int) -> None:
        """Start workers until `number` are alive. Raises RuntimeError if one has died of
        itself."""
        self.require_sound()
        for _ in range(number - len(self.alive)):
            self.start()

    def finish(self, until: float) -> None:
        """Wait until every worker has ended. Raises RuntimeError if one died of itself, or
        one is left at `until` (by `time.monotonic`)."""
        while self.alive:
            if time.monotonic() > until:
                names = ", ".join(worker.name for worker in self.alive)
                raise RuntimeError(f"the study is not done in time; still at work: {names}")
            time.sleep(0.05)
        self.require_sound()

    def require_sound(self) -> None:
        for worker in self.workers:
            code = worker.process.exitcode
            if code not in (None, 0) and worker.killed_at is None:
                raise RuntimeError(f"{worker.name} ended with {code}:\n{worker.errors()}")

    def owner_of(self, owner: str | None) -> Worker | None:
        """Whose trial it is, by the `tuner:worker` of a trial; None: none of these workers'."""
        name = (owner or "").split("/")[0]
        number = (owner or ":").split(":")[1]
        for worker in self.workers:
            if worker.name == name or str(worker.process.pid) == number:
                return worker
        return None


def _variables() -> dict[str, str]:
    """Of the process that workers are forked from: one thread of NumPy's, and where this process
    looks for modules."""
    path = os.environ.get("PYTHONPATH")
    root = str(Path(__file__).resolve().parents[3])
    return {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": root if path is None else f"{root}{os.pathsep}{path}",
    }
