"""What the code of somebody's own fails by."""

from __future__ import annotations

import signal


def own_failures() -> tuple[type[BaseException], ...]:
    """To be caught around a call: exceptions, and in a worker also `KeyboardInterrupt` and
    `SystemExit`. Workers ignore Ctrl-C, so there the code itself raised them, and they are no
    reason to end the process; elsewhere a person means the program."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return (Exception, KeyboardInterrupt, SystemExit)
    return (Exception,)
