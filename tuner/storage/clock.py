"""Do the clocks and time zones of those who write to one storage agree?

No takeover depends on it: ages of heartbeats are told by the storage's own clock, or by watching
(`BeatWatch`). Dates shown do.
"""

from __future__ import annotations

import os
from datetime import datetime

from tuner.errors import UsageError
from tuner.storage.check_result import Finding
from tuner.text import quoted, time_text

#: Seconds that two clocks may differ.
TOLERANCE = 5.0
_UTC = ("utc", "etc/utc", "gmt", "+00:00")


def require_time_zone() -> None:
    """Raises `UsageError` if this process's time zone is one that Python's dates cannot have:
    Optuna could not store when a trial began."""
    try:
        datetime.now().astimezone()
    except ValueError:
        raise UsageError(
            "a time zone must be less than 24 hours from UTC; got "
            f"TZ={quoted(os.environ.get('TZ', ''))}. Available: TZ=UTC, a name such as "
            "TZ=Europe/Berlin"
        ) from None


def judge_zone(zone: str) -> Finding:
    """`zone`: in which a server's session counts."""
    if zone.lower() in _UTC:
        return Finding("time zone", "ok", f"sessions count in {zone}, on whatever machine")
    return Finding(
        "time zone",
        "error",
        f"sessions count in UTC, so that a heartbeat has one age for everybody; this one counts "
        f"in {zone}: something between (a connection pooler?) drops what tuner asks for when it "
        "connects; connect to the server itself, or set the database's time zone to UTC",
    )


def judge_clock(difference: float, uncertainty: float, whose: str) -> Finding:
    """`difference`: seconds by which `whose` clock is ahead of this machine's, known within
    `uncertainty`."""
    side = "ahead of" if difference >= 0 else "behind"
    found = f"{whose} is {time_text(abs(difference))} {side} this machine's"
    exact = f"within {time_text(uncertainty)}"
    if abs(difference) - uncertainty <= TOLERANCE:
        return Finding("clock", "ok", f"{found} ({exact})")
    return _differs(f"{found} ({exact})", "both machines synchronise their clocks")


def judge_file_clock(stamp: float, beat: float | None, now: float) -> Finding:
    """`stamp`: the file's time of its last write; `beat`: the writer's clock then, if it is known;
    `now`: this machine's clock. Seconds since 1970."""
    if stamp - now > TOLERANCE:
        found = f"stamped the last write {time_text(stamp - now)} in this machine's future"
    elif beat is not None and abs(stamp - beat) > TOLERANCE:
        side = "ahead of" if stamp > beat else "behind"
        found = f"was {time_text(abs(stamp - beat))} {side} that of the worker that wrote last"
    else:
        other = (
            "is not ahead of this machine's" if beat is None else "agrees with the last writer's"
        )
        return Finding("clock", "ok", f"the file system's clock {other}")
    return _differs(f"the file system's {found}", "the machines synchronise their clocks")


def _differs(found: str, wanted: str) -> Finding:
    return Finding(
        "clock",
        "warning",
        f"clocks differ by at most {TOLERANCE:.0f} s; {found}: takeovers do not depend on it, "
        f"dates do; let {wanted} (NTP)",
    )
