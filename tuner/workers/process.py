"""Workers as processes of this machine, one for each core; here is the parent's side."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import psutil

from tuner.resources import available_cores
from tuner.search.events import Event
from tuner.storage.owner import process_name
from tuner.workers.environment import environment, thread_variables, without_main
from tuner.workers.interfaces import Ended, Engine, MakeTrainer, Task, Worker
from tuner.workers.parent_signals import blocked_interrupts
from tuner.workers.recycling import WorkerLimits
from tuner.workers.worker_main import work

# What TensorFlow says at INFO and WARNING level before it reads TF_CPP_MIN_LOG_LEVEL.
_NOISE = re.compile(
    r"[IW]\d{4} \d\d:\d\d:\d\d\.|[IW]0000 00:00:|WARNING: All log messages before absl"
)


class WorkerProcess(Worker):
    """A worker on this machine, started (spawn) by the constructor.

    It has its own pipes, so that a kill in the middle of a message hurts no other worker.

    Attributes:
        pid: of the process.
    """

    def __init__(self, number: int, make_trainer: MakeTrainer | None, limits: WorkerLimits) -> None:
        super().__init__(number)
        self._partial = b""
        context = multiprocessing.get_context("spawn")
        self._channel, theirs = context.Pipe()
        self._log, their_log = context.Pipe(duplex=False)
        os.set_blocking(self._log.fileno(), False)
        self._process = context.Process(
            target=work,
            args=(number, theirs, their_log, make_trainer, limits),
            name=f"tuner-worker-{number}",
            daemon=True,
        )
        # Starting it unblocks SIGINT, so it has to run before we block.
        resource_tracker.ensure_running()
        main = nullcontext() if _needs_main(make_trainer) else without_main()
        with blocked_interrupts(), environment(thread_variables()), main:
            self._process.start()
        # Ours must go, or the pipes would never end.
        theirs.close()
        their_log.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.name = process_name(self.pid)

    def waitables(self) -> list[Connection[Any, Any] | int]:
        open_ones = [pipe for pipe in (self._channel, self._log) if not pipe.closed]
        return [*open_ones, self._process.sentinel]

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def give(self, task: Task) -> None:
        with suppress(OSError):  # it died meanwhile, which shows by itself
            self._channel.send(task)

    def receive(self) -> Iterator[Event]:
        try:
            while self._channel.poll():
                message: Event | Ended = self._channel.recv()
                if isinstance(message, Ended):
                    self.ended = message
                else:
                    yield message
        except (EOFError, OSError):
            self._channel.close()

    def read_log(self) -> list[str]:
        while not self._log.closed:
            try:
                chunk = os.read(self._log.fileno(), 65536)
            except BlockingIOError:
                break
            if not chunk:
                self._log.close()
            self._partial += chunk or b"\n"
        *whole, self._partial = self._partial.split(b"\n")
        lines = [line.decode(errors="replace").rstrip() for line in whole]
        shown = [line for line in lines if line and not _NOISE.match(line)]
        return [f"worker {self.number}: {line}" for line in shown]

    def stop(self) -> None:
        self.stopping = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def join(self, timeout: float) -> None:
        self._process.join(timeout)

    def memory(self) -> int | None:
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return None

    def death(self) -> str:
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"exit code {code}"
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"

    def close(self) -> None:
        self._channel.close()
        self._log.close()
        self._process.close()

    def _signal(self, number: int) -> None:
        # is_alive() reaps, so a process that it calls alive still owns its pid.
        if self._process.is_alive():
            os.kill(self.pid, number)


def _needs_main(make_trainer: MakeTrainer | None) -> bool:
    """Whether it is defined in the program's own file, where a worker has to look for it."""
    return make_trainer is not None and b"__main__" in ForkingPickler.dumps(make_trainer).tobytes()


class LocalEngine(Engine):
    """Workers as processes of this machine; nothing to enter or to leave."""

    def __exit__(self, *_: object) -> None:
        pass

    def capacity(self) -> int:
        return available_cores()

    def start(
        self, number: int, make_trainer: MakeTrainer | None, limits: WorkerLimits
    ) -> WorkerProcess:
        return WorkerProcess(number, make_trainer, limits)
