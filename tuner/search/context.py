"""What a worker works with, whatever its trials are like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuner.search.checkpoints.checkpoints import Checkpoints
from tuner.search.events import Event, WorkerId
from tuner.search.heartbeat import Heartbeat
from tuner.search.trainer import TrainerLike
from tuner.study.definition import StudyDefinition


@dataclass(frozen=True)
class WorkContext:
    """One worker's means.

    Attributes:
        worker: how the events name it.
        trainer: on the study's data.
        definition: the study's, resolved.
        beats: for the trial it works on.
        ending: asked after every epoch; true: what has not ended is handed back.
        tell: who is told what happens.
        checkpoints: of the study.
    """

    worker: WorkerId
    trainer: TrainerLike
    definition: StudyDefinition
    beats: Heartbeat
    ending: Callable[[], bool]
    tell: Callable[[Event], None]
    checkpoints: Checkpoints
