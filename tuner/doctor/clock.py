"""Do the clocks and time zones of those who write to one storage agree?

No takeover depends on it: ages of heartbeats are told by the storage's own clock, or by watching
(`BeatWatch`). Dates shown do.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.doctor.finding import Finding
from tuner.storage import records
from tuner.storage.journal_repair import parse_record
from tuner.text import time_text

if TYPE_CHECKING:
    import sqlalchemy

#: Seconds that two clocks may differ.
TOLERANCE = 5.0
#: Bytes at a journal's end among which its last heartbeat is looked for.
_TAIL = 1 << 16

_NOW = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "mysql": "SELECT unix_timestamp(now(6))",
}
_ZONE = {
    "postgresql": "SELECT current_setting('TimeZone')",
    "mysql": "SELECT @@session.time_zone",
}
_UTC = ("utc", "etc/utc", "gmt", "+00:00")


def check_server_clock(engine: sqlalchemy.Engine) -> list[Finding]:
    """The server's clock against this machine's, and the session's time zone."""
    import sqlalchemy

    dialect = engine.dialect.name
    with engine.connect() as connection:
        zone = str(connection.execute(sqlalchemy.text(_ZONE[dialect])).scalar_one())
        before = time.time()
        server = float(connection.execute(sqlalchemy.text(_NOW[dialect])).scalar_one())
        after = time.time()
    return [
        judge_zone(zone),
        judge_clock(server - (before + after) / 2, (after - before) / 2, "the server's clock"),
    ]


def judge_zone(zone: str) -> Finding:
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
    return Finding(
        "clock",
        "warning",
        f"clocks differ by at most {TOLERANCE:.0f} s; {found} ({exact}): takeovers do not depend "
        "on it, dates do; let both machines synchronise their clocks (NTP)",
    )


def check_journal_clock(path: Path) -> Finding:
    """The clock of the file system, which stamped the journal's last write, against the clock of
    the worker that wrote it (its heartbeat is in the record), and against this machine's."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        file.seek(max(0, status.st_size - _TAIL))
        lines = file.readlines()
    found = [record for line in lines[-50:] if (record := parse_record(line)) is not None]
    beat = None
    if found:
        beat = found[-1].get("system_attr", {}).get(records.HEARTBEAT)
        # A result follows its heartbeat in the same write.
        if beat is None and len(found) > 1:
            beat = found[-2].get("system_attr", {}).get(records.HEARTBEAT)
    return judge_file_clock(status.st_mtime, beat, time.time())


def judge_file_clock(stamp: float, beat: float | None, now: float) -> Finding:
    """`stamp`: the file's time of its last write; `beat`: the writer's clock then, where it said
    so; `now`: this machine's clock. Seconds since 1970."""
    if stamp - now > TOLERANCE:
        found = f"stamped the last write {time_text(stamp - now)} in this machine's future"
    elif beat is not None and abs(stamp - beat) > TOLERANCE:
        side = "ahead of" if stamp > beat else "behind"
        found = f"was {time_text(abs(stamp - beat))} {side} that of the worker that wrote last"
    else:
        agrees = (
            "is not ahead of this machine's" if beat is None else "agrees with the last writer's"
        )
        return Finding("clock", "ok", f"the file system's clock {agrees}")
    return Finding(
        "clock",
        "warning",
        f"clocks differ by at most {TOLERANCE:.0f} s; the file system's {found}: takeovers do not "
        "depend on it, dates do; let the machines synchronise their clocks (NTP)",
    )
