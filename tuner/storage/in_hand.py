"""An Optuna storage that somebody has in hand, such as one in memory: for this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from optuna.storages import BaseStorage

from tuner.storage.backend import Backend
from tuner.storage.kind import StorageKind


class _Alone(Backend):
    """No other process writes there."""

    settles = 0.0


@dataclass(frozen=True, repr=False)
class InHand(StorageKind):
    """Not read from a URL, and open already. Its steps are Optuna's public methods.

    Attributes:
        url: only a name, for messages.
    """

    FORMS = ()
    REMOTE = False
    SHARED = False

    storage: Any

    @classmethod
    def read(cls, text: str) -> Self | None:
        return None

    def __str__(self) -> str:
        return self.url

    def _open(self) -> BaseStorage:
        own: BaseStorage = self.storage
        return own

    def steps(self, storage: BaseStorage) -> Backend:
        return _Alone(storage)

    def product(self) -> str:
        return type(self.storage).__name__
