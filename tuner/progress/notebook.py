"""Progress in a notebook: one output of a cell, which is changed in place."""

from __future__ import annotations

import html
import sys
import time
from collections import deque
from collections.abc import Callable

from tuner.progress.plain import SilentProgress
from tuner.progress.state import SearchState, end_of
from tuner.search.events import TrialDone
from tuner.text import clock_text, params_text, score_text

#: Seconds between changes: each is a message to the browser.
EVERY = 0.5
#: Lines to be read that stay in sight.
LINES = 8


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    shell = sys.modules.get("IPython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None


class NotebookProgress(SilentProgress):
    """A bar, a line for each worker and the best trial so far, as HTML.

    Args:
        fit: makes a line fit to be shown.
    """

    def __init__(
        self,
        state: SearchState,
        fit: Callable[[str], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        from IPython.display import HTML, display

        self._lines: deque[str] = deque(maxlen=LINES)
        super().__init__(state, lambda text: self._lines.append(fit(text)), now)
        self._html = HTML
        self._drawn = now()
        self._handle = display(HTML(self.view()), display_id=True)

    def tick(self) -> None:
        now = self._now()
        if now - self._drawn >= EVERY:
            self._drawn = now
            self._handle.update(self._html(self.view()))

    def close(self) -> None:
        self.state.workers.clear()
        self._handle.update(self._html(self.view()))

    def finished(self, event: TrialDone, best: bool) -> None:
        how, why = end_of(event)
        if how in ("failed", "diverged"):
            self.line(f"trial {event.number} {how}: {why or 'no cause is known'}")

    def view(self) -> str:
        """What is shown for the state as it is now."""
        state, now = self.state, self._now()
        counts = [f"{state.settled}/{state.total} trials"]
        others = ("pruned", "failed", "diverged")
        counts += [f"{state.ends[kind]} {kind}" for kind in others if state.ends[kind]]
        counts.append(f"{clock_text(now - state.started)} gone")
        if (left := state.remaining(now)) is not None and state.settled < state.total:
            counts.append(f"{clock_text(left)} left")
        rows = [
            f"<b>{html.escape(state.name)}</b> "
            f"<progress max='{max(1, state.total)}' value='{state.settled}'></progress> "
            f"{' · '.join(counts)}"
        ]
        for number, line in sorted(state.workers.items(), key=lambda item: str(item[0])):
            what = line.note
            if line.trial is not None:
                what = f"trial {line.trial} · epoch {line.epoch}/{line.epochs}"
                if line.value is not None:
                    what += f" · {state.metric} {score_text(line.value)}"
            rows.append(f"<span style='opacity:.65'>worker {number}</span> {html.escape(what)}")
        if state.front:
            rows.append(f"front: {html.escape(state.front_text())}")
        elif state.best is not None:
            best = state.best
            rows.append(
                f"best: trial {best.number}, {state.metric} <b>{score_text(best.value)}</b> "
                f"<span style='opacity:.65'>{html.escape(params_text(best.params))}</span>"
            )
        rows += [html.escape(line) for line in self._lines]
        style = "font: 13px/1.5 system-ui, sans-serif"
        return f"<div style='{style}'>{''.join(f'<div>{row}</div>' for row in rows)}</div>"
