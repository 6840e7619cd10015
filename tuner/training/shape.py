"""What a trace depends on: candidates of equal `StackShape` can share a stack, and a trace."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.data.dataset import Task
from tuner.optimizers import CLIPPING, OPTIMIZERS
from tuner.planning.plan import TrainingPlan


@dataclass(frozen=True)
class StackShape:
    """The static part of a plan. Everything else enters the graph as data."""

    features: int
    outputs: int
    units: tuple[int, ...]
    activation: str
    task: Task
    loss: str
    label_smoothing: bool
    dropout: bool
    batch_norm: bool
    regularized: bool
    optimizer: str
    switches: tuple[tuple[str, bool], ...]
    clip: str | None
    weight_decay: bool

    @classmethod
    def of(cls, plan: TrainingPlan, task: Task) -> StackShape:
        model, settings = plan.model, dict(plan.optimizer.settings)
        switches = OPTIMIZERS[plan.optimizer.name].switches
        return cls(
            features=model.features,
            outputs=model.outputs,
            units=model.units,
            activation=model.activation,
            task=task,
            loss=plan.loss.name,
            label_smoothing=plan.loss.label_smoothing > 0,
            dropout=model.dropout > 0 and len(model.units) > 0,
            batch_norm=model.batch_norm,
            regularized=model.l1 > 0 or model.l2 > 0,
            optimizer=plan.optimizer.name,
            switches=tuple((name, bool(settings[name])) for name in switches),
            clip=next((name for name in CLIPPING if settings.get(name) is not None), None),
            weight_decay=settings.get("weight_decay") is not None,
        )
