"""Metrics, samplers and pruners that are objects of the program, and not names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner.code.spec import PRUNER, SAMPLER
from tuner.errors import UsageError
from tuner.planning.metrics import METRICS, is_own_metric, metric_name
from tuner.planning.own_metric import OwnMetric, metric
from tuner.study.by_object import CustomSampler
from tuner.study.own_code import metric_parts
from tuner.study.pruners import CustomPruner, Pruner
from tuner.study.samplers import require_packages_of
from tuner.text import quoted

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

    from tuner.study.sampler import Sampler

#: A name, a function of predictions, a scorer of scikit-learn's, or what `tuner.metric` made.
Metric = str | OwnMetric | Callable[..., Any]


@dataclass(frozen=True)
class OwnObjects:
    """What a definition holds of the objects, and the objects.

    Attributes:
        metrics: as definitions name them, in order.
        sampler, pruner: a name, or what stands for the object.
        parts: of the study's code.
    """

    metrics: tuple[str, ...]
    sampler: str | Sampler | None
    pruner: str | Pruner | None
    parts: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        metrics: Metric | Sequence[Metric],
        sampler: str | BaseSampler | None,
        pruner: str | BasePruner | None,
    ) -> OwnObjects:
        """Raises `UsageError` for what is none of these."""
        several = metrics if isinstance(metrics, list | tuple) else (metrics,)
        own = [given if _is_named(given) else metric(given) for given in several]
        names = [given.key if isinstance(given, OwnMetric) else str(given) for given in own]
        twice = [name for name in names if is_own_metric(name) and names.count(name) > 1]
        if twice:
            raise UsageError(
                f"every metric has a name of its own; received {quoted(twice[0])} more than once. "
                "Available: tuner.metric(..., name=)"
            )
        parts: dict[str, Any] = metric_parts([m for m in own if isinstance(m, OwnMetric)])
        named_sampler: str | Sampler | None
        named_pruner: str | Pruner | None
        if sampler is None or isinstance(sampler, str):
            named_sampler = sampler
        else:
            parts[SAMPLER] = _of_optuna(sampler, "BaseSampler", "samplers", "tpe")
            named_sampler = CustomSampler.of(sampler)
            require_packages_of(sampler)
        if pruner is None or isinstance(pruner, str):
            named_pruner = pruner
        else:
            parts[PRUNER] = _of_optuna(pruner, "BasePruner", "pruners", "median")
            named_pruner = CustomPruner(type=type(pruner).__qualname__)
        return cls(tuple(names), named_sampler, named_pruner, parts)

    def name(self, given: str | None) -> str | None:
        """A metric as the definition names it, which may be given without its direction."""
        mine = [name for name in self.metrics if is_own_metric(name)]
        return next((name for name in mine if name.partition(":")[2] == given), given)


def _is_named(given: object) -> bool:
    """Whether it is a name of the table, or of no scorer either, which the definition refuses."""
    if not isinstance(given, str):
        return False
    if metric_name(given) in METRICS or is_own_metric(given):
        return True
    from sklearn.metrics import get_scorer_names

    return given not in get_scorer_names()


def _of_optuna(given: Any, base: str, module: str, example: str) -> Any:
    import optuna

    if not isinstance(given, getattr(getattr(optuna, module), base)):
        raise UsageError(
            f"{module[:-1]} is a name or an object of optuna.{module}; received {quoted(given)}. "
            f"Available: {example!r}, or an object, not its class"
        )
    return given
