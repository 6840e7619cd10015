"""A study for workers that are to be harmed, and what has become of its tickets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from tests.support.faults.processes import Worker, WorkerProcesses
from tuner.search.prepare import prepare_study
from tuner.search.tickets import last_trials, new_ticket
from tuner.spaces import Space
from tuner.storage import records, storage_at
from tuner.storage.backend import ticket_key
from tuner.study.data import DataFacts
from tuner.study.definition import StudyDefinition

NAME = "faults"
#: More than anybody kills: no ticket is to run out of attempts.
RETRIES = 1000
PARAMS: dict[str, Any] = {
    "optimizer.learning_rate": {"low": 1e-4, "high": 10.0, "log": True},
    "epochs": {"type": "int", "low": 4, "high": 12},
}
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Ledger:
    """What became of a study's tickets.

    Attributes:
        tickets: how many were asked for.
        results: how many there are; as many, if nothing went wrong.
        lost: tickets without a result.
        twice: tickets with more than one.
        beyond: results that no ticket asked for.
        forgotten: results that a worker was told are stored, and that are not.
    """

    tickets: int
    results: int
    lost: int
    twice: int
    beyond: int
    forgotten: int

    @property
    def holds(self) -> bool:
        return not (self.lost or self.twice or self.beyond or self.forgotten)


class FaultStudy:
    """A study whose budget is opened piece by piece, or all at once.

    Args:
        url: an empty storage, or one without a study of the same name.
        params: of its space.
        changes: of its definition, as of `StudyDefinition.override`, with `__` for a dot.
    """

    def __init__(
        self,
        url: str,
        *,
        trials: int | None = None,
        params: dict[str, Any] | None = None,
        name: str = NAME,
        **changes: Any,
    ) -> None:
        space = Space.from_dict({"name": "faults", "params": params or PARAMS})
        definition = StudyDefinition(space=space, trials=trials or 1, retries=RETRIES)
        self.url, self.name = url, name
        self._definition = definition.override(
            {key.replace("__", "."): value for key, value in changes.items()}
        )
        self.total = self.prepare(trials)
        self._backend = storage_at(url).backend()
        self._study_id = self._backend.storage.get_study_id_from_name(name)

    def prepare(self, trials: int | None) -> int:
        """As `tuner optimize --trials` does; the total."""
        return prepare_study(
            self._definition,
            name=self.name,
            storage_url=self.url,
            trials=trials,
            describe=lambda _: DataFacts("fake", "multiclass"),
        ).total

    def trials(self) -> list[FrozenTrial]:
        return self._backend.trials(self._study_id)

    def keep_open(self, number: int, processes: WorkerProcesses) -> None:
        """Queue new tickets until `number` of them wait or are worked on, so that workers beyond
        that number find nothing to do and yet do not end: the total is out of reach until
        `close`."""
        self._backend.set_total(self._study_id, 10**6, lower=False)
        last = last_trials(self.trials())
        missing = number - sum(
            trial.state == TrialState.WAITING
            or (trial.state == TrialState.RUNNING and not _is_left_behind(trial, processes))
            for trial in last.values()
        )
        if missing > 0:
            tickets = [new_ticket(len(last) + i) for i in range(missing)]
            self._backend.add_trials(self._study_id, tickets)

    def holders(self, processes: WorkerProcesses) -> list[Worker]:
        """The workers that have a trial."""
        running = [trial for trial in self.trials() if trial.state == TrialState.RUNNING]
        owners = [processes.owner_of(trial.system_attrs.get(records.WORKER)) for trial in running]
        return [worker for worker in owners if worker is not None]

    def close(self) -> None:
        """No more tickets than there are: as somebody does who asks for fewer trials."""
        tickets = len(last_trials(self.trials()))
        self.total = self._backend.set_total(self._study_id, tickets, lower=True)

    def ledger(self, workers: list[Worker]) -> Ledger:
        """The tickets' results against the total, and against what `workers` were told."""
        results = self._results()
        values = {t.number: t.value for t in self.trials() if t.state == TrialState.COMPLETE}
        told = [
            line.fields
            for worker in workers
            for line in worker.log()
            if line.event == "TrialDone" and line.fields["state"] == "complete"
        ]
        return Ledger(
            tickets=self.total,
            results=results.total(),
            lost=sum(not results[ticket] for ticket in range(self.total)),
            twice=sum(count > 1 for count in results.values()),
            beyond=sum(n for ticket, n in results.items() if not 0 <= ticket < self.total),
            forgotten=sum(values.get(line["number"]) != line["value"] for line in told),
        )

    def _results(self) -> Counter[int]:
        """How often each ticket ended well; -1 stands for trials without one."""
        return Counter(
            -1 if (key := ticket_key(trial)) is None else key[0]
            for trial in self.trials()
            if trial.state in _ENDED
        )


def _is_left_behind(trial: FrozenTrial, processes: WorkerProcesses) -> bool:
    worker = processes.owner_of(trial.system_attrs.get(records.WORKER))
    return worker is None or not worker.alive
