"""What is read of Optuna's tables, by plain queries through any connection.

`RDBStorage` makes one object of every row: 35 for a trial of 20 epochs. Here each table is one
query that gives plain rows, and SQLite's need no SQLAlchemy, which takes as long to load as Optuna.
"""

from __future__ import annotations

import gc
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Protocol

from optuna.distributions import json_to_distribution
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState


class Query(Protocol):
    """The rows that the text of a query finds; `values` stand for its `:names`."""

    def __call__(self, text: str, /, **values: Any) -> Sequence[Any]: ...


#: A connection, to read by.
Look = Callable[[], AbstractContextManager[Query]]

#: How Optuna writes what is no number in SQL.
_NO_NUMBERS = {"NAN": math.nan, "INF_POS": math.inf, "INF_NEG": -math.inf}
_second = itemgetter(1)
_STATES = {state.name: state for state in TrialState}

#: A study has a few, and every trial has the texts of all.
_distribution = lru_cache(maxsize=1024)(json_to_distribution)

_reads: ContextVar[bool] = ContextVar("reads", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """Transactions of this thread begun inside only read: they take no lock and wait for nobody."""
    token = _reads.set(True)
    try:
        yield
    finally:
        _reads.reset(token)


def only_reads() -> bool:
    """Whether this thread is inside `reading`."""
    return _reads.get()


def require_study(query: Query, study_id: int) -> str:
    """The name of the study. Raises KeyError."""
    found = query("SELECT study_name FROM studies WHERE study_id = :id", id=study_id)
    if not found:
        raise KeyError(f"there is no study {study_id}")
    return str(found[0][0])


def find_study(query: Query, name: str) -> int:
    """The id of the study of that name. Raises KeyError."""
    found = query("SELECT study_id FROM studies WHERE study_name = :name", name=name)
    if not found:
        raise KeyError(f"there is no study {name!r}")
    return int(found[0][0])


def read_directions(query: Query, study_id: int) -> list[StudyDirection]:
    """Of the study's objectives. Raises KeyError."""
    require_study(query, study_id)
    text = "SELECT direction FROM study_directions WHERE study_id = :id ORDER BY objective"
    return [StudyDirection[name] for (name,) in query(text, id=study_id)]


def read_attributes(query: Query, kind: str, study_id: int) -> dict[str, Any]:
    """The study's attributes; `kind` is user or system. Raises KeyError."""
    require_study(query, study_id)
    text = f"SELECT s.key, s.value_json FROM study_{kind}_attributes s WHERE s.study_id = :id"
    return {key: json.loads(value) for key, value in query(text, id=study_id)}


def read_studies(query: Query) -> list[FrozenStudy]:
    """Every study, in the order they were made in."""
    studies = query("SELECT study_id, study_name FROM studies ORDER BY study_id")
    directions = _by_id(
        query("SELECT study_id, direction FROM study_directions ORDER BY objective")
    )
    user, system = (
        _attributes(query(f"SELECT s.study_id, s.key, s.value_json FROM study_{kind}_attributes s"))
        for kind in ("user", "system")
    )
    return [
        FrozenStudy(
            study_name=name,
            direction=None,
            directions=[StudyDirection[own] for _, own in directions[study_id]],
            user_attrs=user[study_id],
            system_attrs=system[study_id],
            study_id=study_id,
        )
        for study_id, name in studies
    ]


def read_trials(query: Query, study_id: int, wanted: str) -> list[FrozenTrial]:
    """The study's trials that fulfil the condition `wanted` on `t.trial_id`, by id."""
    chosen = f"t.study_id = {int(study_id)} AND ({wanted})"

    def rows(table: str, *columns: str) -> Sequence[Any]:
        """The trial's id and these; their order is the database's, as in `RDBStorage`."""
        named = ", ".join(f"o.{column}" for column in ("trial_id", *columns))
        joined = f"trial_{table} o JOIN trials t ON t.trial_id = o.trial_id"
        return query(f"SELECT {named} FROM {joined} WHERE {chosen}")

    with _uncollected():
        # The states first: what belongs to the end of a trial is written with its state or before.
        trials = query(
            "SELECT t.trial_id, t.number, t.state, t.datetime_start, t.datetime_complete "
            f"FROM trials t WHERE {chosen} ORDER BY t.trial_id"
        )
        params = _by_id(
            rows("params", "param_id", "param_name", "param_value", "distribution_json")
        )
        values = _by_id(rows("values", "objective", "value", "value_type"))
        reports: dict[int, dict[int, float]] = defaultdict(dict)
        columns = ("step", "intermediate_value", "intermediate_value_type")
        for trial_id, step, value, kind in rows("intermediate_values", *columns):
            reports[trial_id][step] = _NO_NUMBERS[kind] if value is None else value
        user = _attributes(rows("user_attributes", "key", "value_json"))
        system = _attributes(rows("system_attributes", "key", "value_json"))

        def trial(trial_id: int, number: int, state: str, *times: Any) -> FrozenTrial:
            given = {  # as they were suggested
                name: (_distribution(text), stored)
                for _, _, name, stored, text in sorted(params[trial_id], key=_second)
            }
            ended = [
                _NO_NUMBERS[kind] if value is None else value
                for _, _, value, kind in sorted(values[trial_id], key=_second)
            ]
            start, complete = map(_local, times)
            return FrozenTrial(
                number=number,
                state=_STATES[state],
                value=None,
                values=ended or None,
                datetime_start=start,
                datetime_complete=complete,
                params={name: own.to_external_repr(value) for name, (own, value) in given.items()},
                distributions={name: own for name, (own, _) in given.items()},
                user_attrs=user[trial_id],
                system_attrs=system[trial_id],
                intermediate_values=reports[trial_id],
                trial_id=trial_id,
            )

        return [trial(*row) for row in trials]


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage is looked for inside: among a hundred thousand new rows, which all stay, that
    takes as long as to read them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _by_id(rows: Iterable[Any]) -> dict[int, list[Any]]:
    """The rows by their first value, the id."""
    found = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _attributes(rows: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """Rows of id, key and JSON text: by id the values by key."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    # All texts as one: decoded one by one they take three times as long.
    values = json.loads(f"[{','.join([text for _, _, text in rows])}]")
    for (own, key, _), value in zip(rows, values, strict=True):
        found[own][key] = value
    return found


def _local(stored: datetime | str | None) -> datetime | None:
    """As `FrozenTrial` has it: local time; databases hold UTC, SQLite as text."""
    if stored is None:
        return None
    moment = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
