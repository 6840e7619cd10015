"""One traced graph for several stacks of the same form, each with variables of its own.

Owns the trace. Tracing costs more than some trainings, and holds Python's lock: stacks that train
at a time in one process would pay for it one after another.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any


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
