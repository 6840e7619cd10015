"""Regressions stay finite at every rate of the spaces of SGD that ship."""

from __future__ import annotations

import pytest

from tuner.results.trials import trials_of
from tuner.search import prepare_study, run_worker
from tuner.spaces import load_space
from tuner.storage import records, storage_at
from tuner.study.library import load_definition
from tuner.study.stored import load_study


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sgd_decay", "schedules"])
def test_no_trial_of_a_regression_diverges(tmp_path, name):
    space = load_space(name).override({"epochs": "5"})
    changes = {"data.uri": "sklearn:diabetes", "pruner": "none", "sampler": "random"}
    definition = load_definition("default", space=space).override(changes)
    url = f"sqlite:///{tmp_path}/here.db"
    made = prepare_study(definition, name="study", storage_url=url, trials=10)
    run_worker(url, made.name, stop=lambda: False, on_event=lambda event: None)
    trials = trials_of(load_study(storage_at(url).open(create=False), made.name))
    causes = [trial.user_attrs.get(records.CAUSE) for trial in trials]
    assert [cause for cause in causes if records.diverged(cause)] == []
    assert len(causes) == 10
