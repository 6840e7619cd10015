from __future__ import annotations

import json
import time
from typing import Any

import optuna
import optuna_dashboard
import plotly.graph_objects as go
import pytest
from optuna.trial import TrialState, create_trial
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

from tuner.results import publish, study_figures
from tuner.results.dashboard import study_note


def system_attributes(study: optuna.Study) -> dict[str, object]:
    return study._storage.get_study_system_attrs(study._study_id)


def published(study: optuna.Study) -> dict[str, go.Figure]:
    """The figures as optuna-dashboard reads them, checked by Plotly."""
    texts = get_plotly_graph_objects(system_attributes(study))
    return {name: go.Figure(json.loads(text)) for name, text in texts.items()}


def test_the_dashboard_reads_the_figures_and_plotly_accepts_them(make_study):
    maker = make_study()
    for score in (0.7, 0.9, 0.8):
        maker.add((score - 0.05, score + 0.05), epochs=40)
    assert publish(maker.study)
    figures = published(maker.study)
    assert set(figures) == {"learning-curves-accuracy", "learning-curves-loss", "learning-rate"}
    traces = {trace.name: trace for trace in figures["learning-curves-accuracy"].data}
    assert list(traces)[2:4] == ["trial 1, validation", "trial 1, training"]
    best = traces["trial 1, validation"]
    assert best.x == tuple(range(1, 41))
    reported = maker.study.trials[1].intermediate_values
    assert best.y == pytest.approx(list(reported.values()), abs=1e-5)
    assert traces["trial 1, training"].y[-1] == pytest.approx(0.9 * 0.99, abs=1e-5)
    band = figures["learning-curves-accuracy"].data[:2]
    assert (band[0].y[-1], band[1].y[-1]) == pytest.approx((0.85, 0.95), abs=1e-5)
    assert figures["learning-rate"].data[0].y[:2] == pytest.approx((0.1, 0.05))


@pytest.mark.parametrize(
    "metrics", [("r2",), ("roc_auc",), ("accuracy", "f1_macro"), ("f1_macro", "roc_auc", "loss")]
)
def test_metrics_without_a_training_score_have_their_validation_curves(make_study, metrics):
    maker = make_study(metrics=metrics)
    for score in (0.7, 0.9):
        maker.add((score - 0.05, score + 0.05), epochs=8)
    assert publish(maker.study)
    figures = published(maker.study)
    assert set(figures) == {
        "learning-rate",
        *(f"learning-curves-{name}" for name in ("loss", *metrics)),
    }
    for name in metrics:
        drawn = [trace.name for trace in figures[f"learning-curves-{name}"].data][2:]
        kinds = ("validation", "training") if name in ("accuracy", "loss") else ("validation",)
        assert drawn == [f"trial {number}, {kind}" for number in (1, 0) for kind in kinds]
        if name != "loss":
            curve = figures[f"learning-curves-{name}"].data[2]
            assert curve.y[-1] == pytest.approx(0.9, abs=1e-5)
    note = optuna_dashboard.get_note(maker.study)
    assert f"Trial **1**: {metrics[0]} **0.9000** ± 0.0500 over 2 folds" in note
    for name in metrics[1:]:
        assert f"{name} 0.9000 ± 0.0500" in note.split("Scored beside it: ")[1]


def test_the_stored_form_is_that_of_the_dashboards_own_functions(make_study):
    """What publish writes equals what save_plotly_graph_object and save_note write."""
    ours, theirs = make_study("ours"), make_study("theirs")
    for maker in (ours, theirs):
        for score in (0.7, 0.9, 0.8, 0.85, 0.6, 0.5):
            maker.add((score, score), epochs=60)
    publish(ours.study)
    note = optuna_dashboard.get_note(ours.study).replace("ours", "theirs")
    for name, figure in study_figures(theirs.study).items():
        optuna_dashboard.save_plotly_graph_object(
            theirs.study, go.Figure(figure, skip_invalid=False), graph_object_id=name
        )
    optuna_dashboard.save_note(theirs.study, note)
    held = [set(system_attributes(maker.study)) for maker in (ours, theirs)]
    metric_names = {"study:metric_names"}
    # Plotly's own text also has its default template, so it is longer: compare names of figures.
    prefixes = [{key.rsplit(":", 1)[0] for key in keys - metric_names} for keys in held]
    assert prefixes[0] == prefixes[1]
    assert any(key.endswith(":1") for key in held[0]), "the example should need several pieces"
    assert optuna_dashboard.get_note(theirs.study) == note


def test_publishing_again_writes_nothing_and_new_trials_replace(make_study, monkeypatch):
    maker = make_study()
    for score in (0.7, 0.9, 0.8, 0.85, 0.75):
        maker.add((score, score), epochs=80)
    publish(maker.study)
    storage = maker.study._storage
    before = system_attributes(maker.study)
    written: list[str] = []
    write = storage.set_study_system_attr

    def note_write(study_id, key, value):
        written.append(key)
        write(study_id, key, value)

    monkeypatch.setattr(storage, "set_study_system_attr", note_write)
    assert publish(maker.study)
    assert written == []
    assert system_attributes(maker.study) == before
    # Shorter curves leave fewer pieces; the dashboard must not read old ones behind them.
    for score in (0.95, 0.96, 0.97, 0.98, 0.99):
        maker.add((score, score), epochs=3)
    assert publish(maker.study)
    figure = published(maker.study)["learning-curves-accuracy"]
    assert figure.data[2].name == "trial 9, validation"
    assert len(figure.data[2].x) == 3
    assert "Trial **9**" in optuna_dashboard.get_note(maker.study)


def test_the_note_keeps_what_a_person_wrote(make_study):
    maker = make_study()
    optuna_dashboard.save_note(maker.study, "My idea: try larger rates.")
    maker.add((0.5, 0.7))
    publish(maker.study)
    first = optuna_dashboard.get_note(maker.study)
    assert "Trial **0**: accuracy **0.6000** ± 0.1000 over 2 folds" in first
    assert "| optimizer.learning_rate | 0.1 |" in first
    assert first.endswith("My idea: try larger rates.")
    optuna_dashboard.save_note(maker.study, "Top line\n\n" + first + "\nLast line \\1")
    maker.add((0.8, 0.8))
    publish(maker.study)
    second = optuna_dashboard.get_note(maker.study)
    assert second.startswith("Top line\n\n## Best trial")
    assert second.endswith("My idea: try larger rates.\nLast line \\1")
    assert "Trial **1**" in second
    assert "Trial **0**" not in second


def test_what_others_named_stays_in_its_cell_of_the_note():
    study = optuna.create_study(direction="maximize", study_name="a\nb")
    name, value = "x\x1b[31m|\ny", "v\n|w"
    kinds: dict[str, Any] = {name: optuna.distributions.CategoricalDistribution([value])}
    study.add_trial(create_trial(value=1.0, params={name: value}, distributions=kinds))
    note = study_note(study, "objective")
    assert "\n| x\\x1b[31m\\|\\ny | v\\n\\|w |\n" in note
    assert "`tuner export $'a\\nb' --out DIR`" in note


def test_a_study_without_a_completed_trial_gets_a_note_and_no_figures(make_study):
    maker = make_study()
    maker.add(state=TrialState.FAIL, cause="x", curves=False)
    assert publish(maker.study)
    assert published(maker.study) == {}
    note = optuna_dashboard.get_note(maker.study)
    assert "No trial is complete yet." in note
    assert "Trials: 1 failed." in note


@pytest.mark.parametrize("state", [TrialState.PRUNED, TrialState.FAIL])
def test_the_note_tells_the_diverged_trials_from_the_others(make_study, state):
    maker = make_study()
    maker.add()
    for cause in ("diverged: the loss of fold 0 was not finite in epoch 1", "x diverged: y"):
        maker.add(state=state, cause=cause)
    publish(maker.study)
    word = "pruned" if state == TrialState.PRUNED else "failed"
    note = optuna_dashboard.get_note(maker.study)
    assert f"Trials: 1 complete, 2 {word}, 1 of them diverged." in note


def test_the_objective_has_its_name(make_study):
    maker = make_study(direction="minimize")
    maker.add((0.5, 0.5))
    publish(maker.study)
    assert maker.study.metric_names == ["loss"]
    assert set(published(maker.study)) == {"learning-curves-loss", "learning-rate"}


def test_publishing_never_fails_the_command(make_study, monkeypatch, caplog):
    maker = make_study()
    maker.add()

    def refuse(*_):
        raise OSError("read-only file system")

    monkeypatch.setattr(maker.study._storage, "set_study_system_attr", refuse)
    assert publish(maker.study) is False
    assert "read-only file system" in caplog.text


def test_long_curves_are_thinned_and_end_where_they_end(make_study):
    maker = make_study()
    maker.add((0.9, 0.9), epochs=1500)
    figure = study_figures(maker.study)["learning-curves-accuracy"]
    trace = figure["data"][2]
    assert len(trace["x"]) == 200
    assert (trace["x"][0], trace["x"][-1]) == (1, 1500)


@pytest.mark.slow
def test_publishing_forty_trials_is_fast(make_study, tmp_path):
    maker = make_study(storage=optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/tuner.db"))
    for number in range(40):
        maker.add((0.5 + number / 100,) * 5, epochs=40)
    started = time.process_time()
    assert publish(maker.study)
    assert time.process_time() - started < 0.5
