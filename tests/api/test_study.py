"""A study's model, page, dashboard and what a notebook shows of it."""

from __future__ import annotations

import json
import urllib.request
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import tuner
from tests.support.fake_trainer import FakePlan
from tuner.errors import DataError, UsageError

SPACE = {"optimizer": "adam", "optimizer.learning_rate": tuner.log(1e-3, 1e-1), "epochs": 4}


@pytest.fixture
def study(in_process):
    return tuner.optimize(SPACE, data="sklearn:digits", trials=7, folds=3, progress="none")


class Whole(HTMLParser):
    """Every tag is closed, and nothing is loaded from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "img")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(text):
    page = Whole()
    page.feed(text)
    assert page.open == []
    return page.text


def test_a_notebook_shows_the_best_trials(study):
    text = read(study._repr_html_())
    assert study.name in text
    assert "7 trials" in text
    assert f"best: trial {study.best.number}, accuracy" in text
    assert study._repr_html_().count("<tr") == 6
    assert "all of them: study.table()" in text


def test_a_report_is_a_page_of_its_own(study):
    path = study.report("deep/report.html")
    text = read(path.read_text("utf-8"))
    assert "optimizer.learning_rate" in text
    assert "sampler.name" in text
    assert path.read_text("utf-8").count("<tr") > 8
    with pytest.raises(UsageError, match="a report is written to a file"):
        study.report("deep")


def test_of_several_objectives_all_values_are_shown(in_process, monkeypatch, capsys):
    sized = property(lambda plan: 10_000 * plan.epochs)
    monkeypatch.setattr(FakePlan, "parameters", sized, raising=False)
    study = tuner.optimize(
        {**SPACE, "epochs": tuner.choices(2, 4)},
        data="sklearn:digits",
        metric=["accuracy", "parameters"],
        at_most={"parameters": 50_000},
        trials=6,
        folds=3,
        progress="plain",
        seed=3,
    )
    told = capsys.readouterr().err
    assert ", parameters 40000 · " in told
    assert " · on the front · front 1 trial" in told
    table = study.table()
    front = table.query("front")
    assert len(front) == 2
    scores = sorted(f"{score:.4f}" for score in front["mean_test_score"])
    said = f"Pareto front: 2 trials, accuracy {' to '.join(scores)}, parameters 20000 to 40000"
    for html in (study._repr_html_(), study.report("a.html").read_text("utf-8")):
        text = read(html)
        assert said in text
        assert "best:" not in text
        assert "parametersfrontfeasible" in text
        assert html.count("<tr class='best'>") == 2
        assert "40000</td>" in html


def test_arguments_of_a_study_are_refused_with_the_rule(study):
    for call, rule in (
        (lambda: study.export(None), "folder= takes a path; received null"),
        (lambda: study.export("a\0b"), "folder= takes a path"),
        (lambda: study.report(3), "path= takes a path; received 3"),
        (lambda: study.report(" "), "path= takes a path"),
        (lambda: study.curves("best"), "number= takes a whole number from 0 .*; received 'best'"),
        (lambda: study.model(1.5), "number= takes a whole number"),
        (lambda: study.export("model", True), "number= takes a whole number"),
        (lambda: study.serve("8080"), "port= takes a whole number from 0 to 65535"),
        (lambda: tuner.load(None), "name= names a study; received none"),
        (lambda: tuner.load("a\0b"), "name= takes text"),
    ):
        with pytest.raises(UsageError, match=rule):
            call()
    assert len(study.curves(np.int64(3))) == 4
    assert len(study.optimize(trials=7, callbacks=None, progress="none").table()) == 7


def test_what_names_hold_is_escaped(in_process):
    study = tuner.optimize(
        SPACE, data="sklearn:digits", trials=1, folds=3, name="<b>&", progress="none"
    )
    assert "<b>&" not in study._repr_html_().replace("<b>&lt;", "")
    assert "<b>&" in read(study.report("a.html").read_text("utf-8"))


def test_the_dashboard_is_served_while_the_program_goes_on(study):
    with study.serve() as served:
        number = served.url.rpartition("/")[2]
        host = served.url.partition("/dashboard")[0]
        with urllib.request.urlopen(f"{host}/api/studies/{number}") as answer:
            assert json.load(answer)["name"] == study.name
    served.close()
    with pytest.raises(OSError):
        urllib.request.urlopen(host)


@pytest.mark.slow
def test_the_model_is_plain_keras_and_predicts_labels(here):
    X, y = load_digits(return_X_y=True)
    labels = np.array([f"n{digit}" for digit in range(10)])[y]
    study = tuner.optimize(SPACE, X, labels, trials=2, folds=3, progress="none")
    model = study.model()
    assert type(model).__module__.startswith("keras.")
    assert study.model() is model
    assert (study.predict(X) == labels).mean() > 0.9
    answers = np.asarray(model(X.astype(np.float32)))
    assert (study.predict(X) == np.array(sorted(set(labels)))[answers.argmax(1)]).all()
    with pytest.raises(DataError, match="the model takes rows of 64 features"):
        study.predict(X[:, :5])
    assert (study.export("model") / "model.keras").exists()
    with pytest.raises(UsageError, match="an export goes into a new or empty folder"):
        study.export("model")
    study.export("model", force=True)
    mean = study.model(ensemble="folds")
    assert [layer.name for layer in mean.layers[1:4]] == [
        f"trial_{study.best.number}_fold_{fold}" for fold in range(3)
    ]
    assert (np.asarray(mean(X.astype(np.float32))).argmax(1) == y).mean() > 0.9
    calm = study.model(ensemble="selection", ensemble_trials=2, calibrate="temperature")
    assert study.model(ensemble="selection", ensemble_trials=2, calibrate="temperature") is calm
    assert np.asarray(calm(X.astype(np.float32))).sum(axis=1) == pytest.approx(1, abs=1e-5)
    with pytest.raises(UsageError, match=r"received number=0\. Available: ensemble='folds'"):
        study.model(0, ensemble="selection")
    with pytest.raises(UsageError, match="unknown ensemble 'fold'; did you mean folds"):
        study.model(ensemble="fold")


@pytest.mark.slow
def test_a_frame_is_predicted_as_it_is(here):
    rng = np.random.default_rng(0)
    colour = np.array(["red", "blue", "green"])[rng.integers(0, 3, 200)]
    size = rng.normal(size=200)
    price = size * 3 + (colour == "red") * 5
    frame = pd.DataFrame({"size": np.where(rng.random(200) < 0.1, np.nan, size), "colour": colour})
    space = {**SPACE, "epochs": 60}
    study = tuner.optimize(space, frame, price, trials=2, folds=3, progress="none", workers=1)
    whole = frame.notna().all(axis=1)
    assert np.corrcoef(study.predict(frame)[whole], price[whole])[0, 1] > 0.9
    # Columns count by their names.
    turned = study.predict(frame[["colour", "size"]])
    assert turned == pytest.approx(study.predict(frame), abs=1e-6)
    with pytest.raises(DataError, match="lacks size"):
        study.predict(frame[["colour"]])
    with pytest.raises(UsageError, match="the model takes the columns of a table"):
        study.predict(np.zeros((3, 2)))
