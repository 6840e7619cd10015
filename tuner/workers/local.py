"""Workers as processes of this machine, one for each core."""

from __future__ import annotations

from types import TracebackType

from tuner.workers.messages import Limits
from tuner.workers.process import WorkerProcess
from tuner.workers.resources import available_cores
from tuner.workers.worker import MakeTrainer


class LocalEngine:
    """The `Engine` of this machine's processes; nothing to enter or to leave."""

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def room(self) -> int:
        return available_cores()

    def start(self, number: int, make_trainer: MakeTrainer | None, limits: Limits) -> WorkerProcess:
        return WorkerProcess(number, make_trainer, limits)
