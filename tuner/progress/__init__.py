"""What a person sees of a running search. Light: a display is loaded once a search runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tuner.progress.plain import SilentProgress
    from tuner.progress.state import SearchState

ProgressMode = Literal["auto", "rich", "plain", "none"]


def make_progress(
    mode: ProgressMode,
    state: SearchState,
    tell: Callable[[str], None],
    fit: Callable[[str], str],
) -> SilentProgress:
    """The display for `mode`; `auto` is one that changes in place in a notebook and on a terminal
    (`rich`), else `plain`.

    Args:
        tell: writes a line to stderr.
        fit: makes a line fit for a terminal.
    """
    from tuner.progress.plain import PlainProgress, SilentProgress

    if mode == "auto":
        from tuner.progress.notebook import NotebookProgress, in_notebook

        if in_notebook():
            return NotebookProgress(state, fit)
        mode = "rich" if sys.stderr.isatty() else "plain"
    if mode == "rich":
        from rich.console import Console

        from tuner.progress.live import LiveProgress

        return LiveProgress(state, Console(stderr=True), fit)
    kind = PlainProgress if mode == "plain" else SilentProgress
    return kind(state, tell)
