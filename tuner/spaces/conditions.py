"""When a parameter is active: its own `when`, and what the catalogue says it is a setting of.

Two sources, one rule: a parameter is part of a trial while every one of its conditions holds.
`when: {optimizer: sgd}` is written in the file. That `optimizer.momentum` does nothing without
sgd or rmsprop stands in the catalogue (`only_with`), so that no search spends trials on a
setting without effect, and nobody has to write it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tuner.errors import unknown
from tuner.parameters.info import Scalar, Value
from tuner.parameters.values import fit_scalar
from tuner.parameters.words import show, word
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.explain import Fault
from tuner.spaces.forms import Fixed
from tuner.spaces.parameter import Parameter

#: Of a list of values in a message, this many are shown.
_SHOWN = 12


@dataclass(frozen=True)
class Condition:
    """`parent` has one of `allowed`. Where the parent itself is inactive, `written` conditions
    fail, and those of the catalogue look at the parent's default."""

    parent: str
    allowed: tuple[Scalar, ...]
    written: bool

    def holds(self, values: Mapping[str, Value]) -> bool:
        if self.parent in values:
            return values[self.parent] in self.allowed
        return not self.written and CATALOGUE[self.parent].default in self.allowed


def find_conditions(
    params: Mapping[str, Parameter], broken: Collection[str] = ()
) -> tuple[dict[str, tuple[Condition, ...]], list[Fault]]:
    """The conditions of every parameter that can fail, and what is wrong with any of them.

    `broken` names parameters of the space that are not in `params` because of their own faults;
    nothing is said of conditions on these. Faults have the parameter's name first in their path.
    Conditions that always hold are left out, so that a parameter without an entry is part of
    every trial.
    """
    conditions: dict[str, tuple[Condition, ...]] = {}
    faults: list[Fault] = []
    for name, parameter in params.items():
        found: list[Condition] = []
        for parent in parameter.when:
            if parent in broken:
                continue
            try:
                found.append(_written(params, name, parent))
            except ValueError as error:
                faults.append(Fault((name, "when", parent), str(error)))
        # Null means "as if it were not here", which does nothing anywhere.
        if not (isinstance(parameter, Fixed) and parameter.value is None):
            try:
                found += _implied(params, name, broken)
            except ValueError as error:
                faults.append(Fault((name,), str(error)))
        if found:
            conditions[name] = tuple(_merged(found))
    if not faults:
        cycle = find_cycle(params, conditions)
        if cycle is not None:
            text = f"a cycle of conditions: {' needs '.join(cycle)}"
            faults.append(Fault((cycle[0],), text))
    if faults:
        return {}, faults
    return _that_can_fail(params, conditions), []


def _written(params: Mapping[str, Parameter], name: str, parent: str) -> Condition:
    """The condition that `when` names. Raises ValueError."""
    if parent not in params:
        if parent in CATALOGUE:
            raise ValueError(
                f"the space does not set {parent}, so nothing can depend on it. "
                f"Available: {', '.join(other for other in params if other != name)}"
            )
        raise ValueError(unknown("parameter", parent, params))
    points = params[parent].points()
    wanted = params[name].when[parent]
    if points is None:
        raise ValueError(
            f"{parent} is continuous ({params[parent].describe()}) and meets a given value with "
            f"probability 0; got {_listed(wanted)}; a condition needs choices, values or steps"
        )
    if not wanted:
        raise ValueError(f"must name at least one value of {parent}; got an empty list")
    allowed = []
    for value in wanted:
        try:
            fit = fit_scalar(CATALOGUE[parent], value)
        except ValueError as error:
            text = str(error)
            raise ValueError(text if text.startswith("unknown") else f"{parent} {text}") from None
        if not params[parent].takes(fit):
            raise ValueError(
                f"{parent} never takes the value {show(value)} here; it takes {_listed(points)}"
            )
        allowed.append(fit)
    return Condition(parent, tuple(allowed), written=True)


def _implied(
    params: Mapping[str, Parameter], name: str, broken: Collection[str]
) -> list[Condition]:
    """The conditions of the catalogue. Raises ValueError where one can never hold."""
    found = []
    for parent, names in CATALOGUE[name].only_with.items():
        if parent in broken:
            continue
        info = CATALOGUE[parent]
        aliases = tuple(alias for alias, meant in info.aliases.items() if meant in names)
        allowed = (*names, *aliases)
        if parent not in params:
            points: Sequence[Value] = [info.default]
            here = f"{info.default}, the default"
        else:
            points = params[parent].points() or ()
            here = _listed(points)
            wanted = params[name].when.get(parent)
            if wanted and not set(wanted) & set(allowed):
                raise ValueError(
                    f"does nothing with {parent} {_listed(wanted)}: "
                    f"it is a setting of {', '.join(names)}"
                )
        if not any(point in allowed for point in points):
            raise ValueError(
                f"does nothing here: it is a setting of {', '.join(names)}; {parent} is {here}"
            )
        found.append(Condition(parent, allowed, written=False))
    return found


def _merged(found: Sequence[Condition]) -> list[Condition]:
    """One condition for each parent: what `when` and the catalogue both allow."""
    merged: dict[str, Condition] = {}
    for condition in found:
        other = merged.setdefault(condition.parent, condition)
        if other is not condition:
            both = tuple(value for value in other.allowed if value in condition.allowed)
            merged[condition.parent] = Condition(condition.parent, both, written=True)
    return list(merged.values())


def does_nothing(name: str, params: Mapping[str, Parameter], broken: Collection[str] = ()) -> bool:
    """Whether the catalogue says that a parameter is without effect in every trial."""
    try:
        _implied(params, name, broken)
    except ValueError:
        return True
    return False


def _that_can_fail(
    params: Mapping[str, Parameter], conditions: Mapping[str, tuple[Condition, ...]]
) -> dict[str, tuple[Condition, ...]]:
    """Without the conditions that hold in every trial."""
    kept: dict[str, tuple[Condition, ...]] = {}
    for name in ordered(params, conditions):
        left = []
        for condition in conditions.get(name, ()):
            parent = params.get(condition.parent)
            points = [CATALOGUE[condition.parent].default] if parent is None else parent.points()
            always = points is not None and all(point in condition.allowed for point in points)
            if not always or condition.parent in kept:
                left.append(condition)
        if left:
            kept[name] = tuple(left)
    return kept


def ordered(
    params: Mapping[str, Parameter], conditions: Mapping[str, tuple[Condition, ...]]
) -> list[str]:
    """The names in file order, but each after all that its conditions look at."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        for condition in conditions.get(name, ()):
            if condition.parent in params and condition.parent not in order:
                visit(condition.parent)
        order[name] = None

    for name in params:
        visit(name)
    return list(order)


def find_cycle(
    params: Mapping[str, Parameter], conditions: Mapping[str, tuple[Condition, ...]]
) -> list[str] | None:
    """A cycle of parameters that need each other (the first one again at the end), or None."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str] | None:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done or name not in params:
            return None
        for condition in conditions.get(name, ()):
            cycle = visit(condition.parent, [*path, name])
            if cycle is not None:
                return cycle
        done.add(name)
        return None

    return next((cycle for name in params if (cycle := visit(name, []))), None)


def _listed(values: Sequence[Value]) -> str:
    """Values for a message; a long list is cut."""
    words = [word(values[i]) for i in range(min(len(values), _SHOWN))]
    more = "" if len(values) <= _SHOWN else f", ... ({len(values)} values)"
    return ", ".join(words) + more
