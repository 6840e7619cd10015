"""Keeps TensorFlow from keeping every graph for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LOCK = threading.Lock()


@contextmanager
def forgotten_gradients() -> Iterator[None]:
    """Trace within the block, and `tf.custom_gradient` leaves nothing behind.

    In a graph it registers a gradient function for each of its calls (a layer's, or Keras's own
    in `Optimizer.apply`), under a name of its own, and the registry never lets go: each function
    holds its whole graph, some 10 MB for a stack, long after the stack is gone. Only gradients by
    name (`tf.gradients`) look there; a `GradientTape` holds the function itself.
    """
    registered = _registered()
    with _LOCK:
        before = set(registered)
        try:
            yield
        finally:
            for name in set(registered) - before:
                if name.startswith("CustomGradient-"):
                    registered.pop(name, None)


def _registered() -> dict[str, Any]:
    """TensorFlow's gradient functions by name. It offers no other way to them; where another
    version keeps them elsewhere, they stay."""
    from tensorflow.python.framework import ops

    registry = getattr(ops, "gradient_registry", None)
    found: dict[str, Any] = getattr(registry, "_registry", {})
    return found
