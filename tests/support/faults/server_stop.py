"""A PostgreSQL server that is stopped and started again while workers train."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from typing import Literal

import psycopg
from optuna.trial import TrialState

from tests.support.faults.postgres import PostgresServer
from tests.support.faults.processes import WorkerProcesses
from tests.support.faults.study import FaultStudy, Ledger
from tests.support.faults.worker_main import Settings
from tuner.storage import records

#: Seconds between two looks at who has written.
_LOOK = 0.02
# Every write to a running trial beats its heart; so does taking the next one.
_BEATS = """
SELECT value_json, beat FROM trial_system_attributes JOIN (
    SELECT trial_id, extract(epoch FROM heartbeat AT TIME ZONE 'utc')::float AS beat
    FROM trial_heartbeats
) AS beats USING (trial_id) WHERE key = %s AND beat > %s ORDER BY beat
"""


@dataclass(frozen=True)
class ServerStops:
    """What `server_stops` saw.

    Attributes:
        returns: seconds from the server's return to each worker's next write, stop by stop.
        mistaken: trials that were taken from workers that were alive.
    """

    stops: int
    ledger: Ledger
    returns: list[list[float]]
    mistaken: int
    seconds: float

    @property
    def slowest(self) -> float:
        return max(max(stop) for stop in self.returns)


def server_stops(
    server: PostgresServer,
    *,
    stops: int,
    down: float,
    mode: Literal["fast", "immediate"],
    workers: int = 2,
    settings: Settings | None = None,
    seed: int = 0,
    patience: float = 60.0,
) -> ServerStops:
    """Stop the server `stops` times for `down` seconds each, at random moments of a search, and
    wait each time until every worker has written again.

    Args:
        server: running; nobody else may need it.
        settings: of the workers.
        patience: seconds to wait for the workers after each return, and for the study's end.

    Raises:
        RuntimeError: a worker has died, or has not written within `patience`.
    """
    random_ = random.Random(seed)
    began = time.monotonic()
    url = server.new_database()
    study = FaultStudy(url)
    returns = []
    with WorkerProcesses(
        url, study.name, settings or Settings(heartbeat=3.0, grace=10.0)
    ) as processes:
        study.keep_open(2 * workers, processes)
        processes.fill(workers)
        _next_writes(study, processes, 0.0, patience)
        for _ in range(stops):
            until = time.monotonic() + random_.uniform(0.5, 2.0)
            while time.monotonic() < until:
                study.keep_open(2 * workers, processes)
                time.sleep(_LOOK)
            server.stop(mode)
            stopped = time.time()
            time.sleep(down)
            server.start()
            returned = time.time()
            written = _next_writes(study, processes, stopped, patience)
            returns.append([max(0.0, moment - returned) for moment in written])
        study.close()
        processes.finish(time.monotonic() + patience)
        mistaken = sum(trial.state == TrialState.FAIL for trial in study.trials())
        ledger = study.ledger(processes.workers)
    return ServerStops(stops, ledger, returns, mistaken, time.monotonic() - began)


def _next_writes(
    study: FaultStudy, processes: WorkerProcesses, after: float, patience: float
) -> list[float]:
    """When each worker first wrote after `after`, in seconds since 1970; there is work enough for
    all until they have."""
    until = time.monotonic() + patience
    written: dict[str, float] = {}
    with psycopg.connect(study.url, autocommit=True) as connection:
        while len(written) < len(processes.workers):
            processes.require_sound()
            if time.monotonic() > until:
                missing = [
                    worker.name for worker in processes.workers if worker.name not in written
                ]
                raise RuntimeError(f"not back after {patience:g} s: {', '.join(missing)}")
            study.keep_open(2 * len(processes.workers), processes)
            for owner, moment in connection.execute(_BEATS, [records.WORKER, after]):
                worker = processes.owner_of(json.loads(owner))
                if worker is not None:
                    written.setdefault(worker.name, moment)
            time.sleep(_LOOK)
    return list(written.values())
