"""What is kept quiet, since nobody who runs a command can act on it."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Import TensorFlow; what its libraries write to file descriptor 2 meanwhile is dropped.

    They greet before their log level counts: two lines about CUDA and oneDNN that nobody who runs
    a command can act on. If the import fails, they are written after all.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as dropped:
        os.dup2(dropped.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            dropped.seek(0)
            os.write(kept, dropped.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def any_column_name() -> Iterator[None]:
    """Keras warns of a column whose name could be no layer's; its model works."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        yield
