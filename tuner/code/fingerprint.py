"""What an object does, as a hash that is the same whenever the same program runs.

The bytes of a pickle are not: they hold file names and line numbers, and sets in an order that
changes with every process (measured: of five small objects four had other bytes in every run, all
of them after a line of comment above). Here counts what the code does: the compiled body with
its constants, defaults, closures and the globals that it names, and so on through all functions
and classes of the program's own modules. Of other modules' functions and classes counts the name.
Where something stands, comments and the states of random numbers do not count.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import random
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tuner.code.modules import is_own

#: What a class has that is not its author's.
_OF_ANY_CLASS = {
    "__dict__", "__weakref__", "__module__", "__qualname__", "__firstlineno__",
    "__static_attributes__", "__annotations__", "__annotate__", "__annotate_func__",
    "__annotations_cache__", "_abc_impl", "__abstractmethods__",
}  # fmt: skip
_ATOMS = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented), range)
_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType)
_RANDOM = (np.random.RandomState, np.random.Generator, np.random.BitGenerator, random.Random)


def fingerprint(value: object) -> str:
    """First 16 hexadecimal digits of a SHA-256 over what `value` is.

    >>> fingerprint(lambda a, b: a - b) == fingerprint(lambda a, b: a - b)
    True

    Raises TypeError for what cannot be pickled.
    """
    return _Walk().of(value).hex()[:16]


class _Walk:
    def __init__(self) -> None:
        self._around: list[int] = []
        #: By id, with the object: while it lives, its id is nobody else's.
        self._known: dict[int, tuple[object, bytes]] = {}

    def of(self, value: object) -> bytes:
        if id(value) in self._known:
            return self._known[id(value)][1]
        if id(value) in self._around:
            return f"around {self._around[::-1].index(id(value))}".encode()
        self._around.append(id(value))
        digest = hashlib.sha256()
        for part in self._parts(value):
            digest.update(part)
            digest.update(b"|")
        self._around.pop()
        self._known[id(value)] = value, digest.digest()
        return digest.digest()

    def _parts(self, value: Any) -> Iterator[bytes]:
        yield type(value).__qualname__.encode()
        if isinstance(value, _ATOMS):
            yield repr(value).encode()
        elif isinstance(value, frozenset | set):
            yield from sorted(map(self.of, value))
        elif isinstance(value, types.ModuleType):
            yield from self._module(value)
        elif isinstance(value, tuple | list) and type(value) in (tuple, list):
            yield from map(self.of, value)
        elif isinstance(value, Mapping) and type(value) in (dict, types.MappingProxyType):
            yield from sorted(self.of(key) + self.of(own) for key, own in value.items())
        elif isinstance(value, np.ndarray) and value.dtype != object:
            yield f"{value.dtype.str}{value.shape}".encode()
            yield np.ascontiguousarray(value).tobytes()
        elif isinstance(value, types.CodeType):
            yield from self._code(value)
        elif isinstance(value, types.FunctionType):
            yield from self._function(value)
        elif isinstance(value, type):
            yield from self._class(value)
        elif isinstance(value, types.MethodType | staticmethod | classmethod):
            yield self.of(value.__func__)
            yield self.of(getattr(value, "__self__", None))
        elif isinstance(value, property):
            yield from map(self.of, (value.fget, value.fset, value.fdel))
        elif isinstance(value, functools.partial):
            yield from map(self.of, (value.func, value.args, value.keywords))
        elif isinstance(value, types.CellType):
            yield self.of(_content(value))
        elif isinstance(value, types.BuiltinFunctionType | np.ufunc):
            yield f"{getattr(value, '__module__', '')}.{value.__name__}".encode()
            yield self.of(getattr(value, "__self__", None))
        elif not isinstance(value, _RANDOM) and type(value).__name__ != "LazyRandomState":
            yield from self._instance(value)

    def _module(self, module: types.ModuleType) -> Iterator[bytes]:
        yield module.__name__.encode()
        if is_own(module.__name__):
            for name, value in sorted(vars(module).items()):
                if getattr(value, "__module__", None) == module.__name__ or (
                    isinstance(value, _ATOMS) and not name.startswith("__")
                ):
                    yield name.encode()
                    yield self.of(value)

    def _code(self, code: types.CodeType) -> Iterator[bytes]:
        yield code.co_code
        for names in (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars):
            yield ",".join(names).encode()
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        yield str(counts).encode()
        yield from map(self.of, code.co_consts)

    def _function(self, function: types.FunctionType) -> Iterator[bytes]:
        if not is_own(function.__module__):
            yield f"{function.__module__}.{function.__qualname__}".encode()
            return
        yield self.of(function.__code__)
        yield self.of(function.__defaults__)
        yield self.of(function.__kwdefaults__)
        yield self.of(function.__closure__)
        for name in sorted(_globals_of(function.__code__)):
            if name in function.__globals__:
                yield name.encode()
                yield self.of(function.__globals__[name])

    def _class(self, kind: type) -> Iterator[bytes]:
        yield kind.__qualname__.encode()
        if not is_own(kind.__module__):
            yield kind.__module__.encode()
            return
        yield self.of(kind.__bases__)
        for name, value in sorted(vars(kind).items()):
            if name not in _OF_ANY_CLASS and not isinstance(value, _DESCRIPTORS):
                yield name.encode()
                yield self.of(value)

    def _instance(self, value: Any) -> Iterator[bytes]:
        yield self.of(getattr(value, "__wrapped__", None))
        reduced = value.__reduce_ex__(4)
        if isinstance(reduced, str):
            yield f"{type(value).__module__}.{reduced}".encode()
            return
        make, arguments, *state = reduced
        yield self.of(make)
        yield self.of(arguments)
        for part in state:
            yield self.of(list(part) if isinstance(part, Iterator) else part)


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # of a function that is not defined yet
        return None


def _globals_of(code: types.CodeType) -> set[str]:
    """Names of globals in a body and in the functions within it."""
    names = {
        str(step.argval)
        for step in dis.get_instructions(code)
        if step.opname.endswith(("_GLOBAL", "_NAME"))
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _globals_of(constant)
    return names
