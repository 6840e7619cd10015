"""When a parameter is active: its own `when`, and what the catalogue says it is a setting of.

Two sources, one rule: a parameter is part of a trial while every one of its conditions holds.
`when: {optimizer: sgd}` is written in the file. That `optimizer.momentum` does nothing without
sgd or rmsprop stands in the catalogue (`only_with`), so that no search spends trials on a
setting without effect, and nobody has to write it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tuner.errors import unknown
from tuner.parameters import Scalar, Value, show, word
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.explain import Problem
from tuner.spaces.forms import Fixed
from tuner.spaces.parameter import Parameter

#: Of a list of values in a message, this many are shown.
_SHOWN = 12


@dataclass(frozen=True)
class Condition:
    """`parent` has one of `allowed`. If the parent itself is inactive, `written` conditions
    fail, and those of the catalogue look at the parent's default."""

    parent: str
    allowed: tuple[Scalar, ...]
    written: bool

    def holds(self, values: Mapping[str, Value]) -> bool:
        if self.parent in values:
            return values[self.parent] in self.allowed
        return not self.written and CATALOGUE[self.parent].default in self.allowed


@dataclass(frozen=True)
class Activity:
    """Which parameters are part of a trial.

    Attributes:
        params: of the space, in file order.
        conditions: those of every parameter that can fail; one that is part of every trial has
            no entry.
        order: file order, but a parameter comes after those that its conditions look at.
    """

    params: Mapping[str, Parameter]
    conditions: Mapping[str, tuple[Condition, ...]]
    order: tuple[str, ...]

    def active(self, name: str, values: Mapping[str, Value]) -> bool:
        """Whether a parameter is part of a trial that has these values already."""
        return all(condition.holds(values) for condition in self.conditions.get(name, ()))


def find_activity(
    params: Mapping[str, Parameter], broken: Collection[str] = ()
) -> tuple[Activity, list[Problem]]:
    """The conditions of a space's parameters, and what is wrong with any of them.

    `broken` names parameters of the space that are not in `params` because of their own problems;
    nothing is said of conditions on these. Faults have the parameter's name first in their path;
    with any, there are no conditions.
    """
    conditions: dict[str, tuple[Condition, ...]] = {}
    problems: list[Problem] = []
    for name, parameter in params.items():
        found: dict[str, Condition] = {}
        for parent in parameter.when:
            try:
                if parent not in broken:
                    found[parent] = _written(params, name, parent)
            except ValueError as error:
                problems.append(Problem((name, "when", parent), str(error)))
        # Null means "as if it were not here", which does nothing anywhere.
        if not (isinstance(parameter, Fixed) and parameter.value is None):
            try:
                for implied in _implied(params, name, broken):
                    written = found.setdefault(implied.parent, implied)
                    both = tuple(value for value in written.allowed if value in implied.allowed)
                    found[implied.parent] = replace(written, allowed=both)
            except ValueError as error:
                problems.append(Problem((name,), str(error)))
        if found:
            conditions[name] = tuple(found.values())
    order: list[str] = []
    if not problems:
        order, problems = _ordered(params, conditions)
    if problems:
        return Activity(params, {}, tuple(params)), problems
    return Activity(params, _that_can_fail(params, conditions, order), tuple(order)), []


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
            fit = params[parent].fit(value)
        except ValueError as error:
            text = str(error)
            raise ValueError(text if text.startswith("unknown") else f"{parent} {text}") from None
        if isinstance(fit, list) or not params[parent].takes(fit):
            raise ValueError(
                f"{parent} never takes the value {show(value)} here; it takes {_listed(points)}"
            )
        allowed.append(fit)
    return Condition(parent, tuple(allowed), written=True)


def _implied(
    params: Mapping[str, Parameter], name: str, broken: Collection[str]
) -> list[Condition]:
    """The conditions of the catalogue. Raises ValueError if one can never hold."""
    found = []
    for parent, names in params[name].info.only_with.items():
        if parent in broken:
            continue
        info = CATALOGUE[parent]
        allowed = (*names, *(alias for alias, meant in info.aliases.items() if meant in names))
        points: Sequence[Value] = [info.default]
        here = f"{info.default}, the default"
        if parent in params:
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


def does_nothing(name: str, params: Mapping[str, Parameter], broken: Collection[str] = ()) -> bool:
    """Whether the catalogue says that a parameter is without effect in every trial."""
    try:
        _implied(params, name, broken)
    except ValueError:
        return True
    return False


def _that_can_fail(
    params: Mapping[str, Parameter],
    conditions: Mapping[str, tuple[Condition, ...]],
    order: Sequence[str],
) -> dict[str, tuple[Condition, ...]]:
    """Without the conditions that hold in every trial."""
    kept: dict[str, tuple[Condition, ...]] = {}
    for name in order:
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


def _ordered(
    params: Mapping[str, Parameter], conditions: Mapping[str, tuple[Condition, ...]]
) -> tuple[list[str], list[Problem]]:
    """The names in file order, but each after all that its conditions look at; a cycle of
    parameters that need each other is a problem."""
    order: dict[str, None] = {}
    problems: list[Problem] = []

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            cycle = [*path[path.index(name) :], name]
            problems.append(Problem((name,), f"a cycle of conditions: {' needs '.join(cycle)}"))
            return
        for condition in conditions.get(name, ()):
            if condition.parent in params and condition.parent not in order and not problems:
                visit(condition.parent, [*path, name])
        order[name] = None

    for name in params:
        visit(name, [])
    return list(order), problems[:1]


def _listed(values: Sequence[Value]) -> str:
    """Values for a message; a long list is cut."""
    more = "" if len(values) <= _SHOWN else f", ... ({len(values)} values)"
    return ", ".join(map(word, values[:_SHOWN])) + more
