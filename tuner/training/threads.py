"""How TensorFlow runs in a process that trains: threads, memory, and what a trace is spared.

Owns the process's settings; they must be made before TensorFlow runs anything.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

from tuner.training.forks import refuse_after_fork

#: glibc's `mallopt` parameters, and bytes up to which freed memory stays with the process.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _KEPT_BYTES = -1, -3, 64 << 20


def set_threads(threads: int = 1, stacks: int = 1) -> None:
    """Settle this process for training; call before anything else of `tuner.training`.

    `threads` share one operation, and `stacks` may train at a time. The operations of a stack
    are too small to gain by sharing: more cores are used by more workers, or by more stacks.

    Grappler, TensorFlow's graph optimizer, is left out: it takes half of the seconds between a
    trace and its first step, and found nothing here that made a step faster.

    Raises:
        RuntimeError: TensorFlow has already run something in this process with other settings.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))

    import tensorflow as tf

    threading = tf.config.threading
    if threading.get_intra_op_parallelism_threads() != threads:
        threading.set_intra_op_parallelism_threads(threads)
    if threading.get_inter_op_parallelism_threads() != stacks:
        threading.set_inter_op_parallelism_threads(stacks)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    _keep_memory()


def settle_threads(stacks: int = 1) -> None:
    """`set_threads` unless something has imported TensorFlow before, which settled them.

    Raises TunerError if TensorFlow would hang in this process.
    """
    refuse_after_fork()
    if "tensorflow" not in sys.modules:
        with suppress(RuntimeError):
            set_threads(stacks=stacks)


def _keep_memory() -> None:
    """Keep a step's freed memory for the next step, if the C library is glibc.

    By default it gives blocks above 128 KB back to the system and takes them again, page by page,
    at every operation. `M_TRIM_THRESHOLD` and `M_MMAP_THRESHOLD` of mallopt(3).
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            mallopt(parameter, _KEPT_BYTES)
