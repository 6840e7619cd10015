"""One worker process is one thread of TensorFlow; more cores are used by more workers."""

from __future__ import annotations

import os


def set_threads(threads: int = 1) -> None:
    """Keep TensorFlow to so many threads and quiet; call before anything else of
    `tuner.training`.

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
    if threading.get_inter_op_parallelism_threads() != 1:
        threading.set_inter_op_parallelism_threads(1)
