"""What `tuner optimize` and `tuner resume` print at their end."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tuner.cli.nested_text import nested_text
from tuner.cli.opening import reading, storage_at
from tuner.cli.output import OutputFormat, emit, params_table, tell
from tuner.cli.run_flags import RunFlags, WorkerFlags
from tuner.cli.search_run import Seen
from tuner.errors import NoCompletedTrialError, TunerError
from tuner.text import clock_text, printable, score_text, shell_quoted, spread_text

if TYPE_CHECKING:
    from tuner.results import BestTrial
    from tuner.results.nested import Nested
    from tuner.results.ranking import Choice
    from tuner.workers import SearchEnd


@dataclass(frozen=True)
class Summary:
    """A study at the end of a search.

    Attributes:
        trials: state to number of those that ended.
        total: how many there shall be.
        metric: the objective.
        front: of several objectives, see `tuner.results.front_text`.
        diverged: see `tuner.results.trials.diverged_among`.
        seconds: that the search took; None: there was nothing to do.
        chosen: by `rule`, if that is not best.
        outer_left: trials to go in outer folds.
        nested: their scores, as far as they are known.
    """

    study: str
    storage: str
    trials: Mapping[str, int]
    best: BestTrial | None
    total: int
    metric: str
    seconds: float | None
    diverged: str = ""
    chosen: BestTrial | None = None
    rule: Choice = "best"
    front: str = ""
    outer_left: int = 0
    nested: Nested | None = None

    @property
    def left(self) -> int:
        return self.total - sum(self.trials.values()) + self.outer_left

    def data(self) -> dict[str, Any]:
        """What the forms for programs hold."""
        from tuner.results.nested import nested_data

        whole = asdict(self)
        names = ["study", "storage", "trials", "best", *(["chosen"] if self.chosen else [])]
        data = {name: whole[name] for name in names}
        return data if self.nested is None else {**data, "nested": nested_data(self.nested)}

    def text(self, commands: Mapping[str, str]) -> str:
        """What the table holds; `commands`: what can be typed next."""
        took = "" if self.seconds is None else f" · {clock_text(self.seconds)}"
        counts = ", ".join(f"{count} {state}" for state, count in self.trials.items())
        lines = [
            f"study    {printable(self.study)}",
            f"storage  {printable(self.storage)}",
            f"trials   {sum(self.trials.values())} of {self.total}: {counts}{self.diverged}{took}",
        ]
        if self.best is not None:
            lines += [
                f"best     trial {self.best.number}: {self.metric} {_score(self.best)}",
                *self._chosen_lines(),
                *([f"front    {self.front}"] if self.front else []),
                "",
                params_table((self.chosen or self.best).params),
                "",
                *([] if self.nested is None else [nested_text(self.nested), ""]),
                "next",
            ]
            lines += [
                f"  {line}" for name, line in commands.items() if self.left or name != "resume"
            ]
        return "\n".join(lines)

    def _chosen_lines(self) -> list[str]:
        own = self.chosen
        if own is None:
            return []
        return [f"{self.rule.ljust(8)} trial {own.number}: {self.metric} {_score(own)}"]


@dataclass(frozen=True)
class SearchReport:
    """See `tuner.cli.search_run.FinalReport`."""

    flags: RunFlags
    place: WorkerFlags
    choose: Choice = "best"
    nested = True

    def end(self, seen: Seen, ended: SearchEnd) -> int:
        """Raises `NoCompletedTrialError` if none of the study's trials is complete."""
        from tuner.results import (
            find_best,
            front,
            front_text,
            no_completed_trial,
            objectives_of,
            publish,
        )
        from tuner.results.nested import nested_of, outer_left
        from tuner.results.trials import diverged_among, trials_of
        from tuner.search.tickets import read_counts
        from tuner.study.stored import load_study

        prepared = ended.study
        with reading(prepared.name, prepared.storage_url) as study:
            counts, best = read_counts(study), find_best(study)
            nested, count = nested_of(study), prepared.definition.nested or 0
            chosen = None if self.choose == "best" else find_best(study, self.choose)
            diverged = diverged_among(trials_of(study))
            none = no_completed_trial(study) if best is None else None
            names, members = objectives_of(study), [own.values for own in front(study)]
        with storage_at(prepared.storage_url).open_read_only() as opened:
            outer = outer_left(opened, prepared.name, count, counts.total) if count else 0
        summary = Summary(
            study=prepared.name,
            storage=str(storage_at(prepared.storage_url)),
            trials={s: getattr(counts, s) for s in seen.counts()},
            best=best,
            total=counts.total,
            metric=prepared.definition.metric,
            seconds=time.time() - self.flags.began if ended.ran else None,
            diverged=diverged,
            chosen=chosen,
            outer_left=outer,
            nested=nested,
            rule=self.choose,
            front=front_text(names, members) if len(names) > 1 and members else "",
        )
        commands = self._commands(prepared.name)
        seen.printed = True
        try:
            emit(summary.data(), table=lambda: summary.text(commands))
            sys.stdout.flush()
        finally:
            if ended.ran:
                # After the result, which nobody should miss if this fails or takes too long.
                with suppress(TunerError):
                    writable = storage_at(prepared.storage_url).open(create=False)
                    publish(load_study(writable, prepared.name))
        left = f"with {summary.left} trials to go; go on by: {commands['resume']}"
        signal = ended.pool.signal
        if signal is not None:
            tell(f"ended by {signal.name} {left}")
            return 128 + signal
        if ended.pool.reason == "deadline" and summary.left:
            tell(f"time is up {left}")
        if none is not None:
            raise none
        return 0

    def again(self, name: str) -> str:
        return self._commands(name)["resume"]

    def late(self, seen: Seen, form: OutputFormat) -> int:
        state, before = seen.state, seen.before
        if state is None or before is None:
            tell(
                "error: the time was up before the study was prepared. Available: a longer "
                "--timeout; the same command goes on"
            )
            return NoCompletedTrialError.exit_code
        summary = Summary(
            study=state.name,
            storage=str(storage_at(self.flags.storage)),
            trials={s: getattr(before, s) + count for s, count in seen.counts().items()},
            best=state.best,
            front=state.front_text() if state.front else "",
            total=state.total,
            metric=state.metric,
            seconds=time.time() - self.flags.began,
        )
        commands = self._commands(state.name)
        emit(summary.data(), table=lambda: summary.text(commands), form=form)
        tell(
            "the time was up and the storage did not answer: this is what the command itself saw, "
            f"trials that ran are taken up again; go on by: {commands['resume']}"
        )
        return NoCompletedTrialError.exit_code if state.best is None else 0

    def _commands(self, name: str) -> dict[str, str]:
        """What to type next, by command."""
        from tuner.storage.urls import typed

        tail, artifacts = typed(self.flags.storage), self.flags.artifacts
        folder = "" if artifacts is None else f" --artifacts {shell_quoted(artifacts)}"
        rule = "" if self.choose == "best" else f" --choose {self.choose}"
        rest = {
            "resume": f"{tail}{folder}{self.place.typed()}{rule}",
            "results": tail,
            "best": f"{tail}{rule}",
            "export": f" --out model{tail}{rule}",
        }
        quoted = shell_quoted(name)
        dash = name.startswith("-")  # no option: it stands last
        lines = {
            command: f"tuner {command}{flags} -- {quoted}"
            if dash
            else f"tuner {command} {quoted}{flags}"
            for command, flags in rest.items()
        }
        return {**lines, "serve": f"tuner serve{tail}"}


def _score(best: BestTrial) -> str:
    folds = best.fold_scores
    if len(folds) < 2:
        return score_text(best.value)
    return f"{spread_text(folds)} over {len(folds)} folds"
