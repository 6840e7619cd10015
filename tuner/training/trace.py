"""One traced graph for several stacks of the same form, each with variables of its own.

Owns the trace. Tracing costs more than some trainings, and holds Python's lock: stacks that train
at a time in one process would pay for it one after another.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_LOCK = threading.Lock()


class SharedTrace:
    """The concrete function that the first stack traced, given to every other with its own
    variables in their places."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._function: Any = None
        self._variables: list[Any] = []

    def function(self, variables: Sequence[Any], trace: Callable[[], Any]) -> Any:
        """A `tf.types.experimental.ConcreteFunction` on `variables`.

        Args:
            variables: `tf.Variable` objects, all that the graph reads or writes, in the same
                order for every stack.
            trace: makes the concrete function on these variables; called once.

        Raises:
            RuntimeError: the graph holds a variable that is not among those it was traced with.
        """
        with self._lock:
            if self._function is None:
                with forgotten_gradients():
                    self._function, self._variables = trace(), list(variables)
                return self._function
            function = copy.copy(self._function)
        handles = {
            id(own.handle): other.handle
            for own, other in zip(self._variables, variables, strict=True)
        }
        captures = function.captured_inputs
        strangers = [own for own in captures if own.dtype == "resource" and id(own) not in handles]
        if strangers:
            raise RuntimeError(f"a trace is shared with all its variables; unknown: {strangers}")
        function.set_external_captures([handles.get(id(own), own) for own in captures])
        return function


@contextmanager
def forgotten_gradients() -> Iterator[None]:
    """Trace within the block, and `tf.custom_gradient` leaves nothing behind.

    In a graph it registers a gradient function for each of its calls (a layer's, or Keras's own
    in `Optimizer.apply`), under a name of its own, and the registry never lets go: each function
    holds its whole graph, some 10 MB for a stack, long after the stack is gone. Only gradients by
    name (`tf.gradients`) look there; a `GradientTape` holds the function itself. TensorFlow offers
    no other way to them; if another version keeps them elsewhere, they stay.
    """
    from tensorflow.python.framework import ops

    registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    with _LOCK:
        before = set(registered)
        try:
            yield
        finally:
            for name in set(registered) - before:
                if name.startswith("CustomGradient-"):
                    registered.pop(name, None)
