"""`--refit-metric`: of several metrics the one that counts."""

from __future__ import annotations

import pytest

from tuner.cli.study_flags import StudyFlags, definition_from
from tuner.errors import UsageError

THREE = ("accuracy", "f1_macro", "loss")


@pytest.mark.parametrize("chosen", THREE)
def test_the_metric_that_counts_is_the_objective_and_the_others_are_recorded(chosen):
    flags = StudyFlags(study="initializers", metrics=THREE, refit_metric=chosen)
    definition = definition_from(flags)
    assert definition.metric == chosen
    assert definition.direction == ("minimize" if chosen == "loss" else "maximize")
    assert sorted(definition.all_metrics) == sorted(THREE)


def test_it_chooses_among_the_definitions_own_metrics(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "version: 1\nspace: initializers\nobjective: {metric: accuracy}\nmetrics: [loss]\n"
    )
    definition = definition_from(StudyFlags(study=str(path), refit_metric="loss"))
    assert definition.all_metrics == ("loss", "accuracy")


def test_a_metric_that_is_not_scored_is_refused():
    flags = StudyFlags(study="initializers", metrics=("accuracy", "loss"), refit_metric="acuracy")
    with pytest.raises(UsageError, match="--refit-metric") as refused:
        definition_from(flags)
    assert "did you mean accuracy? Available: accuracy, loss" in str(refused.value)


def test_another_name_of_a_metric_is_the_metric():
    flags = StudyFlags(
        study="initializers", metrics=("loss", "matthews_corrcoef"), refit_metric="matthews"
    )
    assert definition_from(flags).all_metrics == ("matthews_corrcoef", "loss")
