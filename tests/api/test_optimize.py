"""`tuner.optimize`: the command line's search in one call."""

from __future__ import annotations

import os
import subprocess
import sys
from inspect import signature
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import tuner
from tests.support import ROOT
from tuner.cli.main import main
from tuner.cli.run_flags import RunFlags
from tuner.cli.study_flags import StudyFlags, definition_from
from tuner.errors import (
    DataError,
    DefinitionError,
    NoCompletedTrialError,
    StudyConflictError,
    UnknownKeywordError,
    UsageError,
)

SPACE = {"optimizer": "adam", "optimizer.learning_rate": tuner.log(1e-3, 1.0), "epochs": 4}


def test_a_search_its_table_its_curves_and_going_on(in_process, capsys):
    study = tuner.optimize(SPACE, data="sklearn:digits", trials=4, folds=3, seed=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "[4/4] trial" in err
    assert study.name == study.definition.default_name()
    assert repr(study) == f"<tuner.Study {study.name} in sqlite:///{in_process}/studies/tuner.db>"
    assert list(study.best.params) == ["optimizer.learning_rate"]
    assert study.best.value == pytest.approx(np.mean(study.best.fold_scores))
    table = study.table()
    assert table["number"][0] == study.best.number
    assert table["mean_test_score"][0] == study.best.value
    assert table["param_optimizer.learning_rate"][0] == study.best.params["optimizer.learning_rate"]
    curves = study.curves()
    assert curves["val_accuracy"].iloc[-1] == pytest.approx(study.best.value)
    assert list(curves.index) == [1, 2, 3, 4]
    assert study.curves(0).shape == curves.shape
    assert study.importances() == {"optimizer.learning_rate": 1.0}
    # The same call does nothing more; more trials go on.
    assert len(tuner.optimize(SPACE, data="sklearn:digits", trials=4, folds=3, seed=1).table()) == 4
    assert study.optimize(trials=6, progress="none") is study
    assert len(study.table()) == 6
    assert len(tuner.load(study.name).table()) == 6
    [row] = tuner.studies().to_dict("records")
    assert (row["study"], row["total"]) == (study.name, 6)


def test_arrays_make_a_study_that_goes_on_without_them(in_process):
    X, y = load_digits(return_X_y=True)
    study = tuner.optimize(SPACE, X, y, trials=3, folds=3, progress="none")
    again = tuner.optimize(SPACE, X.copy(), list(y), trials=4, folds=3, progress="none")
    assert again.name == study.name
    os.chdir("/")
    loaded = tuner.load(study.name, f"sqlite:///{in_process}/studies/tuner.db")
    assert len(loaded.optimize(trials=5, progress="none").table()) == 5
    other = X.copy()
    other[0, 0] += 1
    with pytest.raises(StudyConflictError, match="holds another"):
        tuner.optimize(
            SPACE, other, y, folds=3, name=study.name, storage=loaded.storage, progress="none"
        )


def test_deleting_a_study_keeps_its_data_and_says_so(in_process, capsys):
    X, y = load_digits(return_X_y=True)
    study = tuner.optimize(SPACE, X, y, trials=1, folds=3, progress="none")
    path = study.definition.data.uri.removeprefix("arrays:")
    with pytest.raises(SystemExit):
        main(["studies", "delete", study.name, "--yes"])
    assert f"its data stay, which other studies may use: {path}" in capsys.readouterr().err
    assert (Path(path) / "X.npy").exists()


def test_no_storage_has_no_studies(here):
    assert len(tuner.studies()) == 0
    with pytest.raises(UsageError, match="unknown study 'a'"):
        tuner.load("a", _empty(here))


def _empty(folder: Path) -> str:
    from tuner.storage import open_storage

    open_storage(f"sqlite:///{folder}/a.db")
    return f"sqlite:///{folder}/a.db"


def test_the_definition_is_that_of_the_flags(in_process):
    study = tuner.optimize(
        "sgd_decay",
        data="sklearn:digits",
        trials=2,
        folds=4,
        metric=["f1_macro", "accuracy"],
        refit_metric="accuracy",
        sampler="random",
        pruner="none",
        set={"epochs": 2},
        seed=np.int64(3),
        limit=200,
        test_share=0.2,
        scaling="standard",
        progress="none",
    )
    flags = StudyFlags(
        space="sgd_decay",
        data="sklearn:digits",
        folds=4,
        metrics=("f1_macro", "accuracy"),
        refit_metric="accuracy",
        sampler="random",
        pruner="none",
        settings=("epochs=2",),
        seed=3,
        limit=200,
        test_share=0.2,
        scaling="standard",
    )
    assert study.name == definition_from(flags).resolved("multiclass").default_name()


def test_every_flag_is_a_keyword():
    flags = {
        option.lstrip("-").replace("-", "_")
        for group in (StudyFlags, RunFlags)
        for own in vars(group)["__dataclass_fields__"].values()
        if "option" in own.metadata
        for option in [own.metadata["option"][0].split("/")[0] or own.name]
    }
    renamed = {"kind": "kinds", "try": "try_first"}
    wanted = {renamed.get(flag, flag) for flag in flags}
    assert wanted - set(signature(tuner.optimize).parameters) == set()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"fold": 3}, UnknownKeywordError, "unknown keyword 'fold'; did you mean folds"),
        ({"fold": 3}, TypeError, "Available: X, y, space.*, folds, "),
        ({"folds": 1}, DefinitionError, "folds.k"),
        ({"trials": 0}, UsageError, "trials: .*got 0"),
        ({"trials": 2.5}, UsageError, "trials: .*2.5"),
        ({"timeout": "soon"}, UsageError, "timeout: must be a time such as 90s"),
        ({"workers": 0}, UsageError, "workers: .*got 0"),
        ({"progress": "loud"}, UsageError, "progress: .*loud"),
        ({"metric": "acuracy"}, DefinitionError, "unknown metric 'acuracy'"),
        ({"sampler": "tpee"}, DefinitionError, "tpee"),
        ({"data": "csv:none.csv"}, DataError, "none.csv"),
        ({"X": [[1.0]], "data": "sklearn:digits"}, UsageError, "received both"),
        ({"y": [1]}, UsageError, "received y without X"),
        ({"kinds": {"a": "colour"}}, UsageError, "kinds"),
        ({"storage": "ftp://a/b"}, UsageError, "a storage is a database URL or a file"),
        ({"group": [1, 2]}, UsageError, "group= of values goes with X"),
        ({"target": 1.5}, UsageError, "target= takes a name or a list of names; received 1.5"),
        ({"drop": {"a": 1}}, UsageError, "drop= takes a name or a list of names"),
        ({"set": "epochs=3"}, UsageError, "set= takes a dict, names with their values"),
        ({"kinds": [1]}, UsageError, "kinds= takes a dict"),
        ({"at_most": "parameters=3"}, UsageError, "at_most= takes a dict"),
        ({"at_least": [1]}, UsageError, "at_least= takes a dict"),
        ({"try_first": 3}, DefinitionError, "try_first.*got 3"),
        ({"name": 3}, UsageError, "name= takes text; received 3"),
        ({"storage": 3}, UsageError, "storage= takes text; received 3"),
        ({"artifacts": 3}, UsageError, "artifacts= takes text; received 3"),
        ({"data": Path("wine.csv")}, UsageError, "data= takes a URI or a DataFrame; received"),
    ],
)
def test_bad_input_is_refused_before_anything_is_stored(in_process, given, error, message):
    with pytest.raises(error, match=message):
        tuner.optimize(**{"space": "sgd_decay", **given})
    assert list(in_process.iterdir()) == []


def test_a_storage_is_a_path_too_and_a_target_the_number_of_a_column(in_process):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)))
    study = tuner.optimize(
        SPACE, data=frame, target=2, trials=1, folds=2, progress="none", storage=Path("own.db")
    )
    assert study.definition.data.target == "2"
    assert tuner.load(study.name, Path("own.db")).best == study.best
    assert list(tuner.studies(Path("own.db"))["study"]) == [study.name]
    with pytest.raises(UsageError, match="name= takes text; received 3"):
        tuner.load(3, Path("own.db"))


def test_a_study_without_a_complete_trial_says_so(in_process):
    study = tuner.optimize(SPACE, data="sklearn:digits", trials=1, folds=3, progress="none")
    from tuner.search.prepare import prepare_study

    prepared = prepare_study(
        study.definition.override({"seed": 9}),
        name="empty",
        storage_url=study.storage,
        trials=2,
    )
    empty = tuner.load(prepared.name)
    for read in (lambda: empty.best, lambda: empty.curves()):
        with pytest.raises(NoCompletedTrialError, match="it holds 2 waiting"):
            read()
    with pytest.raises(UsageError, match="two or more complete trials"):
        empty.importances()


def test_importing_tuner_is_light():
    slow = ["tensorflow", "keras", "optuna", "sklearn", "pandas", "numpy", "pydantic", "click"]
    code = f"import sys, tuner; dir(tuner); print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


SCRIPT = """
import tuner
from sklearn.datasets import load_digits

print("begins")
X, y = load_digits(return_X_y=True)
space = {"optimizer.learning_rate": tuner.log(1e-3, 1e-1), "epochs": 2}
study = tuner.optimize(space, X[:300], y[:300], folds=2, trials=3, workers=2, progress="none")
print(len(study.table()), study.best.number)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["file", "stdin"])
def test_a_program_needs_no_guard(here, how):
    """Worker processes do not run the program's own file again."""
    (here / "script.py").write_text(SCRIPT)
    arguments = ["script.py" if how == "file" else "-"]
    done = subprocess.run(
        [sys.executable, *arguments],
        input=SCRIPT if how == "stdin" else None,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == "begins"
    assert len(done.stdout.splitlines()) == 2
    assert done.stdout.splitlines()[1].startswith("3 ")
