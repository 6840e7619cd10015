"""optuna-dashboard's WSGI application with our access control in front and fresh figures behind."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuner.errors import StorageError
from tuner.results.dashboard import publish
from tuner.results.serving.access import AccessControl
from tuner.results.serving.reasons import ShownReasons
from tuner.storage import records

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

    from tuner.storage import StorageKind

_log = logging.getLogger(__name__)

_STUDY = re.compile(r"/api/studies/(\d+)/?")

#: Seconds between two looks at a study's figures while somebody watches it.
REFRESH = 10.0


class FreshFigures:
    """Publishes a study's figures and note when it is looked at, at most every `interval` s.

    Studies that `tuner` did not make are left as they are.
    """

    def __init__(self, storage: BaseStorage, interval: float = REFRESH) -> None:
        self._storage = storage
        self._interval = interval
        self._next: dict[int, float] = {}
        self._lock = threading.Lock()

    def __call__(self, path: str) -> None:
        """Called with the path of every request that reads."""
        match = _STUDY.fullmatch(path)
        if match is None:
            return
        study_id = int(match[1])
        # One thread at a time; the others show what there is.
        if not self._lock.acquire(blocking=False):
            return
        try:
            if time.monotonic() >= self._next.get(study_id, 0.0):
                written = self._publish(study_id)
                # Where it cannot be written (a read-only file), not a warning every few seconds.
                pause = self._interval if written else 60 * self._interval
                self._next[study_id] = time.monotonic() + pause
        finally:
            self._lock.release()

    def _publish(self, study_id: int) -> bool:
        import optuna

        try:
            name = self._storage.get_study_name_from_id(study_id)
            study = optuna.load_study(study_name=name, storage=self._storage)
            ours = records.STUDY_VERSION in study.user_attrs
        except Exception as error:
            # The dashboard asks the same storage next and says what is wrong with it.
            _log.debug("study %d was not read: %s", study_id, error)
            return True
        return publish(study) if ours else True


def dashboard_app(
    storage: BaseStorage,
    *,
    loopback: bool,
    password: str | None = None,
    allow_edit: bool = False,
    figures: bool = True,
) -> AccessControl:
    """What `tuner serve` serves of a storage; `loopback`: it listens on this machine alone;
    `figures`: fresh ones are written into the storage. See `AccessControl` for the rest."""
    from optuna_dashboard import wsgi

    return AccessControl(
        ShownReasons(wsgi(storage)),
        loopback=loopback,
        password=password,
        allow_edit=allow_edit,
        before_read=FreshFigures(storage) if figures else None,
    )


@contextmanager
def opened_to_serve(place: StorageKind, allow_edit: bool) -> Iterator[tuple[BaseStorage, bool]]:
    """The storage, and whether figures are written into it: not if it can only be read, which
    will not do if `allow_edit`. Raises `StorageError`."""
    try:
        writable = place.open(create=False)
    except StorageError as error:
        if allow_edit:
            raise
        refused = error
    else:
        yield writable, True
        return
    with place.open_read_only() as opened:
        if opened is None:
            raise refused
        yield opened, False
