"""`categorical_features`: tables of text, categories, dates and gaps straight into an estimator."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.support.sklearn_searches import Stacks, same_results
from tuner.errors import UsageError
from tuner.export.scores import predict
from tuner.sklearn import KerasMLPClassifier, KerasMLPRegressor, StackedGridSearchCV

SMALL: dict[str, Any] = {
    "hidden_layer_sizes": (8,),
    "random_state": 0,
    "learning_rate": 0.02,
    "epochs": 3,
}
TABLE: dict[str, Any] = {**SMALL, "categorical_features": "from_dtype"}


def people(rows: int = 120, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of every kind of column, and whom the text and the number decide on."""
    rng = np.random.default_rng(seed)
    age = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(40, 12, rows))
    sex = rng.choice(["female", "male"], rows)
    frame = pd.DataFrame(
        {
            "age": age,
            "sex": sex,
            "port": pd.Categorical(rng.choice(["C", "Q", "S"], rows)),
            "alone": rng.random(rows) < 0.5,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, rows), "D"),
            "deck": np.where(rng.random(rows) < 0.5, None, rng.choice(["A", "B"], rows)),
        }
    )
    y = np.where((sex == "female") | (np.nan_to_num(age, nan=40) < 25), "yes", "no")
    return frame, y


X, Y = people()


def test_a_table_goes_straight_in_and_new_rows_are_answered() -> None:
    model = KerasMLPClassifier(**TABLE | {"epochs": 20}).fit(X, Y)
    assert model.score(X, Y) > 0.9
    assert model.feature_names_in_.tolist() == list(X)
    assert model.n_features_in_ == 6
    assert model.is_categorical_.tolist() == [False, True, True, True, False, True]
    assert model.input_names_[:4] == ["age", "age missing", "sex=female", "sex=male"]
    assert len(model.input_names_) == len(model.coefs_[0])
    new = X.head(4).assign(
        sex=["male", "unheard of", None, "female"], port=pd.Categorical(["Z", "C", None, "S"])
    )
    new.loc[0, ["age", "day"]] = None
    answers = model.predict_proba(new)
    assert np.isfinite(answers).all()
    # Of all gaps, too, whatever type pandas gives such columns.
    assert model.predict(pd.DataFrame([[None] * 6], columns=list(X))).shape == (1,)


def test_medians_and_levels_are_those_of_the_rows_of_the_fit() -> None:
    model = KerasMLPRegressor(**TABLE).fit(X[["age", "sex"]], np.arange(120.0))
    rows = pd.DataFrame({"age": [np.nan, X["age"].median()], "sex": ["male", "male"]})
    assert model.input_names_[1] == "age missing"
    marked, median = model.predict(rows)
    assert marked != pytest.approx(median, rel=1e-6)
    model.coefs_[0][1] = 0
    filled, median = model.predict(rows)
    assert filled == pytest.approx(median, rel=1e-6)


def test_arrays_of_numbers_train_as_before_without_it() -> None:
    x = X[["age"]].fillna(0.0).to_numpy()
    same = KerasMLPClassifier(**SMALL).fit(x, Y)
    as_frame = KerasMLPClassifier(**SMALL).fit(pd.DataFrame(x, columns=["age"]), Y)
    np.testing.assert_array_equal(same.coefs_[0], as_frame.coefs_[0])
    assert not hasattr(same, "is_categorical_")
    assert same.input_names_ == ["x0"]


@pytest.mark.parametrize("column", ["sex", "port", "day", "deck"])
def test_a_table_of_text_without_it_is_told_of_it(column: str) -> None:
    for y, kind in ((Y, KerasMLPClassifier), (np.arange(120), KerasMLPRegressor)):
        with pytest.raises(ValueError, match=rf"'{column}' holds .*'from_dtype', which") as caught:
            kind(**SMALL).fit(X[["alone", column]], y)
        assert isinstance(caught.value, UsageError)


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [["sex", "port"], [1, 2], (False, True, True), np.array([1, 2]), pd.Index(["sex", "port"])],
)
def test_categories_by_name_number_or_mask(given: Any) -> None:
    rows = X[["age", "sex", "port"]]
    model = KerasMLPClassifier(**SMALL, categorical_features=given).fit(rows, Y)
    same = KerasMLPClassifier(**TABLE).fit(rows, Y)
    np.testing.assert_array_equal(model.predict_proba(rows), same.predict_proba(rows))
    peer = HistGradientBoostingClassifier(categorical_features=given).fit(rows, Y)
    assert model.is_categorical_.tolist() == peer.is_categorical_.tolist()


def test_arrays_have_numbers_of_columns() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=60), rng.integers(0, 3, 60)])
    x[::7, 0] = np.nan
    y = (x[:, 1] == 1).astype(int)
    model = KerasMLPClassifier(**SMALL, categorical_features=[1]).fit(x, y)
    assert model.input_names_ == ["x0", "x0 missing", "x1=0", "x1=1", "x1=2", "x1=rare"]
    np.testing.assert_array_equal(model.predict_proba(x), model.predict_proba(x.tolist()))
    numbers = KerasMLPClassifier(**TABLE).fit(csr_array(np.nan_to_num(x)), y)
    assert numbers.input_names_ == ["x0", "x1"]
    texts = x.astype(object)
    texts[:, 1] = np.array(["a", "b", "c"])[x[:, 1].astype(int)]
    assert KerasMLPClassifier(**TABLE).fit(texts, y).input_names_[2:5] == ["x1=a", "x1=b", "x1=c"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("auto", r"must be None, 'from_dtype', or .*; got 'auto'"),
        (["sexx"], r"must be columns of X; got 'sexx'\. Available: age, sex"),
        ([9], r"must be columns of X; got 9\. Available: .*, or 0 to 5"),
        ([-1], r"must be columns of X; got -1"),
        ([True], r"must have a value a column, 6; got 1"),
        (3, r"must be None, 'from_dtype', or .*; got 3"),
        (["sex"], r"must name every column that holds no numbers; got none for 'port'"),
    ],
)
def test_bad_choices_are_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^categorical_features {message}|mask .*{message}"):
        KerasMLPClassifier(**SMALL, categorical_features=given).fit(X, Y)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_bad_rows_are_refused() -> None:
    model = KerasMLPClassifier(**TABLE)
    for rows, message in [
        (X.assign(age=np.inf), "must be finite; column age holds inf"),
        (X.assign(deck=[[1]] * 120), "deck of X holds values of the type list"),
        (X.iloc[:0], r"X must have rows and columns; got \(0, 6\)"),
        (X[["age", "age"]], "unique column names"),
        (pd.DataFrame({"name": map(str, range(120))}), "every column of X is left out: name"),
        (X.head(3), "inconsistent numbers of samples"),
    ]:
        with pytest.raises(ValueError, match=message):
            clone(model).fit(rows, Y)
    model.fit(X, Y)
    for rows, message in [
        (X.assign(age="old"), "must hold what it held in fit; age held numbers, got 'old'"),
        (X.assign(day=3), "day held dates, got '3'"),
        (X.assign(age=-np.inf), "must not contain infinity .* got some in age"),
        (X[list(X)[::-1]], "same order"),
        (X.drop(columns="sex"), "sex"),
        (X.to_numpy()[:, :3], "3 features.*expecting 6"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.predict(rows)


def test_text_that_hardly_repeats_is_left_out_with_a_word() -> None:
    named = X[["age"]].assign(name=[f"person {i}" for i in range(120)])
    with pytest.warns(UserWarning, match=r"left out name \(its text differs in every row\)"):
        model = KerasMLPClassifier(**TABLE).fit(named, Y)
    assert model.input_names_ == ["age", "age missing"]
    assert model.predict(named).shape == (120,)
    kept = KerasMLPClassifier(**TABLE).fit(named.astype({"name": "category"}), Y)
    assert len(kept.input_names_) > 120
    # Never numbers (whether they count rows may differ from fold to fold), nor text of few values.
    counted = pd.DataFrame({"id": np.arange(120)})
    assert KerasMLPClassifier(**TABLE).fit(counted, Y).input_names_ == ["id"]
    few = KerasMLPClassifier(**TABLE).fit(named.assign(age=0.0)[10:20], Y[10:20])
    assert len(few.input_names_) == 12


def test_clone_pickle_and_the_keras_model() -> None:
    model = KerasMLPClassifier(**TABLE).fit(X, Y)
    again = clone(model).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    columns = model.columns_
    assert columns is not None
    raw = columns.encoding.raw(X)
    expected = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(predict(back.model_, raw)[:, 0], expected, atol=1e-5)
    # What was fitted counts, whatever is set afterwards.
    model.set_params(categorical_features=None)
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))


def test_going_on_keeps_the_first_columns() -> None:
    model = KerasMLPClassifier(**TABLE)
    model.partial_fit(X[:60], Y[:60], classes=["no", "yes"])
    names = model.input_names_
    model.partial_fit(X[60:].assign(sex="unheard of"), Y[60:])
    assert model.input_names_ == names
    assert model.n_iter_ == 2


def test_tags_follow_the_parameter() -> None:
    tags = KerasMLPClassifier(**TABLE).__sklearn_tags__().input_tags
    assert (tags.allow_nan, tags.categorical) == (True, True)
    tags = KerasMLPClassifier().__sklearn_tags__().input_tags
    assert (tags.allow_nan, tags.categorical) == (False, False)


def test_scikit_learn_s_tools_take_it() -> None:
    model = KerasMLPClassifier(**TABLE)
    assert cross_val_score(model, X, Y, cv=2).min() > 0.4
    found = permutation_importance(model.fit(X, Y), X, Y, n_repeats=1, random_state=0)
    assert found.importances_mean.shape == (6,)
    chosen = make_column_transformer(("passthrough", ["age", "sex"]))
    piped = make_pipeline(chosen.set_output(transform="pandas"), clone(model)).fit(X, Y)
    assert piped[-1].feature_names_in_.tolist() == ["passthrough__age", "passthrough__sex"]


@pytest.mark.slow
def test_a_stacked_search_encodes_fold_by_fold_as_fit_does(monkeypatch: Any) -> None:
    stacks = Stacks(monkeypatch)
    # One level is in the last rows alone: the network of that fold has an input less.
    rows = X.assign(port=["C", "Q"] * 55 + ["S"] * 10)
    settings: dict[str, Any] = {"cv": KFold(3), "scoring": ["accuracy", "neg_log_loss"]}
    grid = {"learning_rate": [0.01, 0.1], "categorical_features": ["from_dtype"]}
    ours = StackedGridSearchCV(KerasMLPClassifier(**SMALL), grid, refit=False, **settings)
    ours.fit(rows, Y)
    assert sorted(stacks.networks) == [2, 4]
    stock = GridSearchCV(KerasMLPClassifier(**SMALL), grid, refit=False, **settings)
    stock.fit(rows, Y)
    same_results(ours.cv_results_, stock.cv_results_, rows=40)


@pytest.mark.slow
def test_a_stacked_search_over_pipelines_and_choices(monkeypatch: Any) -> None:
    stacks = Stacks(monkeypatch)
    rows, settings = X[["age", "sex"]].fillna({"age": 0.0}).replace({"female": 0, "male": 1}), {}
    rows["sex"] = rows["sex"].astype(int)
    settings = {"cv": 3, "scoring": ["accuracy", "neg_log_loss"], "refit": "accuracy"}
    grid = {"kerasmlpclassifier__categorical_features": [None, "from_dtype", ["sex"]]}
    piped = make_pipeline(FunctionTransformer(), KerasMLPClassifier(**SMALL))
    ours = StackedGridSearchCV(piped, grid, **settings).fit(rows, Y)
    assert stacks.networks == [3, 3, 3, 1]
    stock = GridSearchCV(piped, grid, **settings).fit(rows, Y)
    same_results(ours.cv_results_, stock.cv_results_, rows=40)
    np.testing.assert_allclose(ours.predict_proba(rows), stock.predict_proba(rows), atol=1e-6)


@pytest.mark.slow
def test_a_stacked_search_over_choices_reads_each_by_itself() -> None:
    rows = pd.DataFrame({"n": X["age"].fillna(0.0) / 40, "c": (X["sex"] == "male").astype(int)})
    grid = {"categorical_features": [None, ["c"]]}
    settings: dict[str, Any] = {"cv": 2, "scoring": "neg_log_loss", "refit": False}
    ours = StackedGridSearchCV(KerasMLPClassifier(**SMALL), grid, **settings).fit(rows, Y)
    stock = GridSearchCV(KerasMLPClassifier(**SMALL), grid, **settings).fit(rows, Y)
    same_results(ours.cv_results_, stock.cv_results_, rows=60)
    assert len(set(ours.cv_results_["mean_test_score"])) == 2
