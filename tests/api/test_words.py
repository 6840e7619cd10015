"""Messages in Python name keywords, and not the command line's flags."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pandas as pd
import pytest

import tuner
from tuner.api.words import in_python
from tuner.cli.run_flags import RunFlags, WorkerFlags
from tuner.cli.study_flags import StudyFlags
from tuner.errors import DataError, SpaceError, StudyConflictError, UsageError

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": ["x", "y", "x", "y"]})
SPACE = {"optimizer.learning_rate": tuner.log(1e-3, 1.0), "epochs": 2}


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("another --name, or --trials N", "another name=, or trials=N"),
        ("Choose by --target COLUMN", "Choose by target='COLUMN'"),
        ("received --target 'my price' --group 'a'", "received target='my price' group='a'"),
        ("--test-share 0.25 of x", "test_share=0.25 of x"),
        ("--kind 'a b=date' or --kind c=date", "kinds={'a b': 'date'} or kinds={'c': 'date'}"),
        ("(--set optimizer.clipnorm=1)", "(set={'optimizer.clipnorm': 1})"),
        ("--scaling robust, --limit 3", "scaling='robust', limit=3"),
        ("--set model.units: must be", "set['model.units']: must be"),
        ("Give --force, or --no-header", "Give force=True, or header=False"),
        ("by: tuner resume 'a b'", "by: tuner.load('a b').optimize()"),
        ("tuner doctor --storage a.db, or --storage", "tuner doctor --storage a.db, or storage="),
        ("column '--limit 3' and a--limit", "column '--limit 3' and a--limit"),
    ],
)
def test_flags_are_told_as_keywords(told, meant):
    assert in_python(told) == meant
    assert in_python(meant) == meant


def test_every_flag_has_its_keyword():
    flags = {
        option.split("/")[0] or "--" + own.name.replace("_", "-")
        for group in (StudyFlags, RunFlags, WorkerFlags)
        for own in vars(group)["__dataclass_fields__"].values()
        if "option" in own.metadata
        for option in [own.metadata["option"][0]]
    }
    keywords = {in_python(flag).partition("=")[0] for flag in flags}
    assert keywords - set(signature(tuner.optimize).parameters) == set()


@pytest.mark.parametrize(
    ("given", "error", "rule"),
    [
        ({"target": "a", "group": "a"}, DataError, "received target='a' group='a'"),
        ({"target": "b", "target_scale": "log"}, DataError, "target_scale='log' is"),
        ({"target": "b", "set": {"epochs": "x"}}, SpaceError, r"set\['epochs'\]"),
        ({"target": "b", "refit_metric": "f1_macro"}, UsageError, "^refit_metric= "),
        ({"target": "b", "limit": 1}, UsageError, "data.limit"),
        ({"target": "b", "ray_cpus": 2}, UsageError, "received ray_cpus=2 without ray="),
        ({"target": "b", "ray": "http://h"}, UsageError, "ray= takes the address of a Ray"),
        ({"target": "b", "ray": "auto", "ray_gpus": 1.5}, UsageError, "received ray_gpus=1.5"),
    ],
)
def test_errors_of_optimize_name_keywords(in_process, given, error, rule):
    with pytest.raises(error, match=rule) as raised:
        tuner.optimize(SPACE, data=FRAME, folds=2, trials=1, progress="none", **given)
    assert " --" not in f" {raised.value}"


def test_what_is_taken_for_granted_names_keywords(in_process, capsys):
    asked = {"folds": 2, "trials": 1, "name": "my one", "progress": "plain"}
    path = in_process / "a.csv"
    FRAME.assign(b=np.arange(4) % 2).to_csv(path, index=False)
    study = tuner.optimize(SPACE, data=f"csv:{path}", **asked)
    told = capsys.readouterr().err
    assert "'b' is taken for the target, the last column; target='COLUMN' says otherwise" in told
    assert " --" not in told
    with pytest.raises(
        StudyConflictError, match=r"another name=.*tuner.load\('my one'\).optimize\(\)"
    ):
        tuner.optimize(SPACE, data=f"csv:{path}", target="a", **asked)
    (in_process / "full").mkdir()
    (in_process / "full" / "a").touch()
    with pytest.raises(UsageError, match="Give force=True to replace"):
        study.export("full")
