"""Inject every fault and print the table of docs/reliability.md.

    python -m bench.faults.run [--full | --quick] [--only NAME]...

`--quick`, the default, takes minutes, `--full` more than an hour. Exit code 1 where a promise was
not kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.faults.failpoints import POINTS, Point
from bench.faults.fresh_starts import fresh_starts
from bench.faults.grid_bits import grid_bits
from bench.faults.grid_kill import POINTS as GRID_POINTS
from bench.faults.grid_kill import grid_kill
from bench.faults.kill_at import kill_at
from bench.faults.kills import kills
from bench.faults.pauses import pauses
from bench.faults.postgres import PostgresServer
from bench.faults.server_stop import server_stops
from bench.faults.table import HEAD, Row
from bench.machine import describe
from tuner.search.storage.server import STANDSTILL

SQLITE, POSTGRES, JOURNAL = "SQLite", "PostgreSQL", "journal"
#: Seconds after the return of its server within which every worker has written again.
BACK = 10.0


@dataclass(frozen=True)
class Case:
    """One line of the table, still to be measured. `name` is what `--only` chooses by."""

    name: str
    measure: Callable[[], Row]


class Place:
    """A folder and, for whoever needs it, a PostgreSQL server; a fresh storage for each study."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="tuner-faults-"))
        )
        self._server: PostgresServer | None = None
        self._made = 0

    @property
    def server(self) -> PostgresServer:
        if self._server is None:
            server = PostgresServer(self._folder / "postgres")
            self._server = self._stack.enter_context(server)
        return self._server

    def url(self, storage: str) -> str:
        self._made += 1
        if storage == POSTGRES:
            return self.server.new_database()
        kind = "sqlite:///{}/{}.db" if storage == SQLITE else "journal:{}/{}.log"
        return kind.format(self._folder, self._made)


def cases(place: Place, full: bool) -> Iterator[Case]:
    """All lines of the table, in its order; the doses are smaller unless `full`."""

    def dose(much: int) -> int:
        return much if full else max(1, much // 10)

    for storage in (SQLITE, POSTGRES):
        for workers, much in ((2, 34), (3, 33), (4, 33)):
            yield Case("kills", lambda s=storage, w=workers, n=much: _kills(place, s, dose(n), w))
    yield Case("kills", lambda: _kills(place, JOURNAL, dose(20), 3))
    points: list[tuple[Point, int]] = [
        ("pop:inside", 50),
        ("pop:after", 50),
        ("sweep:between", 50),
        ("sweep:inside", 50),
        ("tell:inside", 20),
        ("tell:after", 20),
    ]
    for point, much in points:
        for storage in (SQLITE, POSTGRES):
            yield Case("kill-at", lambda s=storage, p=point, n=much: _kill_at(place, s, p, dose(n)))
        if point in ("pop:inside", "pop:after", "sweep:between", "tell:after"):
            yield Case("kill-at", lambda p=point: _kill_at(place, JOURNAL, p, dose(20)))
    stops: list[tuple[str, Point | None, int]] = [
        (SQLITE, None, 10),
        (SQLITE, "tell:before", 10),
        (POSTGRES, None, 10),
        (POSTGRES, "tell:before", 10),
        (POSTGRES, "tell:inside", 5),
        (JOURNAL, "tell:before", 5),
    ]
    for storage, at, much in stops:
        yield Case("pauses", lambda s=storage, p=at, n=much: _pauses(place, s, p, dose(n)))
    for storage, workers, stacked in (
        (SQLITE, 2, True),
        (SQLITE, 4, True),
        (SQLITE, 16, True),
        (SQLITE, 4, False),
        (POSTGRES, 2, True),
        (POSTGRES, 4, True),
        (POSTGRES, 16, True),
    ):
        yield Case("grid-kill", lambda s=storage, w=workers, t=stacked: _grid_kill(place, s, w, t))
    yield Case("grid-bits", _grid_bits)
    for down in (5.0, 60.0) if full else (1.0,):
        yield Case("server-stop", lambda d=down: _server_stop(place, dose(10), d))
    for storage in (SQLITE, POSTGRES):
        yield Case("fresh-starts", lambda s=storage: _fresh_starts(place, s, dose(20)))


def _kills(place: Place, storage: str, dose: int, workers: int) -> Row:
    seen = kills(place.url(storage), kills=dose, workers=workers)
    return Row(
        "kill -9 of a worker at a random moment",
        storage,
        f"{dose} kills over {workers} workers",
        [seen.ledger],
        seen.seconds,
        seen.holds,
        seen.recoveries.slowest,
        seen.recoveries.bound,
        f"{seen.holding} had a trial",
    )


def _kill_at(place: Place, storage: str, point: Point, dose: int) -> Row:
    seen = kill_at(place.url(storage), point=point, kills=dose)
    timed = not point.startswith("sweep") and seen.recoveries.found
    return Row(
        f"kill -9 {POINTS[point]}",
        storage,
        f"{dose} kills",
        [seen.ledger],
        seen.seconds,
        seen.holds,
        seen.recoveries.slowest if timed else None,
        seen.recoveries.bound if timed else None,
        f"{seen.left} trials left behind",
    )


def _pauses(place: Place, storage: str, at: Point | None, dose: int) -> Row:
    locked = float(STANDSTILL) if at == "tell:inside" else 0.0
    seen = pauses(place.url(storage), pauses=dose, at=at, locked=locked)
    where = "at a random moment" if at is None else POINTS[at]
    return Row(
        f"SIGSTOP {where}, SIGCONT after the takeover",
        storage,
        f"{dose} pauses",
        [seen.ledger],
        seen.seconds,
        seen.holds,
        seen.slowest,
        seen.bound,
        f"{seen.discarded} late results discarded, {seen.going_on} workers went on",
    )


def _grid_kill(place: Place, storage: str, workers: int, stacked: bool) -> Row:
    seen = grid_kill(place.url(storage), workers=workers, stacked=stacked)
    return Row(
        f"a grid of {GRID_POINTS}{'' if stacked else ' with a pruner'}, one kill, run again",
        storage,
        f"{workers} workers",
        [seen.ledger],
        seen.seconds,
        seen.holds,
        note=f"{seen.complete} COMPLETE, {seen.added} added by the second run",
    )


def _grid_bits() -> Row:
    seen = grid_bits()
    asked, took = (", ".join(map(str, numbers)) for numbers in (seen.workers, seen.took_part))
    return Row(
        f"none: a grid of {seen.points} by `tuner optimize`, trained by Keras",
        SQLITE,
        f"{asked} workers",
        [],
        seen.seconds,
        seen.holds,
        note=f"{took} took part; scores {'equal' if seen.equal else 'differ in'} to the last bit",
    )


def _server_stop(place: Place, dose: int, down: float) -> Row:
    seen = server_stops(place.server, stops=dose, down=down, mode="fast", patience=120.0)
    return Row(
        f"the server stopped for {down:g} s",
        POSTGRES,
        f"{dose} stops",
        [seen.ledger],
        seen.seconds,
        seen.ledger.holds and seen.slowest <= BACK,
        seen.slowest,
        BACK,
        f"{seen.mistaken} trials taken over",
    )


def _fresh_starts(place: Place, storage: str, dose: int) -> Row:
    seen = fresh_starts(lambda: place.url(storage), starts=dose)
    return Row(
        f"{seen.processes} workers start at one moment on a fresh storage",
        storage,
        f"{dose} starts",
        seen.ledgers,
        seen.seconds,
        seen.holds,
        note=f"{len(seen.errors)} errors",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--full", action="store_true", help="the doses of docs/reliability.md")
    parser.add_argument("--quick", action="store_true", help="a tenth of them (default)")
    parser.add_argument("--only", action="append", metavar="NAME", help="these lines only")
    arguments = parser.parse_args()
    if arguments.full and arguments.quick:
        parser.error("--full or --quick; got both")
    with ExitStack() as stack:
        wanted = list(cases(Place(stack), arguments.full))
        names = list(dict.fromkeys(case.name for case in wanted))
        for name in arguments.only or ():
            if name not in names:
                parser.error(f"--only names a fault; got {name!r}. Available: {', '.join(names)}")
        print(f"{describe()}\n\n{HEAD}", flush=True)
        kept = True
        for case in wanted:
            if not arguments.only or case.name in arguments.only:
                row = case.measure()
                kept = kept and row.holds
                print(row.line(), flush=True)
    sys.exit(not kept)


if __name__ == "__main__":
    main()
