"""A trial's parameters to a plan that can be trained: the only way from names to types."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.data.dataset import Task
from tuner.errors import PlanError, unknown
from tuner.planning.architecture import plan_model
from tuner.planning.losses import LOSSES, plan_loss
from tuner.planning.optimizers import plan_optimizer
from tuner.planning.plan import TrainingPlan
from tuner.planning.schedules import SCHEDULES, PlateauSchedule, Schedule, WarmupSchedule
from tuner.planning.values import choice, number, whole
from tuner.spaces.catalogue import CATALOGUE
from tuner.spaces.info import Value

#: What holds where a trial leaves a parameter out; None: the optimizer's own default.
DEFAULTS: Mapping[str, object] = {name: info.default for name, info in CATALOGUE.items()}


def plan_training(
    params: Mapping[str, Value], *, features: int, outputs: int, task: Task
) -> TrainingPlan:
    """What `params` (catalogue names to values) train as, on data of that shape and task.

    A parameter that is missing or None has the catalogue's default, an optimizer's settings
    Keras's. Pure: equal params give equal plans, and plans are hashable.

    Raises PlanError for a name that does not exist, a value outside its limits, a setting that
    the chosen optimizer, schedule or loss does not have, and values that exclude each other.
    """
    given: dict[str, object] = {}
    for name, value in params.items():
        if name not in CATALOGUE:
            raise PlanError(unknown("parameter", name, CATALOGUE))
        if value is not None:
            given[name] = value
    if task not in LOSSES:
        raise PlanError(unknown("task", task, LOSSES))
    values = {**DEFAULTS, **given}
    if isinstance(values["model.units"], str):
        values["model.layers"] = given.get("model.layers")
    patience = values["early_stopping.patience"]
    return TrainingPlan(
        model=plan_model(values, features=features, outputs=outputs),
        optimizer=plan_optimizer(
            values["optimizer"], _settings_of("optimizer", given, besides="learning_rate")
        ),
        schedule=plan_schedule(
            values["schedule"],
            number("optimizer.learning_rate", values["optimizer.learning_rate"]),
            whole("schedule.warmup", values["schedule.warmup"]),
            _settings_of("schedule", given, besides="warmup"),
        ),
        loss=plan_loss(
            values["loss"], values["loss.label_smoothing"], given.get("loss.delta"), task
        ),
        batch_size=whole("batch_size", values["batch_size"]),
        epochs=whole("epochs", values["epochs"]),
        # Keras's EarlyStopping stops after the first epoch without improvement for 0 as for 1.
        patience=None if patience is None else max(1, whole("early_stopping.patience", patience)),
        min_delta=number("early_stopping.min_delta", values["early_stopping.min_delta"]),
    )


def plan_schedule(
    name: object, learning_rate: float, warmup: int, given: Mapping[str, object]
) -> Schedule:
    """The schedule with the `given` settings, behind `warmup` epochs of linear rise.

    Raises PlanError for an unknown schedule, a setting that it does not have, and a value that
    breaks its rule.
    """
    kind = SCHEDULES[choice("schedule", name)]
    available = [setting for setting in kind.settings() if setting != "warmup"]
    for key, value in given.items():
        if key not in available:
            raise PlanError(
                f"schedule {kind.name!r} has no setting {key!r}; got schedule.{key}: {value!r}. "
                f"Available: {', '.join([*available, 'warmup'])}. In a space, `when` ties a "
                "setting to the schedules that have it"
            )
    if kind is PlateauSchedule:
        return kind(learning_rate, **given, warmup=warmup)  # type: ignore[arg-type]
    schedule = kind(learning_rate, **given)
    return WarmupSchedule(schedule.learning_rate, schedule, warmup) if warmup else schedule


def _settings_of(group: str, given: Mapping[str, object], *, besides: str) -> dict[str, object]:
    """The given parameters `group.x` as x -> value, all but one."""
    prefix = f"{group}."
    return {
        name.removeprefix(prefix): value
        for name, value in given.items()
        if name.startswith(prefix) and name != prefix + besides
    }
