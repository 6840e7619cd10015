"""From what each scenario saw to its line of the table."""

from __future__ import annotations

from tests.support.faults.failpoints import POINTS, Point
from tests.support.faults.fresh_starts import fresh_starts
from tests.support.faults.grid_bits import grid_bits
from tests.support.faults.grid_kill import POINTS as GRID_POINTS
from tests.support.faults.grid_kill import grid_kill
from tests.support.faults.kill_at import kill_at
from tests.support.faults.kills import kills
from tests.support.faults.memory import FIRST, memory
from tests.support.faults.pauses import pauses
from tests.support.faults.place import JOURNAL, POSTGRES, SQLITE, Place
from tests.support.faults.server_stop import server_stops
from tests.support.faults.table import Row
from tests.support.faults.worker_main import Settings
from tuner.storage.journal_lock import GRACE as JOURNAL_LOCK
from tuner.storage.server import STANDSTILL

#: Seconds after the return of its server within which every worker has written again.
BACK = 10.0


def of_kills(place: Place, storage: str, count: int, workers: int, *, far: bool = True) -> Row:
    seen = kills(
        place.url(storage),
        kills=count,
        workers=workers,
        locked=JOURNAL_LOCK if storage == JOURNAL else 0.0,
        settings=Settings(far=far),
    )
    mistaken = seen.recoveries.mistaken
    return Row(
        f"kill -9 of a worker at a random moment{'' if far else ', all on one machine'}",
        storage,
        f"{count} kills over {workers} workers",
        [seen.ledger],
        seen.seconds,
        seen.holds,
        seen.recoveries.slowest,
        seen.recoveries.bound,
        f"{seen.holding} had a trial" + (f", {mistaken} taken from the living" if mistaken else ""),
    )


def of_kill_at(place: Place, storage: str, point: Point, count: int) -> Row:
    seen = kill_at(place.url(storage), point=point, kills=count)
    return Row(
        f"kill -9 {POINTS[point]}",
        storage,
        f"{count} kills",
        [seen.ledger],
        seen.seconds,
        seen.holds,
        note=f"{seen.left} trials left behind",
    )


def of_pauses(place: Place, storage: str, at: Point | None, count: int) -> Row:
    locked = float(STANDSTILL) if at == "tell:inside" else 0.0
    seen = pauses(place.url(storage), pauses=count, at=at, locked=locked)
    where = "at a random moment" if at is None else POINTS[at]
    return Row(
        f"SIGSTOP {where}, SIGCONT after the takeover",
        storage,
        "1 pause" if count == 1 else f"{count} pauses",
        [seen.ledger],
        seen.seconds,
        seen.holds,
        seen.slowest,
        seen.bound,
        f"{seen.discarded} late results discarded, {seen.going_on} workers went on",
    )


def of_grid_kill(place: Place, storage: str, workers: int, stacked: bool) -> Row:
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


def of_grid_bits() -> Row:
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


def of_server_stop(place: Place, count: int, down: float) -> Row:
    seen = server_stops(place.server, stops=count, down=down, mode="fast", patience=120.0)
    return Row(
        f"the server stopped for {down:g} s",
        POSTGRES,
        f"{count} stops",
        [seen.ledger],
        seen.seconds,
        seen.ledger.holds and seen.slowest <= BACK,
        seen.slowest,
        BACK,
        f"{seen.mistaken} trials taken over",
    )


def of_ray_nodes(place: Place, storage: str) -> Row:
    from tests.support.faults.ray_nodes import ray_nodes

    seen = ray_nodes(place.url(storage))
    return Row(
        "one of two Ray nodes killed with all that is in it",
        storage,
        "1 node",
        [seen.ledger],
        seen.seconds,
        seen.holds,
        note=f"trials it held: {seen.held}; workers that began again: {seen.restarted}",
    )


def of_fresh_starts(place: Place, storage: str, count: int) -> Row:
    seen = fresh_starts(lambda: place.url(storage), starts=count)
    return Row(
        f"{seen.processes} workers start at one moment on a fresh storage",
        storage,
        f"{count} starts",
        seen.ledgers,
        seen.seconds,
        seen.holds,
        note=f"{len(seen.errors)} errors",
    )


def of_memory(trials: int) -> Row:
    seen = memory(trials=trials)
    return Row(
        "none: one worker trains many trials by Keras",
        SQLITE,
        f"{trials} trials",
        [],
        seen.seconds,
        seen.holds and seen.done == trials,
        note=f"{seen.settled / 2**20:.0f} MB held after {FIRST}, {seen.growth:+.1%} at most later",
    )
