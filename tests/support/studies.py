"""Studies on a fake trainer, for the tests of the search."""

from __future__ import annotations

from typing import Any

from tests.support.fake_trainer import FakeTrainer
from tuner.search.events import Event
from tuner.search.loop import run_worker
from tuner.search.prepare import PreparedStudy, prepare_study
from tuner.spaces import Space
from tuner.storage import open_storage
from tuner.study.data import DataFacts
from tuner.study.definition import StudyDefinition
from tuner.study.stored import load_study

RATE = {"optimizer.learning_rate": {"low": 1e-4, "high": 10.0, "log": True}}
FACTS = DataFacts("fake", "multiclass")


def space(params: dict[str, Any] | None = None, name: str = "lines") -> Space:
    return Space.from_dict({"name": name, "params": params or {**RATE, "epochs": 6}})


def definition(params: dict[str, Any] | None = None, **changes: Any) -> StudyDefinition:
    """A definition on `space(params)`; `changes` as of `StudyDefinition.override`, with `__` for
    a dot."""
    base = StudyDefinition(space=space(params), trials=10)
    return base.override({key.replace("__", "."): value for key, value in changes.items()})


def prepare(
    url: str,
    made: StudyDefinition | None = None,
    *,
    name: str | None = "study",
    trials: int | None = None,
    facts: DataFacts = FACTS,
) -> PreparedStudy:
    return prepare_study(
        made or definition(), name=name, storage_url=url, trials=trials, describe=lambda _: facts
    )


def work(url: str, name: str = "study", **settings: Any) -> tuple[str, list[Event]]:
    """Run one worker in this process; why it ended and what it told."""
    events: list[Event] = []
    trainer = settings.pop("trainer", None) or FakeTrainer()
    settings.setdefault("stop", lambda: False)
    tell = settings.pop("on_event", lambda event: None)

    def on_event(event: Event) -> None:
        events.append(event)
        tell(event)

    reason = run_worker(url, name, on_event=on_event, make_trainer=lambda _: trainer, **settings)
    return reason, events


def load(url: str, name: str = "study") -> Any:
    return load_study(open_storage(url, create=False), name)


def of(kind: type, events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def table(url: str, name: str = "study") -> list[Any]:
    """What two runs that shall be equal have in common: all that Optuna itself keeps."""
    return [
        (trial.state, trial.params, trial.values, trial.intermediate_values)
        for trial in load(url, name).trials
    ]
