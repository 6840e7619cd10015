"""Constraints of a study as Optuna has them: numbers of which none is above 0 in a trial that
keeps them all. Its samplers and its dashboard read them from the trial."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tuner.planning.cost import count_parameters
from tuner.planning.plan import TrainingPlan
from tuner.study.definition import StudyDefinition


def constraints(definition: StudyDefinition, value: Callable[[str], float | None]) -> list[float]:
    """By how much a trial breaks each, `at_most` first; 0 where `value` knows nothing, 1 where a
    value is not finite."""
    bounds = [(1, own) for own in definition.at_most.items()]
    bounds += [(-1, own) for own in definition.at_least.items()]
    broken = []
    for sign, (name, bound) in bounds:
        known = value(name)
        own = 0.0 if known is None else sign * (known - bound)
        broken.append(own if math.isfinite(own) else 1.0)
    return broken


def parameters_of(plan: Any) -> int | None:
    """Weights of one network; None if the plan does not know."""
    if isinstance(plan, TrainingPlan):
        return count_parameters(plan.model)
    count: int | None = getattr(plan, "parameters", None)
    return count


def known_before(definition: StudyDefinition, plan: Any) -> tuple[str, list[float]] | None:
    """Why a plan is not trained, since its number of parameters breaks a constraint, and all
    constraints as far as they are known; None if it is."""
    if "parameters" not in {*definition.at_most, *definition.at_least}:
        return None
    count = parameters_of(plan)
    if count is None:
        return None
    broken = constraints(definition, lambda name: count if name == "parameters" else None)
    if max(broken) <= 0:
        return None
    most, least = (own.get("parameters") for own in (definition.at_most, definition.at_least))
    rules = [] if most is None else [f"at most {most:g}"]
    rules += [] if least is None else [f"at least {least:g}"]
    return f"not trained: {count} parameters; {' and '.join(rules)} are asked for", broken
