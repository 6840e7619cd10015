"""What the commands that train nothing cost: CPU seconds, user and system, their children's too.

    python -m bench.commands

Beside them `python -c pass` and `python -c "import optuna"`, which no command that reads a study
can be cheaper than. The contenders take turns; the first turn, which fills the caches, does not
count.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from bench.machine import describe
from tuner.search.prepare import prepare_study
from tuner.storage import open_storage, records, storage_at
from tuner.storage.backend import Writes
from tuner.study.definition import StudyDefinition, definition_of
from tuner.study.stored import load_study
from tuner.training.scores import TrialScores

CHOICES = ("glorot_uniform", "he_normal", "lecun_normal")
SPACE: dict[str, Any] = {
    "name": "commands",
    "params": {
        "optimizer": "sgd",
        "optimizer.learning_rate": {"low": 1e-4, "high": 1.0, "log": True},
        "optimizer.momentum": {"low": 0.0, "high": 0.99},
        "initializer": {"choices": list(CHOICES)},
        "epochs": 21,
    },
}
DISTRIBUTIONS = {
    "optimizer.learning_rate": FloatDistribution(1e-4, 1.0, log=True),
    "optimizer.momentum": FloatDistribution(0.0, 0.99),
    "initializer": CategoricalDistribution(CHOICES),
}
EPOCHS, FOLDS = 21, 5
#: So many different trials.
WRITTEN = 100
TABLES = ("params", "values", "intermediate_values", "user_attributes", "system_attributes")
TUNER = ("-m", "tuner.cli.main")


def definition(trials: int) -> StudyDefinition:
    """On the digits, so that `tuner optimize` finds their hash again."""
    return definition_of({"space": SPACE, "sampler": {"name": "random"}, "trials": trials}, "bench")


def write_study(file: Path, trials: int) -> None:
    """The definition as a file of `tuner optimize --study`."""
    fields = definition(trials).model_dump(mode="json", exclude={"name"})
    file.write_text(json.dumps(fields), encoding="utf-8")


def finish(url: str, name: str, trials: int) -> None:
    """A study in a SQLite file, all of whose trials are complete; nothing is trained. The first
    `WRITTEN` are written as workers do, the others are copies of them: a worker's would take a
    minute."""
    prepare_study(definition(trials), name=name, storage_url=url, trials=None)
    place = storage_at(url)
    backend, rng = place.backend(), np.random.default_rng(0)
    study_id = backend.storage.get_study_id_from_name(name)
    for trial in backend.trials(study_id)[:WRITTEN]:
        backend.claim({trial._trial_id: Writes()}, "bench")
        backend.write(trial._trial_id, _result(rng), "bench")
    place.close(backend.storage)
    assert place.file is not None
    with closing(sqlite3.connect(place.file)) as database, database:
        _copy(database)


def _copy(database: sqlite3.Connection) -> None:
    """Let every trial of the only study have what the one of the first `WRITTEN` has that stands
    for it."""
    kept = "state, datetime_start, datetime_complete"
    database.execute(
        f"UPDATE trials SET ({kept}) = "
        f"(SELECT {kept} FROM trials o WHERE o.number = trials.number % {WRITTEN})"
    )
    for table in (
        "params",
        "values",
        "intermediate_values",
        "user_attributes",
        "system_attributes",
    ):
        columns = [
            name
            for _, name, *_, key in database.execute(f"PRAGMA table_info(trial_{table})")
            if not key and name != "trial_id"
        ]
        database.execute(  # what a ticket has of its own stays
            f"INSERT OR IGNORE INTO trial_{table} (trial_id, {', '.join(columns)}) "
            f"SELECT t.trial_id, {', '.join(f'o.{name}' for name in columns)} FROM trials t "
            f"JOIN trials s ON s.number = t.number % {WRITTEN} AND t.number >= {WRITTEN} "
            f"JOIN trial_{table} o ON o.trial_id = s.trial_id"
        )


def _result(rng: np.random.Generator) -> Writes:
    params = {
        "optimizer.learning_rate": float(10 ** rng.uniform(-4, 0)),
        "optimizer.momentum": float(rng.uniform(0, 0.99)),
        "initializer": CHOICES[rng.integers(len(CHOICES))],
    }
    curve = rng.uniform(0.2, 0.99, (EPOCHS, FOLDS))
    scores = TrialScores(
        train={"loss": 1 - curve, "accuracy": curve},
        validation={"loss": 1 - curve, "accuracy": curve},
        learning_rate=np.full((EPOCHS, FOLDS), 0.1),
        epoch_seconds=np.full(EPOCHS, 0.04),
        score_epoch=np.full(FOLDS, EPOCHS),
        status=tuple("completed" for _ in range(FOLDS)),
    )
    folds = curve[-1].tolist()
    return Writes(
        params={
            key: (DISTRIBUTIONS[key].to_internal_repr(value), DISTRIBUTIONS[key])
            for key, value in params.items()
        },
        user_attrs={
            records.FOLD_SCORES: folds,
            records.SCORE_EPOCHS: [EPOCHS] * FOLDS,
            records.EPOCHS_RUN: EPOCHS,
            records.DURATION: 0.84,
            records.METRICS: {"accuracy": folds},
        },
        system_attrs=dict(records.curve_attributes(scores)),
        reports=dict(enumerate(curve.mean(axis=1).tolist())),
        state=TrialState.COMPLETE,
        values=[float(np.mean(folds))],
    )


def cpu(arguments: tuple[str, ...], folder: Path) -> float:
    """Seconds of user and system time of a Python with these arguments, and of its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments], cwd=folder, check=True, capture_output=True, timeout=300
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def contenders(small: str, large: str, study_file: Path) -> dict[str, tuple[str, ...]]:
    """`small`, `large`: the storages of a study `own` with few and with many trials."""
    few, many = ("--storage", small), ("--storage", large)
    search = ("optimize", "--study", str(study_file), "--name", "own", *few)
    commands = {
        "tuner --help": ("--help",),
        "tuner studies list": ("studies", "list", *few),
        "tuner results": ("results", "own", *few),
        "tuner best": ("best", "own", *few),
        "tuner optimize, finished": search,
        "tuner studies list, many trials": ("studies", "list", *many),
        "tuner best, many trials": ("best", "own", *many),
        "tuner results --top 5, many trials": ("results", "own", "--top", "5", *many),
        "tuner results, many trials": ("results", "own", *many),
    }
    return {
        "python -c pass": ("-c", "pass"),
        'python -c "import optuna"': ("-c", "import optuna"),
        **{label: (*TUNER, *command) for label, command in commands.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--trials", type=int, default=3000, help="of the study with many")
    args = parser.parse_args()
    print(describe(("optuna", "sqlalchemy")))
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # others' packages are compiled, so is this
    # `python -m` in another folder has to find this tree.
    root = str(Path(__file__).resolve().parent.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        small, large = f"sqlite:///{folder}/small.db", f"sqlite:///{folder}/large.db"
        finish(small, "own", 10)
        finish(large, "own", args.trials)
        study_file = folder / "own.json"
        write_study(study_file, 10)
        taken: dict[str, list[float]] = {}
        for turn in range(args.repeats + 1):
            for label, arguments in contenders(small, large, study_file).items():
                seconds = cpu(arguments, folder)
                if turn:
                    taken.setdefault(label, []).append(seconds)
        study = load_study(open_storage(large), "own")
        assert 0 < study.best_value < 1
        assert len(study.get_trials(states=[TrialState.COMPLETE])) == args.trials
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"\n{args.repeats} turns; a study of 10 trials, and one of {args.trials}; load {load}\n")
    print("| command | CPU, s (median) | least | most |\n|---|---|---|---|")
    for label, own in taken.items():
        print(f"| {label} | {statistics.median(own):.2f} | {min(own):.2f} | {max(own):.2f} |")


if __name__ == "__main__":
    main()
