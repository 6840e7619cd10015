"""A worker as a process of its own: the real loop, a trainer without TensorFlow, and a log."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.faults.failpoints import Failpoint, arm
from tuner.storage.backend import Backend


@dataclass(frozen=True)
class Settings:
    """How a worker works.

    Args:
        epoch_seconds: of its trainer.
        heartbeat, grace: as of `run_worker`, in seconds.
        far: it takes itself to be on a machine of its own, as every other worker does, so that
            the others learn of its end from its heartbeat alone.
        stack: candidates that a grid trains together.
        failpoint: what it does to itself.
    """

    epoch_seconds: float = 0.1
    heartbeat: float = 1.0
    grace: float = 3.0
    far: bool = True
    stack: int = 3
    failpoint: Failpoint | None = None


def work(url: str, study: str, name: str, log: Path, settings: Settings) -> None:
    """Work on the study. Every event is one line of JSON in `log`, with the time it was told."""
    errors = os.open(log.with_suffix(".err"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for who started it
    random.seed()

    from tests.support.fake_trainer import FakeTrainer
    from tuner.search import loop
    from tuner.storage import StorageKind, owner

    if settings.far:
        owner.this_place = lambda: f"{name}/far/away"  # type: ignore[assignment]
    with log.open("ab", buffering=0) as file:

        def note(event: str, **fields: object) -> None:
            line = json.dumps({"time": time.time(), "event": event, **fields}, default=str)
            file.write(line.encode() + b"\n")

        opened = StorageKind.backend

        def prepared(storage: StorageKind, *, create: bool = True) -> Backend:
            backend = opened(storage, create=create)
            _tell_of_transactions(backend, log.with_suffix(".busy"))
            if settings.failpoint is not None:
                arm(backend, settings.failpoint, lambda: note("Failpoint"))
            return backend

        StorageKind.backend = prepared  # type: ignore[assignment, method-assign]
        trainer = FakeTrainer(epoch_seconds=settings.epoch_seconds, most=settings.stack)
        loop.run_worker(
            url,
            study,
            worker=name,
            stop=lambda: False,
            on_event=lambda event: note(type(event).__name__, **dataclasses.asdict(event)),
            make_trainer=lambda _: trainer,
            heartbeat=settings.heartbeat,
            grace=settings.grace,
        )


def _tell_of_transactions(backend: Backend, file: Path) -> None:
    """Keep in `file`, as one byte, how many connections to a database are in use."""
    if not backend.atomic:
        return
    from sqlalchemy import event

    descriptor, lock, used = os.open(file, os.O_WRONLY | os.O_CREAT), threading.Lock(), 0

    def count(by: int) -> None:
        nonlocal used
        with lock:
            used = max(0, used + by)  # what cannot be checked out is checked in all the same
            os.pwrite(descriptor, bytes([used]), 0)

    pool: Any = backend._rdb.engine.pool  # type: ignore[attr-defined]
    event.listen(pool, "checkout", lambda *_: count(1))
    event.listen(pool, "checkin", lambda *_: count(-1))
