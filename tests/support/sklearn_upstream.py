"""scikit-learn's own tests of its search classes, made anew over other classes.

The test functions are those of the installed `sklearn.model_selection.tests.test_search`, over a
namespace in which the stock classes are ours, with the same exchange in their parametrisation.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Container, Mapping
from typing import Any

import pytest
from sklearn.model_selection.tests import test_search as upstream

#: What is kept of upstream's marks: those for its own runners are not.
MARKS = ("parametrize", "skipif", "filterwarnings")


def exchanged(value: Any, classes: Mapping[type, type]) -> Any:
    """`value` with the stock classes, and instances of them, exchanged for ours."""
    if isinstance(value, type):
        return classes.get(value, value)
    if type(value) in classes:
        return classes[type(value)](**value.get_params(deep=False))
    if hasattr(value, "_replace"):  # pytest.param(...)
        return value._replace(values=exchanged(value.values, classes))
    if isinstance(value, tuple | list):
        return type(value)(exchanged(item, classes) for item in value)
    return value


def exchanged_mark(mark: Any, classes: Mapping[type, type]) -> Any:
    if mark.name != "parametrize":
        return mark
    names, values, *rest = mark.args
    return pytest.mark.parametrize(
        names, exchanged(list(values), classes), *rest, **mark.kwargs
    ).mark


def remade(function: Any, namespace: dict[str, Any], classes: Mapping[type, type]) -> Any:
    """`function` of the upstream module over another namespace, what decorates it included."""
    cells, own = function.__closure__, namespace
    if function.__globals__ is not vars(upstream):  # a decorator's: what it wraps is upstream's
        inner, own = function.__wrapped__, function.__globals__
        cells = tuple(
            types.CellType(remade(inner, namespace, classes))
            if cell.cell_contents is inner
            else cell
            for cell in cells
        )
    made = types.FunctionType(
        function.__code__, own, function.__name__, function.__defaults__, cells
    )
    made.__kwdefaults__ = function.__kwdefaults__
    if own is not namespace:
        functools.update_wrapper(made, function)
    made.__dict__["pytestmark"] = [
        exchanged_mark(mark, classes)
        for mark in getattr(function, "pytestmark", [])
        if mark.name in MARKS
    ]
    return made


def upstream_tests(classes: Mapping[type, type], not_applicable: Container[str]) -> dict[str, Any]:
    """scikit-learn's tests by name, over `classes` instead of the stock ones."""
    namespace = {name: exchanged(value, classes) for name, value in vars(upstream).items()}
    tests = {}
    for name, value in vars(upstream).items():
        if isinstance(value, types.FunctionType) and value.__module__ == upstream.__name__:
            namespace[name] = remade(value, namespace, classes)
            if name.startswith("test_") and name not in not_applicable:
                tests[name] = namespace[name]
    return tests
