"""StudySearchCV on tickets, as `tuner optimize`: what is stored, refused and gone on with."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from tests.support.studies import prepare
from tuner.cli.main import main
from tuner.sklearn import StudySearchCV
from tuner.storage import records

SPACE = {"var_smoothing": FloatDistribution(1e-9, 1.0, log=True)}
NEIGHBORS = {
    "n_neighbors": IntDistribution(1, 3),
    "weights": CategoricalDistribution(["uniform", "distance"]),
}


def search(space: Any = SPACE, estimator: Any = None, **settings: Any) -> StudySearchCV:
    own = {"n_trials": 3, "cv": 3, "random_state": 1, "sampler": "random", **settings}
    return StudySearchCV(GaussianNB() if estimator is None else estimator, space, **own)


@pytest.fixture(scope="module")
def iris() -> Any:
    return load_iris(return_X_y=True)


@pytest.fixture
def place(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/studies.db"


def load(place: str, name: str) -> optuna.Study:
    return optuna.load_study(study_name=name, storage=place)


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.trials]


@pytest.mark.parametrize(
    "sampler",
    [
        "brute-force",
        "grid",
        optuna.samplers.BruteForceSampler(seed=0),
        optuna.samplers.GridSampler(
            {"n_neighbors": [1, 2, 3], "weights": ["uniform", "distance"]}, seed=0
        ),
    ],
    ids=lambda own: own if isinstance(own, str) else type(own).__name__,
)
def test_an_exhausted_sampler_ends_the_search_with_what_there_is(sampler: Any, iris: Any) -> None:
    own = search(NEIGHBORS, KNeighborsClassifier(), sampler=sampler, n_trials=20).fit(*iris)
    points = {tuple(params.values()) for params in own.cv_results_["params"]}
    assert len(own.cv_results_["params"]) == len(points) == 6
    assert states(own.study_)[:6] == ["COMPLETE"] * 6
    assert own.best_score_ == own.cv_results_["mean_test_score"].max()


def test_a_study_of_the_command_line_is_refused_and_left_as_it_is(place: str, iris: Any) -> None:
    prepare(place, name="taken")
    before = load(place, "taken").trials
    with pytest.raises(ValueError, match=r"'taken'.*holds another:[\s\S]*data\.uri: stored "):
        search(storage=place, study_name="taken").fit(*iris)
    assert load(place, "taken").trials == before


@pytest.mark.parametrize("direction", list(optuna.study.StudyDirection)[1:])
def test_a_study_that_something_else_made_is_refused(
    direction: optuna.study.StudyDirection, place: str, iris: Any
) -> None:
    optuna.create_study(study_name="other", storage=place, direction=direction)
    with pytest.raises(ValueError, match=r"something else made it. Available: another study_name"):
        search(storage=place, study_name="other").fit(*iris)
    assert load(place, "other").trials == []


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"cv": 4}, r"search\.splits: stored .3 splits, .*given .4 splits, "),
        ({"scoring": "f1_macro"}, r"objective\.metric: stored .maximize:accuracy., given .*f1_ma"),
        ({"estimator": GaussianNB(priors=[0.2, 0.4, 0.4])}, r"search\.estimator\.priors:"),
        ({"space": {"var_smoothing": FloatDistribution(0.1, 1)}}, r"space\.params\.var_smoothing"),
        ({"sampler": "tpe"}, r"sampler\.name: stored .random., given .tpe."),
        (
            {"sampler": optuna.samplers.RandomSampler()},
            r"sampler\.name: stored .random., given .cust",
        ),
        ({"random_state": 2}, r"seed: stored"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_going_on_with_another_search_is_refused_with_the_differences(
    changes: dict[str, Any], difference: str, place: str, iris: Any
) -> None:
    search(storage=place, study_name="one", scoring="accuracy").fit(*iris)
    changed = search(**{"storage": place, "study_name": "one", "scoring": "accuracy", **changes})
    with pytest.raises(ValueError, match=difference):
        changed.fit(*iris)
    assert len(load(place, "one").trials) == 3


def test_other_rows_or_targets_are_refused(place: str, iris: Any) -> None:
    X, y = iris
    search(storage=place, study_name="one").fit(X, y)
    with pytest.raises(ValueError, match=r"search\.X: stored .150x4 "):
        search(storage=place, study_name="one").fit(X + 1, y)
    with pytest.raises(ValueError, match=r"search\.y: stored"):
        search(storage=place, study_name="one").fit(X, y[::-1])
    with pytest.raises(ValueError, match=r"search\.parameters of fit: stored nothing"):
        search(storage=place, study_name="one").fit(X, y, sample_weight=np.ones(len(y)))
    same = np.asfortranarray(X.copy())
    assert len(search(storage=place, study_name="one").fit(same, y).study_.trials) == 6


def test_a_nested_search_needs_a_study_for_each_fold(place: str, iris: Any) -> None:
    named = search(storage=place, study_name="nested")
    with pytest.raises(ValueError, match=r"None for a study of its own .as the searches of a nest"):
        cross_val_score(named, *iris, cv=3, error_score="raise")
    assert len(load(place, "nested").trials) == 3
    scores = cross_val_score(named.set_params(study_name=None), *iris, cv=3)
    assert np.isfinite(scores).all()
    assert len(optuna.get_all_study_names(place)) == 4


def test_values_that_json_does_not_hold_go_on(place: str, iris: Any) -> None:
    values: Any = [None, (0.3, 0.3, 0.4), (0.2, 0.4, 0.4)]
    numbers: Any = [np.float32(0.5), np.float64(0.25)]
    space = {
        "priors": CategoricalDistribution(values),
        "var_smoothing": CategoricalDistribution(numbers),
    }
    own = search(space, storage=place, study_name="tuples", n_trials=6).fit(*iris)
    more = search(space, storage=place, study_name="tuples", n_trials=6).fit(*iris)
    assert more.cv_results_["params"][:6] == own.cv_results_["params"]
    priors = {params["priors"] for params in more.cv_results_["params"]}
    assert priors <= {None, (0.3, 0.3, 0.4), (0.2, 0.4, 0.4)}
    assert len(priors) > 1


class Failing(optuna.samplers.RandomSampler):
    """Fails from its third trial on."""

    def __init__(self, after: int) -> None:
        super().__init__(seed=0)
        self.after = after

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, name: str, kind: BaseDistribution
    ) -> Any:
        self.after -= 1
        if self.after < 0:
            raise RuntimeError("nothing to draw")
        return super().sample_independent(study, trial, name, kind)


def test_a_sampler_that_fails_leaves_nothing_running(iris: Any) -> None:
    with pytest.warns(FitFailedWarning, match="nothing to draw"):
        own = search(sampler=Failing(2)).fit(*iris)
    assert set(states(own.study_)) == {"COMPLETE", "FAIL"}
    assert own.cv_results_["trial_state"].tolist() == ["complete", "complete", "failed"]
    failed = own.study_.trials[-1]
    assert failed.user_attrs[records.CAUSE] == "RuntimeError: nothing to draw"
    with pytest.raises(ValueError, match=r"All the 9 fits failed[\s\S]*nothing to draw"):
        search(sampler=Failing(0)).fit(*iris)


def test_points_that_are_given_in_part_draw_different_rests(place: str, iris: Any) -> None:
    own = search(NEIGHBORS | {"p": FloatDistribution(1, 9)}, KNeighborsClassifier(), n_trials=1)
    own.set_params(storage=place, study_name="points").fit(*iris)
    for _ in range(3):
        load(place, "points").enqueue_trial({"n_neighbors": 2})
    own.set_params(n_trials=3).fit(*iris)
    params = own.cv_results_["params"][1:]
    assert [each["n_neighbors"] for each in params] == [2, 2, 2]
    assert len({each["p"] for each in params}) == 3


def test_the_best_of_an_earlier_fit_is_kept(place: str, iris: Any) -> None:
    own = search(storage=place, study_name="best", n_trials=5)
    first = own.fit(*iris).best_score_
    own.set_params(n_trials=1).fit(*iris)
    assert len(own.cv_results_["params"]) == 6
    assert own.best_score_ == own.cv_results_["mean_test_score"].max() >= first


class Rude(ClassifierMixin, BaseEstimator):
    """Raises what it is told to."""

    calls = 0

    def __init__(self, a: float = 0.0, interrupt_at: int = 0) -> None:
        self.a = a
        self.interrupt_at = interrupt_at

    def fit(self, X: Any, y: Any) -> Rude:
        Rude.calls += 1
        if Rude.calls == self.interrupt_at:
            raise KeyboardInterrupt
        if self.a > 0.5:
            raise ArithmeticError("a is above a half")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X), int)


def test_causes_are_stored(place: str, iris: Any) -> None:
    own = search({"a": FloatDistribution(0, 1)}, Rude(), storage=place, study_name="c", n_trials=8)
    with pytest.warns(FitFailedWarning, match="ArithmeticError: a is above a half"):
        own.fit(*iris)
    for trial in load(place, "c").trials:
        failed = trial.params["a"] > 0.5
        assert (trial.state.name == "FAIL") == failed
        cause = trial.user_attrs.get(records.CAUSE)
        assert cause == ("split 0: ArithmeticError: a is above a half" if failed else None)
    assert len(load(place, "c").trials) == 8, "nothing was tried again"


def test_error_score_raise_raises_what_the_fit_raised(iris: Any) -> None:
    own = search({"a": FloatDistribution(0.6, 1)}, Rude(), error_score="raise")
    with pytest.raises(ArithmeticError, match="above a half"):
        own.fit(*iris)


def test_an_interrupted_search_is_gone_on_with(
    place: str, iris: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rude, "calls", 0)
    space = {"a": FloatDistribution(0, 0.5)}
    own = search(space, Rude(interrupt_at=5), storage=place, study_name="i")
    with pytest.raises(KeyboardInterrupt):
        own.fit(*iris)
    assert states(load(place, "i")) == ["COMPLETE", "WAITING", "WAITING"]
    own.set_params(n_trials=2).fit(*iris)
    assert states(load(place, "i")) == ["COMPLETE"] * 3


def test_the_time_is_limited_between_splits_too(
    place: str, iris: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rude, "calls", 0)
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began + Rude.calls)  # a second a fit
    space = {"a": FloatDistribution(0, 0.5)}
    own = search(space, Rude(), n_trials=5, timeout=7, storage=place, study_name="t").fit(*iris)
    assert Rude.calls == 7 + 1, "two trials, a split of a third, and the best one again"
    assert len(own.cv_results_["params"]) == 2
    assert states(load(place, "t")) == ["COMPLETE"] * 2 + ["WAITING"] * 3
    with pytest.raises(ValueError, match="none did before the time was up"):
        search(space, Rude(), timeout=2).fit(*iris)


class Never(optuna.pruners.BasePruner):
    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        return True


def test_no_complete_trial_is_an_error_with_the_causes(iris: Any) -> None:
    from tests.sklearn.test_search_study import classifier

    own = search({"momentum": FloatDistribution(0, 0.9)}, classifier(), pruner=Never())
    with pytest.raises(ValueError, match=r"none of 3 is .3 trials: pruned by .* epoch 1 of 3"):
        own.fit(*iris)
    assert states(own.study_) == ["PRUNED"] * 3
    assert not hasattr(own, "best_params_")


def test_several_metrics_are_stored_and_read_again(place: str, iris: Any) -> None:
    settings: Mapping[str, Any] = {
        "scoring": ["accuracy", "neg_log_loss"],
        "refit": "neg_log_loss",
        "return_train_score": True,
        "storage": place,
        "study_name": "m",
    }
    own = search(**settings).fit(*iris)
    more = search(**settings, n_trials=1).fit(*iris)
    for name, column in own.cv_results_.items():
        if name.startswith(("split", "mean_", "std_")):
            np.testing.assert_array_equal(column, more.cv_results_[name][:3])
    values = [trial.value for trial in load(place, "m").trials]
    np.testing.assert_allclose(values, more.cv_results_["mean_test_neg_log_loss"])


def test_the_command_line_shows_such_a_study_and_refuses_to_work_on_it(
    place: str, iris: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*command: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as end:
            main(list(command))
        told = capsys.readouterr()
        assert (end.value.code or 0) == code, told
        return told.out + told.err

    own = search(storage=place, study_name="shown", scoring="neg_log_loss").fit(*iris)
    where = ("--storage", place)
    assert "maximize:neg_log_loss" in run("studies", "list", *where)
    best = run("best", "shown", *where)
    assert f"{own.best_score_:.4f}"[:6] in best
    assert "var_smoothing" in run("results", "shown", *where)
    assert "split0_test_score" in run("results", "shown", "--cv-results", *where)
    for command in (["resume", "shown"], ["worker", "--name", "shown"]):
        told = run(*command, *where, code=2)
        assert "are in the Python program that searches over GaussianNB" in told
    told = run("export", "shown", "--out", str(Path(place[10:]).parent / "model"), *where, code=2)
    assert "are in the Python program" in told
    assert len(load(place, "shown").trials) == 3


class Waiting(GaussianNB):
    """Fits that begin with a file of their process's number, and go on once there is one `go`."""

    def __init__(self, folder: str = "", var_smoothing: float = 1e-9) -> None:
        self.folder = folder
        super().__init__(var_smoothing=var_smoothing)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Path(self.folder, str(os.getpid())).touch()
        while not Path(self.folder, "go").exists():
            time.sleep(0.05)
        return super().fit(X, y, sample_weight)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_killed_process_of_n_jobs_loses_nothing(
    kind: str, iris: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = request.getfixturevalue(kind)
    killed: list[int] = []

    def kill_the_first() -> None:
        while not killed:
            for file in tmp_path.glob("[0-9]*"):
                killed.append(int(file.name))
                os.kill(killed[0], signal.SIGKILL)
                break
            time.sleep(0.05)
        (tmp_path / "go").touch()

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    own = search(
        estimator=Waiting(str(tmp_path)), n_trials=6, n_jobs=2, storage=place, study_name="n"
    ).fit(*iris)
    killer.join()
    assert killed[0] != os.getpid()
    assert len(list(tmp_path.glob("[0-9]*"))) >= 2
    alone = search(n_trials=6).fit(*iris)
    done = [t for t in load(place, "n").trials if t.state.name == "COMPLETE"]
    assert len(done) == 6
    assert scores_by_params(own) == scores_by_params(alone)


def scores_by_params(own: StudySearchCV) -> dict[str, float]:
    names = map(repr, own.cv_results_["params"])
    return dict(zip(names, own.cv_results_["mean_test_score"], strict=True))
