"""Environment variables of processes that are started from here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def thread_variables(threads: int = 1) -> dict[str, str]:
    """What must be set before a worker imports: these libraries read it when they are loaded."""
    count = str(threads)
    return {
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


@contextmanager
def environment(values: Mapping[str, str], *, prefix: str = "=") -> Iterator[None]:
    """`values` in `os.environ`; afterwards they, and all variables that begin with `prefix`, are
    as before."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        for name in {*before, *os.environ}:
            if name in values or name.startswith(prefix):
                os.environ.pop(name, None)
                if name in before:
                    os.environ[name] = before[name]
