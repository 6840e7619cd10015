"""The pruner of docs/search.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from tuner.study.pruners import Pruner

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


class Deadline(Pruner):
    """Stops every trial after `last` epochs."""

    name = "deadline"
    last: int = Field(default=2, ge=1)

    def build(self, epochs: int) -> BasePruner:
        from optuna.pruners import ThresholdPruner

        return ThresholdPruner(upper=-1e30, n_warmup_steps=self.last - 1)
