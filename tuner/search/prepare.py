"""Making a study, or finding it, and queueing what is missing to its total."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tuner.errors import StudyConflictError, UsageError
from tuner.planning.metrics import metric_direction
from tuner.spaces.points import Point
from tuner.storage import records
from tuner.study.data import DataFacts, describe_data, other_data
from tuner.study.definition import StudyDefinition
from tuner.study.description import goals, searches, with_total
from tuner.study.nested import require_scored
from tuner.study.stored import definition_in, require_same
from tuner.text import printable, quoted

if TYPE_CHECKING:
    from optuna.study import StudyDirection

    from tuner.storage.backend import Backend
    from tuner.storage.kind import StorageKind

#: Seconds to wait for another process that has made the study and not yet written what it is.
_MAKING = 5.0
#: Characters that Optuna's tables hold.
LONGEST_NAME = 512


@dataclass(frozen=True)
class PreparedStudy:
    """A study that workers can work on.

    Attributes:
        total: how many trials it shall have in all.
        done: how many of them have ended.
        definition: resolved, as stored.
        notes: lines for people, on the data.
    """

    name: str
    storage_url: str
    total: int
    done: int
    definition: StudyDefinition
    notes: tuple[str, ...] = ()


def prepare_study(
    definition: StudyDefinition,
    *,
    name: str | None,
    storage_url: str | StorageKind,
    trials: int | None,
    describe: Callable[[StudyDefinition], DataFacts] = describe_data,
) -> PreparedStudy:
    """Make the study, or find it, and queue what is missing to its total.

    Safe however many processes do it at a time, and doing it again changes nothing. Everything
    that can be wrong with the definition and its data is found before anything is stored.

    Args:
        name: None: made from the space's name and the definition's hash.
        trials: the total somebody asks for now: more adds the difference, fewer ends the study
            earlier, but never below what has begun. None: the definition's, and never fewer than
            were asked for before.
        describe: loads the data and says what they are.

    Raises:
        UsageError (its subclasses): the definition, its data, or the two together break a rule.
        StudyConflictError: the name holds another definition (the differences are listed), other
            data (both hashes are named), or a study that `tuner` did not make.
        StorageError: the storage cannot be used, or a newer `tuner` has written to it.
    """
    definition.sampler.require_packages()
    require_scored(definition)
    definition.total_trials(trials)  # refused before the data are read
    facts = describe(definition)
    definition = definition.resolved(facts.task)
    total = definition.total_trials(trials)
    name = name or definition.default_name()

    from tuner.search.budget import queue_missing
    from tuner.search.points import is_enqueued, settle_enqueued, with_defaults
    from tuner.search.tickets import count_tickets
    from tuner.storage import storage_at
    from tuner.storage.quiet import quiet_optuna
    from tuner.storage.retry import Retry

    quiet_optuna()
    definition = with_defaults(definition, total)
    storage = storage_at(storage_url)
    if storage.absent:
        _require_name(name)  # before it is made
    backend = storage.backend()
    call = Retry(patience=60, storage=storage)
    with storage.errors(), ExitStack() as at_end:
        at_end.callback(storage.close, backend.storage)
        study_id = call(lambda: _find_or_create(backend, name, definition, facts, total))
        attributes = call(lambda: _await_attributes(backend, study_id, definition, facts))
        stored = definition_in(attributes, name)
        require_same(definition, attributes, name, storage)
        _require_same_folds(definition.nested, stored.nested, name)
        if facts.hash != attributes[records.STUDY_DATA_HASH]:  # perhaps read in an earlier way
            facts = describe(stored)
        _require_same_data(attributes, facts, definition.data.uri, f"{quoted(name)} in {storage}")
        there = call(lambda: backend.trials(study_id))
        total = call(lambda: queue_missing(backend, study_id, definition, there, total, trials))
        refused: list[str] = []
        if any(map(is_enqueued, there)):
            there = call(lambda: backend.trials(study_id))
            refused, total = call(lambda: settle_enqueued(backend, study_id, stored, there, total))
        final = with_total(stored, total).model_copy(
            update={
                "retries": definition.retries,
                "timeout": definition.timeout,
                "nested": definition.nested or stored.nested,
                "try_first": _joined(stored.try_first, definition.try_first),
                "code": definition.code,  # the file that is surely there
            }
        )
        if final != stored:
            text = final.to_json()
            key = records.STUDY_DEFINITION
            call(lambda: backend.storage.set_study_user_attr(study_id, key, text))
    counts = count_tickets(there, total=total, retries=final.retries)
    notes = (*goals(final), *searches(final, total), *facts.notes, *refused)
    url = storage_url if isinstance(storage_url, str) else storage.url
    return PreparedStudy(name, url, total, counts.done, final, notes)


def _require_same_folds(given: int | None, stored: int | None, name: str) -> None:
    if None not in (given, stored) and given != stored:
        raise StudyConflictError(
            f"a nested study keeps its outer folds; {quoted(name)} has {stored}, received --nested "
            f"{given}. Available: --nested {stored}, or another --name"
        )


def _joined(points: Sequence[Point], more: Sequence[Point]) -> tuple[Point, ...]:
    """`points`, and those of `more` that are not among them, each as often as it is named."""
    new, held = [], list(points)
    for point in more:
        if point in held:
            held.remove(point)
        else:
            new.append(point)
    return (*points, *new)


def _find_or_create(
    backend: Backend, name: str, definition: StudyDefinition, facts: DataFacts, total: int
) -> int:
    from optuna.exceptions import DuplicatedStudyError

    try:
        return backend.storage.get_study_id_from_name(name)
    except (KeyError, UnicodeEncodeError):
        pass
    _require_name(name)
    attributes = _attributes(with_total(definition, total), facts)
    try:
        return backend.create_study(name, _directions(definition), attributes)
    except DuplicatedStudyError:
        return backend.storage.get_study_id_from_name(name)


def _directions(definition: StudyDefinition) -> list[StudyDirection]:
    from optuna.study import StudyDirection

    return [StudyDirection[metric_direction(own).upper()] for own in definition.objectives]


def _require_name(name: str) -> None:
    """Raises `UsageError` for a name that a terminal or a storage cannot hold; of a new study."""
    if printable(name) != name or not name.strip() or len(name) > LONGEST_NAME:
        raise UsageError(
            f"a study's name has 1 to {LONGEST_NAME} printable characters; received "
            f"{quoted(name)}. Available: another --name"
        )


def _attributes(definition: StudyDefinition, facts: DataFacts) -> dict[str, Any]:
    """What a study is known by, in the order in which it is written."""
    return {
        records.STUDY_VERSION: records.VERSION,
        records.STUDY_DEFINITION: definition.to_json(),
        records.STUDY_DEFINITION_HASH: definition.hash(),
        records.STUDY_DATA_HASH: facts.hash,
        records.STUDY_KEY: uuid4().hex[:16],
        records.STUDY_TASK: facts.task,
    }


def _await_attributes(
    backend: Backend, study_id: int, definition: StudyDefinition, facts: DataFacts
) -> Mapping[str, Any]:
    """What the study is known by, once its maker has written all of it, or has had the time."""
    until = time.monotonic() + _MAKING
    while True:
        attributes = backend.storage.get_study_user_attrs(study_id)
        if records.STUDY_TASK in attributes or backend.atomic:
            return attributes
        if time.monotonic() >= until:
            return attributes | _complete(backend, study_id, attributes, definition, facts)
        time.sleep(0.05)


def _complete(
    backend: Backend,
    study_id: int,
    attributes: Mapping[str, Any],
    definition: StudyDefinition,
    facts: DataFacts,
) -> dict[str, Any]:
    """What a study lacks whose maker died before all was written; written now, if the definition
    is ours. A journal may be torn there too."""
    directions = backend.storage.get_study_directions(study_id)
    if directions != _directions(definition) or backend.trials(study_id):
        return {}
    begun = records.STUDY_DEFINITION in attributes
    made = definition_in(attributes, "") if begun else definition
    missing = {k: v for k, v in _attributes(made, facts).items() if k not in attributes}
    if made.hash() == definition.hash():
        for key, value in missing.items():
            backend.storage.set_study_user_attr(study_id, key, value)
    return missing


def _require_same_data(
    attributes: Mapping[str, Any], facts: DataFacts, uri: str, study: str
) -> None:
    data_hash = attributes[records.STUDY_DATA_HASH]
    if facts.hash != data_hash:
        raise StudyConflictError(
            f"{other_data(study, data_hash, uri, facts.hash)}. Available: the former data, or "
            "another --name"
        )
