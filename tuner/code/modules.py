"""Which modules are the program's own: their code travels with a study, others' by its name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_own(name: str | None) -> bool:
    """Whether a module is `__main__`, or one of the program's folder or the working directory that
    no package installation put there."""
    if name is None or name == "__main__":
        return True
    top = name.partition(".")[0]
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return name not in sys.modules  # made by hand: nobody could import it
    path = Path(os.path.realpath(file))
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return top != "tuner" and not installed and any(path.is_relative_to(own) for own in _folders())


def _folders() -> set[str]:
    main = getattr(sys.modules["__main__"], "__file__", None)
    here = [os.getcwd(), *([] if main is None else [os.path.dirname(os.path.abspath(main))])]
    return {os.path.realpath(folder) for folder in here}


@contextmanager
def by_value() -> Iterator[None]:
    """cloudpickle takes the code of own modules, not their names."""
    import cloudpickle

    already = set(cloudpickle.list_registry_pickle_by_value())
    own = [
        module
        for name, module in list(sys.modules.items())
        if name not in already and name != "__main__" and module is not None and is_own(name)
    ]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)
