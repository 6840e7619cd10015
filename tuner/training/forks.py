"""Processes that were forked after TensorFlow ran: its threads are not in them, and it hangs."""

from __future__ import annotations

import os
import sys

from tuner.errors import TunerError

_forked = False


def _after_fork() -> None:
    global _forked
    module = sys.modules.get("tensorflow.python.eager.context")
    context = None if module is None else module.context_safe()
    _forked = _forked or (context is not None and context._context_handle is not None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def refuse_after_fork() -> None:
    """Raise TunerError if TensorFlow would hang in this process."""
    if _forked:
        raise TunerError(
            "TensorFlow must not run in a process that was forked after it ran, where it would "
            f"hang; got process {os.getpid()}, a fork of {os.getppid()}. Available: joblib's "
            "backend loky, multiprocessing's start methods spawn and forkserver"
        )
