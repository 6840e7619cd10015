"""A study's data on a machine, or in a folder, that is not where the study was made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.studies import space
from tuner.errors import DataError
from tuner.search.prepare import prepare_study
from tuner.search.tickets import read_counts
from tuner.storage import open_storage
from tuner.study.asked import Asked
from tuner.study.data import describe_data, load_study_data
from tuner.study.definition import StudyDefinition
from tuner.study.stored import load_study

TABLE = "a,b,label\n" + "".join(f"{i},{i % 7},{'xy'[i % 2]}\n" for i in range(40))


def on(uri: str, **changes: object) -> StudyDefinition:
    definition = StudyDefinition(space=space({"epochs": 2}), trials=2)
    return definition.override({"data.uri": uri, "folds.k": 2, **changes})


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """One that has `data/few.csv`, and one that has nothing."""
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "data").mkdir(parents=True)
    (here / "data" / "few.csv").write_text(TABLE)
    there.mkdir()
    return here, there


def test_a_relative_path_elsewhere_names_what_is_missing_and_where(folders, monkeypatch):
    here, there = folders
    monkeypatch.chdir(here)
    assert len(load_study_data(on("csv:data/few.csv"))[0].x) == 40
    monkeypatch.chdir(there)
    with pytest.raises(DataError) as caught:
        load_study_data(on("csv:data/few.csv"))
    said = str(caught.value)
    for text in (f"there is no {there}/data/few.csv", f"directory, here {there}", "csv:/ABSOLUTE"):
        assert text in said


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("csv:{}/none.csv", "there is no"),
        ("npz:data/few.csv", "written by numpy.savez"),
        ("csv:", "needs the path of a file"),
        ("sklearn:digit", "did you mean digits"),
    ],
)
def test_other_errors_say_nothing_of_folders(folders, monkeypatch, uri, said):
    monkeypatch.chdir(folders[0])
    with pytest.raises(DataError, match=said) as caught:
        describe_data(on(uri.format(folders[0])))
    assert "working" not in str(caught.value)


@pytest.mark.slow
def test_a_worker_needs_the_storage_and_the_name_alone(folders):
    here, there = folders
    url = f"sqlite:///{here}/studies.db"
    prepare_study(on(f"csv:{here}/data/few.csv"), name="s 1", storage_url=url, trials=None)
    done = subprocess.run(
        [sys.executable, "-m", "tuner.cli.main", "worker", "--storage", url, "--name", "s 1"],
        cwd=there,
        env={},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "2 complete" in done.stdout
    assert read_counts(load_study(open_storage(url), "s 1")).complete == 2
    assert list(there.iterdir()) == []


def test_a_metric_that_the_targets_leave_undefined_is_refused_before_any_training(tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("a,y\n" + "".join(f"{i / 2},{i - 2.5}\n" for i in range(40)))
    for metrics in ({"objective.metric": "rmsle"}, {"metrics": ["rmsle"]}):
        with pytest.raises(DataError, match=r"rmsle needs targets above -1; got -2\.5"):
            describe_data(on(f"csv:{path}", **{"data.target": "y", **metrics}))


def test_unequal_classes_are_noted_if_accuracy_is_optimized(tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("a,y\n" + "".join(f"{i * 37 % 80}.5,{'xy'[i < 4]}\n" for i in range(80)))
    uri = f"csv:{path}"
    for metric, notes in ((None, 1), ("accuracy", 1), ("roc_auc", 0), ("balanced_accuracy", 0)):
        made = on(uri, **{"data.target": "y", "objective.metric": metric})
        assert len(describe_data(made).notes) == notes, metric
    [note] = describe_data(on(uri, **{"data.target": "y"})).notes
    assert note.startswith("unequal classes: 95 % of the rows are 'x', 5 % are 'y'")
    assert describe_data(on("sklearn:diabetes")).notes == ()


def test_data_that_decided_the_space_are_not_read_again(folders, monkeypatch) -> None:
    monkeypatch.chdir(folders[0])
    asked = Asked(data="csv:data/few.csv", rows={"target": "label"}, folds=2)
    facts = describe_data(asked.definition())
    Path("data/few.csv").unlink()
    assert describe_data(asked.definition(), asked.loaded) == facts
    with pytest.raises(DataError, match="needs a file that exists"):
        describe_data(asked.definition().override({"seed": 1}), asked.loaded)
