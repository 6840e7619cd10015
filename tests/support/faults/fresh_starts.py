"""Many workers that start at one moment on a storage that nobody has used.

    python -m tests.support.faults.fresh_starts URL PROCESSES TRIALS

is one such start: it prints the errors, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.support.faults.study import FaultStudy, Ledger

_PRELOAD = (
    "alembic.migration",
    "alembic.script",
    "psycopg",
    "scipy.stats",
    "tuner.search.loop",
    "tuner.storage.rdb_backend",
    "tuner.storage.server",
    "tests.support.fake_trainer",
)
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class FreshStarts:
    """What `fresh_starts` saw.

    Attributes:
        starts: how many storages were begun, each by `processes` processes.
        errors: one for each process that failed, the end of what it said.
        ledgers: of the studies, one a start.
    """

    starts: int
    processes: int
    errors: list[str]
    ledgers: list[Ledger]
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.errors and all(ledger.holds for ledger in self.ledgers)


def fresh_starts(
    new_url: Callable[[], str],
    *,
    starts: int,
    processes: int = 16,
    trials: int = 32,
    patience: float = 120.0,
) -> FreshStarts:
    """Let `processes` processes open the same fresh storage, prepare the same study and work on it
    until it is done, all of them from the same moment on.

    Args:
        new_url: gives a storage that nobody has used.
        patience: seconds for one start; `subprocess.TimeoutExpired` if it takes longer.
    """
    began = time.monotonic()
    errors: list[str] = []
    ledgers = []
    for _ in range(starts):
        url = new_url()
        command = [sys.executable, "-m", __spec__.name, url, str(processes), str(trials)]
        ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=patience)
        if ended.returncode:
            raise RuntimeError(ended.stderr[-4000:])
        errors += json.loads(ended.stdout)
        ledgers.append(FaultStudy(url, trials=trials).ledger([]))
    return FreshStarts(starts, processes, errors, ledgers, time.monotonic() - began)


def _start(url: str, processes: int, trials: int) -> list[str]:
    """Fork `processes` workers, which begin within a millisecond; what those say that fail."""
    # Imported before the fork: what is left to each is the storage.
    for name in _PRELOAD:
        import_module(name)

    begin = time.time() + 0.3
    children = {}
    for _ in range(processes):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            random.seed()
            time.sleep(max(0.0, begin - time.time()))
            try:
                _work(url, trials)
            except BaseException:
                os.write(writing, traceback.format_exc()[-2000:].encode())
            finally:
                os._exit(0)
        os.close(writing)
        children[child] = reading
    errors = []
    for child, reading in children.items():
        with os.fdopen(reading, errors="replace") as pipe:
            said = pipe.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if said or code:
            errors.append(said or f"ended with {code}")
    return errors


def _work(url: str, trials: int) -> None:
    from tests.support.fake_trainer import FakeTrainer
    from tuner.search.loop import run_worker

    study = FaultStudy(url, trials=trials)
    reason = run_worker(
        url,
        study.name,
        stop=lambda: False,
        on_event=lambda event: None,
        make_trainer=lambda _: FakeTrainer(),
    )
    if reason != "done":
        raise RuntimeError(f"ended as {reason!r}")


if __name__ == "__main__":
    print(json.dumps(_start(sys.argv[1], *map(int, sys.argv[2:]))))
