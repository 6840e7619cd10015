"""A worker's steps in a journal: each is one append. A process that dies in the middle of it leaves
the records before the torn one (see `journal_repair`); what ends a step stands last among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import JournalStorage

from tuner.storage.backend import Backend


class JournalBackend(Backend):
    def __init__(self, storage: JournalStorage) -> None:
        super().__init__(storage)
        self._journal = storage
        # Optuna reads it after creating a trial, and sets it only when that was read back.
        storage._replay_result._last_created_trial_id_by_this_process = -1

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Optuna's `JournalStorage` appends, and waits for the disk, once for every value; here
        what this thread writes inside is appended in one write at the end, and read on."""
        journal, lost = self._journal, None
        file: Any = journal._backend
        with file.held_back() as records:
            yield
        with journal._thread_lock:
            file.append_logs(records)
            # A record about a finished trial is void for every reader. Reading stops at every one
            # of ours, so it may take as many goes.
            for _ in range(len(records) + 1):
                try:
                    journal._sync_with_backend()
                    break
                except (UpdateFinishedTrialError, KeyError) as error:
                    lost = error
        if lost is not None:
            raise lost
