"""What somebody else wrote where our records stand is passed over, not fallen over."""

from __future__ import annotations

import optuna
import pytest

from tuner.cli.main import main
from tuner.results.trials import fold_scores_of
from tuner.storage import records


@pytest.mark.parametrize("stored", [None, 7, "x", [], {}, ["a"], [[1.0]], {"a": 1}, True])
def test_a_trial_with_foreign_attributes_is_read(stored) -> None:
    trial = optuna.trial.create_trial(
        value=0.5,
        user_attrs={records.FOLD_SCORES: stored},
        system_attrs={records.CURVES: stored},
    )
    assert fold_scores_of(trial) == []
    assert records.read_curves(trial) is None


@pytest.mark.parametrize("directions", [["maximize"], ["maximize", "minimize"]])
def test_a_name_that_a_foreign_study_has_is_refused(
    directions, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    optuna.create_study(storage="sqlite:///x.db", study_name="theirs", directions=directions)
    command = ["--space", "sgd_decay", "--data", "sklearn:iris", "--name", "theirs"]
    for words in (["plan", *command], ["optimize", *command, "--dry-run"]):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--storage", "x.db"])
        assert ended.value.code == 2
        assert "a study of tuner holds its definition; study 'theirs'" in capsys.readouterr().err
