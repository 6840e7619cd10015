"""Public tables as they are downloaded, by the command that a person would write.

They lie beside the repository and are not part of it; without them these tests are skipped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuner.data import FoldSpec, load_dataset, make_folds

TABLES = Path(__file__).parents[3] / "shared/data/tables"

#: File, target, task, rows with a target, what must be said.
CASES = [
    ("titanic.csv", "Survived", "binary", 891, "PassengerId"),
    ("california_housing.csv", "median_house_value", "regression", 4000, ""),
    ("telco_churn.csv", "Churn", "binary", 3000, "customerID"),
    ("adult_no_header.csv", "-1", "binary", 6000, "the first line names no columns"),
    ("bank_semicolon.csv", "y", "binary", 3000, "semicolons"),
    ("cleveland_question_marks.csv", "num", "multiclass", 303, ""),
    ("auto_mpg_gaps.csv", "mpg", "regression", 398, ""),
    ("german_credit_spaces.data", "CLASSIFICATION", "binary", 1000, "spaces"),
    ("banknote_no_header.csv", "-1", "binary", 1372, "the first line names no columns"),
    ("boston_fixed_width.data", "-1", "regression", 506, "the first line names no columns"),
    ("horse_colic_no_header.csv", "24", "binary", 300, "the first line names no columns"),
    ("ames.csv", "SalePrice", "regression", 2897, "33 of 2930 rows without a target"),
    ("gdp_latin1.csv", "2015", "regression", 187, "commas are read between thousands"),
    ("iris_with_class_id.csv", "species", "multiclass", 150, "species_id"),
    ("mammography_imbalanced_no_header.csv", "-1", "binary", 11183, ""),
    ("wine_red_integer_quality.csv", "-1", "", 1599, "lost their decimal points"),
]


@pytest.mark.parametrize(("file", "target", "task", "rows", "said"), CASES)
def test_a_table_as_downloaded_is_read(
    file: str, target: str, task: str, rows: int, said: str
) -> None:
    if not (TABLES / file).exists():
        pytest.skip("needs the public tables in ../shared/data/tables")
    dataset = load_dataset(f"csv:{TABLES / file}", target=target)
    assert task in ("", dataset.task)
    assert len(dataset.x) == rows
    assert said in "; ".join(dataset.remarks)
    assert np.isfinite(dataset.y).all()
    folds = make_folds(dataset, FoldSpec(k=5, shuffle=True))
    assert sum(len(fold.validation) for fold in folds) == rows
