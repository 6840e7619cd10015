"""One worker's loop: work on tickets until none is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tuner.errors import StudyConflictError
from tuner.search.checkpoints.checkpoints import Checkpoints, study_key
from tuner.search.checkpoints.store import AtomicFileStore
from tuner.search.events import (
    DoneReason,
    Event,
    WorkerDone,
    WorkerId,
    WorkerIdle,
    WorkerReady,
    WorkerWarning,
)
from tuner.search.queue import TicketQueue
from tuner.search.trainer import TrainerLike
from tuner.search.work import GroupWork
from tuner.storage import StorageKind, records, storage_at
from tuner.storage.quiet import quiet_optuna
from tuner.storage.retry import Retry
from tuner.study.data import other_data
from tuner.study.definition import StudyDefinition
from tuner.study.own_code import with_code
from tuner.study.stored import load_study, read_definition
from tuner.text import quoted

if TYPE_CHECKING:
    from optuna.study import Study

    from tuner.storage.backend import Backend

#: Seconds a worker waits for a storage that has stopped answering.
PATIENCE = 600.0
#: Seconds between two looks for work while other workers finish theirs.
IDLE = 0.25


def run_worker(
    storage_url: str | StorageKind,
    study_name: str,
    *,
    worker: WorkerId = 0,
    stop: Callable[[], bool],
    on_event: Callable[[Event], None],
    deadline: float | None = None,
    grace: float = 60.0,
    heartbeat: float = 10.0,
    make_trainer: Callable[[StudyDefinition], TrainerLike] | None = None,
    artifacts: str | None = None,
    code: str | None = None,
) -> DoneReason:
    """Work on a study until every ticket is settled, `stop()` turns true, or `deadline` passes.

    Any number of workers may do so at a time, from any machine that reaches the storage. When
    told to stop, the current trial ends at its next epoch and its ticket waits again.

    Args:
        worker: how the events name this worker.
        stop: asked after every epoch and between trials.
        on_event: told what happens, from this thread.
        deadline: seconds since 1970.
        grace: seconds without a heartbeat after which another worker's trial is taken over.
        heartbeat: seconds between heartbeats.
        make_trainer: from the study's definition to what trains; None: Keras on its data.
        artifacts: the folder of the checkpoints; None: see `StorageKind.artifacts_folder`.
        code: the hash of the file of the study's own code that is trusted, see `tuner.code`.

    Raises:
        UsageError: no such study, its data cannot be loaded, or its own code is not trusted.
        StudyConflictError: the data here are others than the study was made on.
        StorageError: the storage cannot be used, or has not answered for 10 minutes.
    """
    quiet_optuna()

    def ending() -> bool:
        return stop() or (deadline is not None and time.time() >= deadline)

    def warn(text: str) -> None:
        on_event(WorkerWarning(worker, text))

    storage = storage_at(storage_url)
    retry = Retry(patience=PATIENCE, warn=warn, stop=ending, storage=storage)
    # A worker may begin, or follow a recycled one, while the server restarts.
    backend, study, definition, data_hash, key = retry(lambda: _open(storage, study_name))
    folder = storage.artifacts_folder(artifacts)
    definition = with_code(definition, folder, code, study_name)
    trainer = (make_trainer or _keras_trainer)(definition)
    if trainer.data_hash != data_hash:
        raise StudyConflictError(
            other_data(quoted(study_name), data_hash, definition.data.uri, trainer.data_hash)
        )
    queue = TicketQueue(
        backend,
        study,
        definition,
        trainer,
        key=key if storage.SHARED else None,
        retry=retry,
        grace=grace,
        heartbeat=heartbeat,
        warn=warn,
    )
    checkpoints = Checkpoints(AtomicFileStore(folder), key, warn)

    def ending_here() -> bool:
        queue.require_storage()
        return ending()

    work = GroupWork(queue, worker, trainer, definition, ending_here, on_event, checkpoints)
    on_event(WorkerReady(worker))
    try:
        checkpoints.sweep(queue.settled_tickets)
        done = _until_settled(work)
        reason: DoneReason = "done" if done else "stopped" if stop() else "deadline"
        checkpoints.sweep(queue.settled_tickets)
    finally:
        queue.close()
        storage.close(backend.storage)
    on_event(WorkerDone(worker, reason))
    return reason


def _open(
    storage: StorageKind, study_name: str
) -> tuple[Backend, Study, StudyDefinition, str, str]:
    """The study and the steps in its storage, its definition, its data's hash and its key."""
    backend = storage.backend(create=False)
    with storage.errors():
        study = load_study(backend.storage, study_name)
        definition = read_definition(study)
        data_hash = str(study.user_attrs[records.STUDY_DATA_HASH])
        return backend, study, definition, data_hash, study_key(study)


def _keras_trainer(definition: StudyDefinition) -> TrainerLike:
    from tuner.search.study_trainer import trainer_of

    return trainer_of(definition)


def _until_settled(work: GroupWork) -> bool:
    """True if every ticket is settled, False if told to end before."""
    idle = False
    while not work.ending():
        if work.step():
            idle = False
        elif work.queue.settled():
            return True
        else:
            if not idle:
                work.tell(WorkerIdle(work.worker))
            idle = True
            time.sleep(IDLE)
    return work.queue.settled()
