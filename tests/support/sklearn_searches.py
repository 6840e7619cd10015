"""Stock and stacked searches side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tuner.training import Trainer

Results = dict[str, Any]


def digits(rows: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return (X / 16.0)[:rows], y[:rows]


class Stacks:
    """Records what was trained in stacks: the number of networks and epochs of each."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.networks: list[int] = []
        self.epochs: list[int] = []
        original = Trainer.train

        def recorded(trainer: Trainer, plans: Any, *args: Any, **kwargs: Any) -> Any:
            self.networks.append(len(plans) * len(trainer.folds))
            self.epochs.append(max(plan.epochs for plan in plans))
            return original(trainer, plans, *args, **kwargs)

        patch.setattr(Trainer, "train", recorded)


def same_results(ours: Results, stock: Results, rows: int, *, atol: float = 1e-4) -> None:
    """The same table: equal params, ranks, and scores, accuracies within one row of a split."""
    assert set(ours) == set(stock)
    for mine, theirs in zip(ours["params"], stock["params"], strict=True):
        assert {name: str(value) for name, value in mine.items()} == {
            name: str(value) for name, value in theirs.items()
        }
    for key, theirs in stock.items():
        if key == "params" or key.endswith("_time"):
            continue
        if key.startswith("param_"):
            assert ours[key].tolist() == theirs.tolist()
        elif key.startswith("rank_"):
            np.testing.assert_array_equal(ours[key], theirs, err_msg=key)
        else:
            one_row = 1.0 / rows if key.endswith(("accuracy", "_score")) else 0.0
            np.testing.assert_allclose(
                ours[key], theirs, rtol=0, atol=max(atol, one_row + 1e-9), err_msg=key
            )
