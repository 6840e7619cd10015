"""Data: a URI to a `Dataset`, a `Dataset` to folds of row numbers, scaling fitted per fold."""

from typing import TYPE_CHECKING

from tuner.lazy import lazy

if TYPE_CHECKING:
    from tuner.data.columns.scaling import Scaling as Scaling
    from tuner.data.dataset import Dataset as Dataset
    from tuner.data.dataset import Fold as Fold
    from tuner.data.dataset import Task as Task
    from tuner.data.folds import FoldSpec as FoldSpec
    from tuner.data.folds import make_folds as make_folds
    from tuner.data.load import load_dataset as load_dataset
    from tuner.data.rows import Rows as Rows
    from tuner.data.rows import load_rows as load_rows
    from tuner.data.scaling import fit_scaling as fit_scaling
    from tuner.data.scaling import fit_target_scaling as fit_target_scaling

__getattr__ = lazy(
    __name__,
    {
        "Dataset": "dataset",
        "Fold": "dataset",
        "Task": "dataset",
        "FoldSpec": "folds",
        "make_folds": "folds",
        "load_dataset": "load",
        "Rows": "rows",
        "load_rows": "rows",
        "Scaling": "columns.scaling",
        "fit_scaling": "scaling",
        "fit_target_scaling": "scaling",
    },
)
