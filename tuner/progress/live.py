"""Progress on a terminal: a bar, a line for each worker, and the best trial so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tuner.progress.plain import SilentProgress
from tuner.progress.state import SearchState, WorkerLine, end_of
from tuner.search.events import TrialDone
from tuner.text import clock_text, params_text, printable, score_text

#: Seconds between redraws: a redraw costs the parent some milliseconds, and the workers need
#: every core.
EVERY = 0.25
#: Cells of the bar at most and at least, and between the columns.
LONGEST, SHORTEST, GAP = 30, 5, 2


@dataclass(frozen=True)
class Head:
    """The study's name, a bar and what is counted, in one line. If the line is too narrow the bar
    shrinks; below `SHORTEST` the counts have a line of their own, so that nothing is left out.

    `share`: how much of the bar is filled, 0 to 1.
    """

    name: str
    share: float
    counts: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        name, counts = Text(self.name, style="bold"), Text(self.counts)
        name.truncate(options.max_width - SHORTEST - GAP, overflow="ellipsis")
        beside = options.max_width - name.cell_len - GAP
        one_line = beside - counts.cell_len - GAP >= SHORTEST
        width = min(LONGEST, beside - counts.cell_len - GAP if one_line else beside)
        row = Table.grid(padding=(0, GAP))
        bar = ProgressBar(total=1.0, completed=self.share, width=width)
        row.add_row(name, bar, *([counts] if one_line else []))
        yield row
        if not one_line:
            yield counts


class LiveProgress(SilentProgress):
    """Redraws in place while the pool ticks; lines to be read scroll away above it."""

    def __init__(
        self,
        state: SearchState,
        console: Console,
        fit: Callable[[str], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(state, lambda text: console.print(Text(fit(text))), now)
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
        how, why = end_of(event)
        if how in ("failed", "diverged"):
            self.line(f"trial {event.number} {how}: {why or 'no cause is known'}")

    def view(self) -> Group:
        """What is drawn for the state as it is now."""
        # The cursor stands in the empty last line: what a terminal writes there by itself, as the
        # ^C of an interrupt, may not wrap a full line, or the frame is no longer erased whole.
        return Group(self._head(self._now()), self._workers(), self._best(), Text())

    def _head(self, now: float) -> Head:
        state = self.state
        counts = [f"{state.settled}/{state.total} trials"]
        others = ("pruned", "failed", "diverged")
        counts += [f"{state.ends[kind]} {kind}" for kind in others if state.ends[kind]]
        counts.append(f"{clock_text(now - state.started)} gone")
        if (left := state.remaining(now)) is not None:
            counts.append(f"{clock_text(left)} left")
        return Head(printable(state.name), state.settled / max(1, state.total), " · ".join(counts))

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
        if self.state.front:
            return text.append("front  ", style="green").append(self.state.front_text())
        text.append(f"best  trial {best.number}  {self.state.metric} ", style="green")
        text.append(score_text(best.value), style="bold green")
        return text.append(f"  {params_text(best.params)}")
