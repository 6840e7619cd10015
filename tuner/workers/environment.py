"""Environment variables of processes that are started from here."""

from __future__ import annotations

import os
import sys
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
def without_main() -> Iterator[None]:
    """Processes that multiprocessing starts within do not run the program's own file again: a
    script that is not written for that would start a search in each of them. Nor do they know
    what is defined there."""
    main = sys.modules["__main__"]
    names = ["__spec__", "__file__"]
    held = {name: vars(main)[name] for name in names if name in vars(main)}
    try:
        main.__spec__ = main.__file__ = None
        yield
    finally:
        del main.__spec__, main.__file__
        vars(main).update(held)


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
