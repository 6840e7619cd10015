"""Inject every fault and print the table of docs/reliability.md.

    python -m bench.faults.run [--full | --quick] [--only TEXT]... [--list]

`--quick`, the default, takes minutes, `--full` an hour. Exit code 1 if a promise was not kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from bench.machine import describe
from tests.support.faults import rows
from tests.support.faults.failpoints import Point
from tests.support.faults.place import JOURNAL, POSTGRES, SQLITE, Place
from tests.support.faults.table import HEAD, Row


@dataclass(frozen=True)
class Case:
    """One line of the table, still to be measured. `name` is what `--only` chooses by."""

    name: str
    measure: Callable[[], Row]


def cases(place: Place, full: bool) -> Iterator[Case]:
    """All lines of the table, in its order; with fewer faults unless `full`."""

    def share(much: int) -> int:
        return much if full else max(1, much // 10)

    for storage in (SQLITE, POSTGRES):
        for workers, much in ((2, 34), (3, 33), (4, 33)):
            measure = partial(rows.of_kills, place, storage, share(much), workers)
            yield Case(f"kills {storage} {workers}", measure)
    yield Case(f"kills {JOURNAL}", partial(rows.of_kills, place, JOURNAL, share(20), 3))
    measure = partial(rows.of_kills, place, SQLITE, share(20), 3, far=False)
    yield Case(f"kills near {SQLITE}", measure)
    points: list[tuple[Point, int, int]] = [  # and for journals
        ("pop:inside", 50, 20),
        ("pop:after", 50, 20),
        ("sweep:between", 50, 20),
        ("sweep:inside", 50, 0),
        ("tell:inside", 20, 0),
        ("tell:after", 20, 20),
    ]
    for point, much, for_journal in points:
        for storage, amount in ((SQLITE, much), (POSTGRES, much), (JOURNAL, for_journal)):
            if amount:
                measure = partial(rows.of_kill_at, place, storage, point, share(amount))
                yield Case(f"kill-at {point} {storage}", measure)
    stops: list[tuple[str, Point | None, int]] = [
        (SQLITE, None, 10),
        (SQLITE, "tell:before", 10),
        (POSTGRES, None, 10),
        (POSTGRES, "tell:before", 10),
        (POSTGRES, "tell:inside", 5),
        (JOURNAL, "tell:before", 5),
    ]
    for storage, at, much in stops:
        measure = partial(rows.of_pauses, place, storage, at, share(much))
        yield Case(f"pauses {at or 'random'} {storage}", measure)
    for storage in (SQLITE, POSTGRES):
        for workers in (2, 4, 16):
            measure = partial(rows.of_grid_kill, place, storage, workers, True)
            yield Case(f"grid-kill {storage} {workers}", measure)
    yield Case(f"grid-kill pruner {SQLITE} 4", partial(rows.of_grid_kill, place, SQLITE, 4, False))
    yield Case("grid-bits", rows.of_grid_bits)
    for down in (5.0, 60.0) if full else (1.0,):
        yield Case(f"server-stop {down:g}", partial(rows.of_server_stop, place, share(10), down))
    for storage in (SQLITE, POSTGRES):
        measure = partial(rows.of_fresh_starts, place, storage, share(20))
        yield Case(f"fresh-starts {storage}", measure)
    if find_spec("ray") is not None:
        for storage in (SQLITE, POSTGRES):
            yield Case(f"ray-nodes {storage}", partial(rows.of_ray_nodes, place, storage))
    yield Case("memory", partial(rows.of_memory, 300 if full else 60))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--full", action="store_true", help="as many faults as docs/reliability.md has"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of them (default)")
    parser.add_argument(
        "--only", action="append", metavar="TEXT", help="the lines whose name has this in it"
    )
    parser.add_argument("--list", action="store_true", help="the names, and nothing else")
    arguments = parser.parse_args()
    if arguments.full and arguments.quick:
        parser.error("--full or --quick; got both")
    with ExitStack() as stack:
        every = list(cases(Place(stack), arguments.full))
        texts = arguments.only or [""]
        wanted = [case for case in every if any(text in case.name for text in texts)]
        if not wanted:
            names = "\n".join(case.name for case in every)
            parser.error(f"--only is a part of a name; got {texts}. Available:\n{names}")
        if arguments.list:
            print("\n".join(case.name for case in wanted))
            return
        print(f"{describe()}\n\n{HEAD}", flush=True)
        kept = True
        for case in wanted:
            row = case.measure()
            kept = kept and row.holds
            print(row.line(), flush=True)
    sys.exit(not kept)


if __name__ == "__main__":
    main()
