"""Progress on a terminal: a bar, a line for each worker, and the best trial so far."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tuner.cli.progress.plain import SilentProgress
from tuner.cli.progress.state import SearchState, WorkerLine
from tuner.search.events import TrialDone
from tuner.text import clock_text, params_text, score_text

#: Seconds between redraws: a redraw costs the parent some milliseconds, and the workers need
#: every core.
EVERY = 0.25


class LiveProgress(SilentProgress):
    """Redraws in place while the pool ticks; lines to be read scroll away above it."""

    def __init__(
        self, state: SearchState, console: Console, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(state, lambda text: console.print(Text(text)), now)
        self._drawn = 0.0
        self._live = Live(
            self.view(),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def tick(self) -> None:
        now = self._now()
        if now - self._drawn >= EVERY:
            self._drawn = now
            self._live.update(self.view(), refresh=True)

    def close(self) -> None:
        self._live.stop()

    def finished(self, event: TrialDone, best: bool) -> None:
        if event.state == "failed":
            self.line(f"trial {event.number} failed: {event.cause or 'no cause is known'}")

    def view(self) -> Group:
        """What is drawn for the state as it is now."""
        now = self._now()
        return Group(self._bar(now), self._workers(), self._best())

    def _bar(self, now: float) -> Table:
        state = self.state
        counts = [f"{state.settled}/{state.total} trials"]
        counts += [
            f"{number} {kind}"
            for kind, number in (("pruned", state.pruned), ("failed", state.failed))
            if number
        ]
        counts.append(f"{clock_text(now - state.started)} gone")
        if (left := state.remaining(now)) is not None:
            counts.append(f"{clock_text(left)} left")
        row = Table.grid(padding=(0, 2))
        row.add_row(
            Text(state.name, style="bold"),
            ProgressBar(total=max(1, state.total), completed=state.settled, width=30),
            Text(" · ".join(counts), no_wrap=True),
        )
        return row

    def _workers(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for number, line in sorted(self.state.workers.items(), key=lambda item: str(item[0])):
            table.add_row(Text(f"worker {number}", style="dim"), *self._cells(line))
        return table

    def _cells(self, line: WorkerLine) -> list[Text]:
        if line.trial is None:
            return [Text(line.note, style="dim"), Text(), Text()]
        value = "" if line.value is None else f"{self.state.metric} {score_text(line.value)}"
        return [
            Text(f"trial {line.trial}"),
            Text(f"epoch {line.epoch}/{line.epochs}"),
            Text(value),
        ]

    def _best(self) -> Text:
        best = self.state.best
        if best is None:
            return Text("no complete trial yet", style="dim")
        text = Text(overflow="ellipsis", no_wrap=True)
        text.append(f"best  trial {best.number}  {self.state.metric} ", style="green")
        text.append(score_text(best.value), style="bold green")
        return text.append(f"  {params_text(best.params)}")
