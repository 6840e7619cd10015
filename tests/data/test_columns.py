"""Every fold's inputs are those of scikit-learn's ColumnTransformer fitted on its training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from tuner.data.columns.column import MOST_LEVELS, CategoryColumn, DateColumn, NumberColumn
from tuner.data.columns.encoding import TableEncoding
from tuner.data.columns.fitting import fit_columns
from tuner.data.columns.infer import find_columns
from tuner.data.dataset import Dataset
from tuner.errors import DataError

SCALERS: dict[str, Any] = {
    "none": FunctionTransformer(),
    "standard": StandardScaler(),
    "minmax": MinMaxScaler(),
    "robust": make_pipeline(
        RobustScaler(), FunctionTransformer(lambda v: v / np.sqrt(1 + (v / 3) ** 2))
    ),
}


def encoding_of(frame: pd.DataFrame, **settings: int) -> TableEncoding:
    kept = [found.column for found in find_columns(frame) if found.column is not None]
    return TableEncoding(columns=tuple(kept), **settings)


def inputs(encoding: TableEncoding, frame: pd.DataFrame, rows: Any, scaling: str) -> pd.DataFrame:
    """What a network of a fold with these training rows sees of all rows, by name."""
    x = encoding.encode(frame)
    fitted = fit_columns(encoding, x, rows, scaling)
    values = x.astype(np.float64) * fitted.scale + fitted.shift
    if fitted.fill is not None:
        values = np.where(np.isnan(values), fitted.fill, values)
    if fitted.clip is not None:
        values = values / np.sqrt(1 + (values * fitted.clip) ** 2)
    shared = []
    for _, place, levels in encoding.shared:
        assert fitted.rare is not None
        shared.append(fitted.rare[levels.start + x[:, place].argmax(axis=1)])
    return pd.DataFrame(np.column_stack([values, *shared]), columns=list(encoding.outputs))


def expected(
    encoding: TableEncoding, frame: pd.DataFrame, rows: Any, scaling: str
) -> dict[str, NDArray[np.floating]]:
    """By scikit-learn, under our names; of gaps, whose levels are empty text, under `missing`."""
    parts, named = [], []
    for column in encoding.columns:
        if column.kind == "category":
            most = (encoding.min_frequency, encoding.max_categories) if column.shared else (1, None)
            coded = OneHotEncoder(
                handle_unknown="infrequent_if_exist",
                min_frequency=most[0],
                max_categories=most[1],
                sparse_output=False,
            )
            frame = frame.assign(**{column.name: frame[column.name].fillna("")})
            parts.append((column.name, make_pipeline(coded), [column.name]))
        else:
            filled = SimpleImputer(strategy="median")
            parts.append((column.name, make_pipeline(filled, SCALERS[scaling]), [column.name]))
            gaps = SimpleImputer(strategy="median", add_indicator=True)
            parts.append((f"{column.name} missing", gaps, [column.name]))
    fitted = ColumnTransformer(parts).fit(frame.iloc[rows])
    whole = fitted.transform(frame)
    for name, own, _ in fitted.transformers_:
        values = whole[:, fitted.output_indices_[name]]
        if name.endswith(" missing"):
            named += [(name, values[:, 1])] if values.shape[1] == 2 else []
        elif values.shape[1] == 1 and not hasattr(own[-1], "categories_"):
            named.append((name, values[:, 0]))
        elif hasattr(own[-1], "categories_"):
            labels = own[-1].get_feature_names_out()
            for label, column_values in zip(labels, values.T, strict=True):
                level = label.removeprefix(f"{name}_").replace("infrequent_sklearn", "rare")
                named.append((f"{name}={level or 'missing'}", column_values))
    return dict(named)


def test_of_too_many_levels_the_rare_ones_are_not_listed() -> None:
    rng = np.random.default_rng(0)
    common = np.repeat([f"c{i}" for i in range(60)], 20)
    seldom = np.repeat([f"s{i}" for i in range(400)], 2)
    frame = pd.DataFrame({"town": rng.permutation(np.concatenate([common, seldom]))})
    encoding = encoding_of(frame)
    [column] = encoding.columns
    assert isinstance(column, CategoryColumn)
    assert len(column.levels) == MOST_LEVELS
    rows = np.flatnonzero(rng.random(len(frame)) < 0.8)
    x = encoding.encode(frame)
    own = encoding.inputs(x, fit_columns(encoding, x, rows, "robust"))
    coded = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, max_categories=50)
    theirs = coded.fit(frame.iloc[rows]).transform(frame).toarray()
    np.testing.assert_array_equal(own[:, -1], theirs[:, -1])
    np.testing.assert_array_equal(own.sum(axis=0)[own.any(axis=0)], theirs.sum(axis=0))
    data = Dataset(uri="", x=x, y=x[:, 0], task="regression", hash="", encoding=encoding)
    fitted = fit_columns(encoding, x, rows, "robust")
    assert fitted.rare is not None
    np.testing.assert_array_equal(fitted.rare[data.level_codes()[:, 0]], theirs[:, -1])


@st.composite
def mixed_tables(draw: st.DrawFn) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    rows = draw(st.integers(24, 80))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    scale = 10.0 ** draw(st.integers(-6, 9))
    levels = draw(st.integers(2, 12))
    odds = rng.dirichlet(np.full(levels, 0.5))
    frame = pd.DataFrame(
        {
            "heavy": rng.standard_cauchy(rows) * scale + draw(st.integers(-3000, 3000)) * scale,
            "whole": rng.integers(0, 6, rows).astype(float),
            "level": rng.choice([f"l{i}" for i in range(levels)], rows, p=odds).astype(object),
            "answer": rng.choice(["yes", "no"], rows).astype(object),
        }
    )
    for name in draw(st.lists(st.sampled_from(list(frame)), unique=True)):
        frame.loc[rng.random(rows) < draw(st.sampled_from([0.05, 0.3, 0.8])), name] = None
    training = np.flatnonzero(rng.random(rows) < draw(st.sampled_from([0.5, 0.8])))
    return frame, np.append(training, 0) if len(training) < 2 else training


def flat(numbers: pd.Series) -> bool:
    filled = numbers.fillna(numbers.median())
    return bool(filled.quantile(0.25) == filled.quantile(0.75))


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(mixed_tables(), st.sampled_from(sorted(SCALERS)), st.integers(2, 8))
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_a_folds_inputs_are_those_of_a_column_transformer(
    table: tuple[pd.DataFrame, NDArray[np.intp]], scaling: str, most: int
) -> None:
    frame, rows = table
    encoding = encoding_of(frame, min_frequency=3, max_categories=most)
    frame = frame[[column.name for column in encoding.columns]]
    if not len(frame.columns):
        return
    own, theirs = inputs(encoding, frame, rows, scaling), expected(encoding, frame, rows, scaling)
    for name, values in theirs.items():
        if scaling == "robust" and name in frame and flat(frame[name].iloc[rows]):
            continue  # without an interquartile range we take the range, and RobustScaler one unit
        np.testing.assert_allclose(own[name], values, rtol=1e-6, atol=1e-6, err_msg=name)
    for name in set(own) - set(theirs):
        assert not own[name].any(), f"scikit-learn has no {name} in this fold"


@pytest.mark.parametrize(
    ("column", "rows", "message"),
    [
        (NumberColumn(name="size"), [1, "q", "3"], "size was trained on as numbers; received 'q'"),
        (DateColumn(name="day"), ["2020-01-01", None], "day was trained on as dates.*'2020-01-01'"),
    ],
)
def test_values_of_another_kind_are_no_gaps(column: Any, rows: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        column.raw(pd.Series(rows, dtype=object))
    assert np.isnan(column.raw(pd.Series([None, None], dtype=object))).all()


def test_numbers_are_what_is_neither_a_category_nor_a_mark_of_a_gap() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "when": pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.permutation(60), unit="h"),
            "town": rng.choice(["Bern", "Chur", "Genf"], 60),
            "size": rng.normal(size=60),
            "weight": rng.normal(size=60),
        }
    )
    frame.loc[3:9, ["size", "when"]] = None
    encoding = encoding_of(frame)
    found = [encoding.outputs[number] for number in encoding.numbers]
    assert {"size", "weight", "when days"} < set(found)
    others = {"size missing", "when missing", "town=rare", *(f"town={t}" for t in ("Bern", "Chur"))}
    assert others < set(encoding.outputs) - set(found)
    assert not any("=" in name or "missing" in name for name in found)
