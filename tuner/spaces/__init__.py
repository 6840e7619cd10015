"""Search spaces: what may vary, as files; candidates and Optuna distributions from them.

`catalogue`, `info` and `shipped` are light; the rest, which needs pydantic and ruamel.yaml, is
loaded when it is first used.
"""

from typing import TYPE_CHECKING

from tuner.lazy import lazy
from tuner.spaces.shipped import shipped_folder as shipped_folder

if TYPE_CHECKING:
    from tuner.spaces.library import list_spaces as list_spaces
    from tuner.spaces.library import load_space as load_space
    from tuner.spaces.schema import space_schema as space_schema
    from tuner.spaces.space import Space as Space

__getattr__ = lazy(
    __name__,
    {"Space": "space", "list_spaces": "library", "load_space": "library", "space_schema": "schema"},
)
