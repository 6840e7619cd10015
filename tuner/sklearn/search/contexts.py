"""How a trained network reaches scikit-learn's own fit-and-score: through the context of its task.

scikit-learn gives every (candidate, split) evaluation a callback context and enters it around
the estimator's `fit`. `StackContexts` stands in for the context of the whole search: the contexts
it hands out put a stack's network in the place of that one `fit` call. Cloning, setting
parameters, scoring, `error_score`, warnings and the results table stay scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class TrainedFits(Protocol):
    """What was trained beforehand, by the number of the (candidate, split) evaluation."""

    def has(self, task: int) -> bool:
        """Whether evaluation `task` was trained in a stack; the estimator's own `fit` runs
        if it was not."""

    def install(self, task: int, estimator: Any) -> None:
        """Make `estimator` what its `fit` would make it; raises what that would raise."""


class StackContexts:
    """Stands in for the `CallbackContext` of a search while candidates are evaluated.

    Args:
        context: scikit-learn's.
        fits: the stacks' networks.
    """

    def __init__(self, context: Any, fits: TrainedFits) -> None:
        self._context = context
        self._fits = fits

    def subcontext(self, task_name: str = "", task_id: int | None = None, **settings: Any) -> Any:
        """The context of evaluation `task_id` (`candidate * splits + split`)."""
        context = self._context.subcontext(task_name=task_name, task_id=task_id, **settings)
        return context if task_id is None else FitContext(context, self._fits, task_id)


class FitContext:
    """The context of one evaluation. Callbacks of the search are told of its begin and end; no
    deeper, as there is no fit of its own inside.

    Attributes:
        error: what the fit raised.
    """

    error: Exception | None = None

    def __init__(self, context: Any, fits: TrainedFits, task: int) -> None:
        self._context = context
        self._fits = fits
        self._task = task

    @contextmanager
    def propagate_callback_context(self, estimator: Any) -> Iterator[None]:
        """Entered by scikit-learn around `estimator.fit(...)`."""
        try:
            with self._fitted(estimator):
                yield
        except Exception as error:
            self.error = error
            raise

    @contextmanager
    def _fitted(self, estimator: Any) -> Iterator[None]:
        if not self._fits.has(self._task):
            with self._context.propagate_callback_context(estimator):
                yield
            return

        def fit(*_rows: Any, **_params: Any) -> Any:
            self._fits.install(self._task, estimator)
            return estimator

        estimator.fit = fit
        try:
            yield
        finally:
            del estimator.fit

    def __getattr__(self, name: str) -> Any:
        """`call_on_fit_task_begin`, `call_on_fit_task_end`."""
        return getattr(self._context, name)


class Nobody:
    """The context of a fit that no callback of scikit-learn's is told of."""

    @contextmanager
    def propagate_callback_context(self, estimator: Any) -> Any:
        yield

    def call_on_fit_task_begin(self, **_: Any) -> None: ...

    def call_on_fit_task_end(self, **_: Any) -> None: ...
