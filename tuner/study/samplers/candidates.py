"""Ready candidates in scikit-learn's order, and how many trials a study has in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from tuner.errors import DefinitionError, SpaceError
from tuner.spaces.space import Space
from tuner.study.definition import DEFAULT_TRIALS, StudyDefinition
from tuner.study.samplers.specs import CANDIDATE_SAMPLERS, EXHAUSTIVE_SAMPLERS, SklearnRandomSpec

Candidate = dict[str, Any]


def total_trials(definition: StudyDefinition, asked: int | None) -> int:
    """How many trials the study has in all.

    `asked` is a number somebody asked for now; None leaves it to the definition, whose own None
    means every point of the space for grid and brute-force, else 40 (or every point, where
    `sklearn-random` draws without replacement from fewer).

    Raises:
        DefinitionError: more trials were asked for than the space has points.
        SpaceError: the sampler needs finite steps and the space has none.
    """
    name, space = definition.sampler.name, definition.space
    size = space.size()
    if name in EXHAUSTIVE_SAMPLERS:
        if size is None:
            space.grid()  # says which parameter has no steps
            raise SpaceError(f"space {space.name}: {name} needs finite steps")
        if asked is not None and asked > size:
            raise DefinitionError(
                f"{name} tries every point of a space once; space {space.name} has {size}, "
                f"{asked} trials were asked for. Available: at most {size}, or another sampler"
            )
        return min(asked or definition.trials or size, size)
    total = asked or definition.trials or DEFAULT_TRIALS
    if name == "sklearn-random" and size is not None and _all_lists(space):
        if asked is not None and asked > size:
            raise DefinitionError(
                f"sklearn-random draws from lists without replacement; space {space.name} has "
                f"{size} points, {asked} trials were asked for. Available: at most {size}"
            )
        return min(total, size)
    return total


def candidates(
    definition: StudyDefinition, total: int, queued: Sequence[Mapping[str, Any]]
) -> list[Candidate]:
    """The varying parameters of tickets `len(queued)` to `total` - 1, in order; `queued` are
    those of the tickets before. Values are plain Python's.

    ParameterSampler's candidates for a larger n_iter begin with those for a smaller one where it
    draws with replacement. Where it draws without, they do not: then those not yet queued follow
    in their order.

    Raises `SpaceError` for a candidate that the space does not allow.
    """
    ready = [_plain(candidate) for candidate in _all(definition, total)]
    if ready[: len(queued)] == list(queued):
        return _checked(definition.space, ready[len(queued) :])
    fresh = [candidate for candidate in ready if candidate not in queued]
    return _checked(definition.space, fresh[: total - len(queued)])


def has_candidates(definition: StudyDefinition) -> bool:
    return definition.sampler.name in CANDIDATE_SAMPLERS


def _all(definition: StudyDefinition, total: int) -> list[Mapping[str, Any]]:
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    spec, space = definition.sampler, definition.space
    if not isinstance(spec, SklearnRandomSpec):
        return list(islice(ParameterGrid(space.grid()), total))
    state = definition.seed if spec.random_state is None else spec.random_state
    return list(ParameterSampler(space.random(), n_iter=total, random_state=state))


def _all_lists(space: Space) -> bool:
    return all(isinstance(value, list) for part in space.random() for value in part.values())


def _plain(candidate: Mapping[str, Any]) -> Candidate:
    return {k: v.item() if hasattr(v, "item") else v for k, v in candidate.items()}


def _checked(space: Space, ready: list[Candidate]) -> list[Candidate]:
    complete = [(space.complete(candidate), candidate) for candidate in ready]
    return [{name: whole[name] for name in candidate} for whole, candidate in complete]
