"""Callbacks of a search: Optuna's after each trial, Keras's after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import optuna

from tuner.errors import UsageError
from tuner.parameters import show
from tuner.search.events import EpochDone, Event, TrialDone, TrialStarted
from tuner.storage import storage_at
from tuner.storage.quiet import quiet_optuna

if TYPE_CHECKING:
    from tuner.workers import Display

#: Of a Keras callback, what is called; an object that has it is one.
_EPOCH = "on_epoch_end"


class Calls:
    """Calls callbacks in this process, in the order in which the workers tell.

    A trial's end calls `callback(study, trial)`, as Optuna does. An epoch's end calls
    `callback.on_epoch_end(epoch, logs)`, as Keras does: `epoch` from 0, `logs` the means over the
    folds, and `callback.params` holds `trial` (its number), `epochs` and `params`. Trials run side
    by side, so their epochs come mixed. What one raises ends the search, and so do `study.stop()`
    and `callback.model.stop_training = True`.

    Attributes:
        stop_training: the search shall end.
        error: what a callback raised.
    """

    def __init__(self, callbacks: Any, storage: str) -> None:
        """`callbacks`: one or several, None: none. Raises `UsageError` for what is none."""
        several = callbacks if isinstance(callbacks, Sequence) else [callbacks]
        several = [] if callbacks is None else several
        for own in several:
            if isinstance(own, type) or not (callable(own) or hasattr(own, _EPOCH)):
                raise UsageError(
                    "callbacks are functions of a study and a trial, as Optuna's, or objects with "
                    f"{_EPOCH}(epoch, logs), as Keras's, not their classes; received {show(own)}"
                )
        self._epoch = [own for own in several if hasattr(own, _EPOCH)]
        self._trial = [own for own in several if not hasattr(own, _EPOCH)]
        self._storage = storage
        self._study: _Stoppable | None = None
        self._params: dict[int, Mapping[str, Any]] = {}
        self.stop_training = False
        self.error: Exception | None = None

    @property
    def every_epoch(self) -> bool:
        return bool(self._epoch)

    def around(self, display: Display, name: str) -> Display:
        """`display`, and the callbacks of study `name` besides."""
        for own in self._epoch:
            self._call(getattr(own, "set_model", None), self)
            self._call(getattr(own, "on_train_begin", None), {})
        return _Calling(display, self, name)

    def event(self, event: Event, name: str) -> None:
        if isinstance(event, TrialStarted):
            self._params[event.number] = event.params
        elif isinstance(event, EpochDone):
            now = {
                "trial": event.number,
                "epochs": event.epochs,
                "params": dict(self._params.get(event.number, {})),
            }
            for own in self._epoch:
                if self.error is None:
                    own.params = now
                    self._call(own.on_epoch_end, event.epoch - 1, dict(event.logs))
        elif isinstance(event, TrialDone):
            self._params.pop(event.number, None)
            if self._trial:
                self._trial_done(event.number, name)

    def close(self) -> None:
        for own in self._epoch:
            self._call(getattr(own, "on_train_end", None), {})

    def _trial_done(self, number: int, name: str) -> None:
        if self._study is None:
            quiet_optuna()
            self._study = _Stoppable(name, storage_at(self._storage).open(create=False))
        study = self._study
        kept = study._storage
        trial = kept.get_trial(
            kept.get_trial_id_from_study_id_trial_number(study._study_id, number)
        )
        for own in self._trial:
            self._call(own, study, trial)
        self.stop_training |= study.stopped

    def _call(self, function: Callable[..., object] | None, *given: object) -> None:
        """Unless one has raised before."""
        if function is None or self.error is not None:
            return
        try:
            function(*given)
        except Exception as error:
            self.error, self.stop_training = error, True


class _Stoppable(optuna.Study):
    """A study whose `stop` ends our search: Optuna's own is for its `optimize` alone."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True


class _Calling:
    """A display that calls besides."""

    def __init__(self, display: Display, calls: Calls, name: str) -> None:
        self._display, self._calls, self._name = display, calls, name
        self.line, self.tick = display.line, display.tick

    def event(self, event: Event) -> None:
        self._display.event(event)
        self._calls.event(event, self._name)

    def close(self) -> None:
        self._display.close()
        self._calls.close()
