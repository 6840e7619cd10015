"""Parameters set from the command line: `--set name=value`.

- A value is YAML 1.2: fixed (`epochs=3`), a form (`epochs={low: 1, high: 3}`), or `null`, which
  takes the parameter out, so that its default holds.
- A parameter keeps its place, and its `when` unless the new form brings one; one that the space
  did not have comes last.
- What can no longer be active leaves the space: with `schedule=cosine`, everything that needed
  another schedule; with `model.units=64-32`, `model.layers`. Set in the same call, it is an
  error instead.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from tuner.errors import SpaceError
from tuner.parameters import Scalar
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.conditions import does_nothing
from tuner.spaces.exclusions import gives_widths
from tuner.spaces.explain import Problem
from tuner.spaces.parameter import Parameter
from tuner.spaces.read import Open, ParameterError, read_parameter
from tuner.spaces.yaml_file import parse_yaml, raise_problems


def overridden(
    params: Mapping[str, Parameter], settings: Mapping[str, str], open: Open = False
) -> dict[str, Any]:
    """The parameters of a space with `settings` in force; one whose setting is wrong is left as
    it is written, for the whole space to find the same problems in.

    Raises SpaceError with one line for each text that is no YAML.
    """
    changed: dict[str, Any] = dict(params)
    problems: list[Problem] = []
    inherited: set[str] = set()
    for name, text in settings.items():
        source = f"--set {name}"
        value, _, found = parse_yaml(text, source)
        problems += [replace(problem, line=None) for problem in found]
        if not found and not text.strip():
            problems.append(Problem((), "needs a value; got nothing", source))
        elif value is None and (open or name in CATALOGUE):
            changed.pop(name, None)
        elif not found:
            old = changed.get(name)
            new = changed[name] = _read(name, value, open)
            if isinstance(new, Parameter) and isinstance(old, Parameter) and not new.when:
                changed[name] = new.model_copy(update={"when": old.when})
                inherited.add(name)
    raise_problems(problems, SpaceError)
    _settle(changed, set(settings), inherited)
    return changed


def blamed(problem: Problem, settings: Collection[str]) -> Problem:
    """The problem of a space, told of the setting that caused it."""
    name = str(problem.loc[1]) if len(problem.loc) > 1 else ""
    if name not in settings:
        return problem
    return Problem(problem.loc[2:], problem.text, f"--set {name}")


def _read(name: str, value: Any, open: Open) -> Any:
    """The parameter, or the value as it is written."""
    try:
        return read_parameter(name, value, open)
    except ParameterError:
        return value


def _settle(params: dict[str, Any], settings: set[str], inherited: set[str]) -> None:
    """Take out of `params`, until nothing changes, what can no longer be active; and out of every
    `when` the values that its parent can no longer take."""
    changed = True
    while changed:
        changed = False
        for name, parameter in list(params.items()):
            if not isinstance(parameter, Parameter):
                continue
            own, when = name in settings, parameter.when
            if not own or name in inherited:
                when = _possible(parameter, params)
            if name in inherited:
                # This `when` was not asked for: it stays only as far as it still can hold.
                when = {parent: values for parent, values in when.items() if values}
            if not own and (not all(when.values()) or _useless(name, params)):
                changed = True
                del params[name]
            elif when != parameter.when:
                changed = True
                params[name] = parameter.model_copy(update={"when": when})


def _possible(parameter: Parameter, params: Mapping[str, Any]) -> dict[str, tuple[Scalar, ...]]:
    """`when` with the values that can still occur; a parent that has left has its default."""
    when: dict[str, tuple[Scalar, ...]] = {}
    for parent, values in parameter.when.items():
        other = params.get(parent)
        if other is None:
            if CATALOGUE[parent].default not in values:
                when[parent] = ()
        elif isinstance(other, Parameter):
            when[parent] = tuple(value for value in values if other.takes(value))
        else:
            when[parent] = values
    return when


def _useless(name: str, params: Mapping[str, Any]) -> bool:
    read = {key: p for key, p in params.items() if isinstance(p, Parameter)}
    counted = name == "model.layers" and gives_widths(read)
    return counted or does_nothing(name, read, [key for key in params if key not in read])
