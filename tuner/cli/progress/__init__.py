"""What a person sees of a running search. Everything goes to stderr."""

from __future__ import annotations

import sys

from tuner.cli.output import tell
from tuner.cli.progress.plain import PlainProgress, SilentProgress
from tuner.cli.progress.state import SearchState as SearchState
from tuner.cli.run_flags import ProgressMode


def make_progress(mode: ProgressMode, state: SearchState) -> SilentProgress:
    """The display for `mode`; `auto` is `rich` if stderr is a terminal, else `plain`."""
    if mode == "auto":
        mode = "rich" if sys.stderr.isatty() else "plain"
    if mode == "rich":
        from rich.console import Console

        from tuner.cli.progress.live import LiveProgress

        return LiveProgress(state, Console(stderr=True))
    kind = PlainProgress if mode == "plain" else SilentProgress
    return kind(state, tell)
