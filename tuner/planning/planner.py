"""A trial's parameters to a plan that can be trained: the only way from names to types."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuner.data.dataset import Task
from tuner.embeddings import EMBEDDINGS
from tuner.errors import PlanError, unknown
from tuner.optimizers import CLIPPING, OPTIMIZERS
from tuner.parameters import MOST_LAYERS, Value, checked, fit_scalar
from tuner.planning.cost import count_parameters
from tuner.planning.factors import plan_factors
from tuner.planning.losses import LOSSES, plan_loss
from tuner.planning.plan import (
    SCHEDULED,
    AveragingPlan,
    EmbeddingPlan,
    ModelPlan,
    OptimizerPlan,
    TrainingPlan,
)
from tuner.schedules import SCHEDULES, Schedule, WarmupSchedule
from tuner.spaces.catalogue import CATALOGUE, settings_of
from tuner.text import listed, quoted, size_text

#: What holds if a trial leaves a parameter out; None: the optimizer's own default.
DEFAULTS: Mapping[str, object] = {name: info.default for name, info in CATALOGUE.items()}
#: 4 GB of weights, and several times that with gradients and what an optimizer keeps.
MOST_PARAMETERS = 10**9
#: What is neither a setting of the optimizer nor of the schedule behind the warmup.
_RATE = ("optimizer.learning_rate", "schedule.warmup", SCHEDULED["weight_decay"])
#: The loss and the widths of layers have rules of their own beside the catalogue's.
_SPECIAL = ("loss", "loss.delta", "model.units", "model.layers")


def plan_training(
    params: Mapping[str, Value],
    *,
    features: int,
    outputs: int,
    task: Task,
    numbers: Sequence[int] | None = None,
) -> TrainingPlan:
    """What `params` (catalogue names to values) train as, on data of that shape and task.

    A parameter that is missing or None has the catalogue's default, an optimizer's settings
    Keras's. Pure: equal params give equal plans, and plans are hashable. `numbers`: which of the
    features are numbers, and embedded if there is an embedding; None: all.

    Raises PlanError for a name that does not exist, a value outside its limits, a setting that
    the chosen optimizer, schedule, embedding or loss does not have, and values that exclude each
    other.
    """
    given: dict[str, Any] = {}
    for name, value in params.items():
        if name not in CATALOGUE:
            raise PlanError(unknown("parameter", name, CATALOGUE))
        if value is not None:
            given[name] = value
    if task not in LOSSES:
        raise PlanError(unknown("task", task, LOSSES))
    values = {**DEFAULTS, **given}
    for name in ("optimizer", "schedule", "embedding", "weight_averaging"):
        values[name] = checked(CATALOGUE[name], values[name])
        _refuse_settings_of_others(name, values[name], given)
    for name, info in CATALOGUE.items():
        if name not in _SPECIAL:
            values[name] = checked(info, values[name])
    if isinstance(values["model.units"], str):
        values["model.layers"] = given.get("model.layers")
    patience, by_best = (
        values[f"early_stopping.{name}"] for name in ("patience", "restore_best_weights")
    )
    embedding = plan_embedding(
        values["embedding"],
        _settings("embedding", values, given),
        range(features) if numbers is None else numbers,
    )
    model = plan_model(values, features=features, outputs=outputs, embedding=embedding)
    optimizer = plan_optimizer(values["optimizer"], _settings("optimizer", values, given))
    plan = TrainingPlan(
        model=model,
        optimizer=replace(optimizer, factors=plan_factors(values, model, optimizer)),
        schedule=plan_schedule(values, _settings("schedule", values, given)),
        loss=plan_loss(
            values["loss"],
            values["loss.label_smoothing"],
            given.get("loss.delta"),
            task,
            values["loss.class_weight"],
        ),
        batch_size=values["batch_size"],
        epochs=values["epochs"],
        # Keras's EarlyStopping stops after the first epoch without improvement for 0 as for 1.
        patience=None if patience is None else max(1, patience),
        min_delta=values["early_stopping.min_delta"],
        # What holds anyway makes no other plan.
        restore_best_weights=None if by_best == (patience is not None) else by_best,
        averaging=plan_averaging(values),
    )
    return replace(plan, scheduled=plan_scheduled(values, plan))


def plan_model(
    values: Mapping[str, Any], *, features: int, outputs: int, embedding: EmbeddingPlan | None
) -> ModelPlan:
    """The MLP that `values` (every catalogue name to its value) describe.

    Every initializer suits a dense kernel of any shape: on one that is not square, `identity` has
    ones on its main diagonal and `orthogonal` has orthonormal rows or columns.

    Units and layers are checked here, the others have been. Raises PlanError.
    """
    for what, size in (("features", features), ("outputs", outputs)):
        if size < 1:
            raise PlanError(f"data must have at least 1 of its {what}; got {size}")
    model = ModelPlan(
        features=int(features),
        outputs=int(outputs),
        units=plan_units(values["model.units"], values["model.layers"]),
        activation=values["model.activation"],
        # Keras's `Constant()` has the value 0, and `get("constant")` fails for want of a value.
        initializer="zeros" if values["initializer"] == "constant" else values["initializer"],
        dropout=values["model.dropout"],
        batch_norm=values["model.batch_norm"],
        l1=values["model.l1"],
        l2=values["model.l2"],
        embedding=embedding,
        skip_connections=values["model.skip_connections"],
        parametrization=values["model.parametrization"],
        bias_initializer=values["model.bias_initializer"],
        front_scale=values["model.front_scale"],
        parametric_activation=values["model.parametric_activation"],
    )
    if (parameters := count_parameters(model)) > MOST_PARAMETERS:
        raise PlanError(
            f"a network may have at most {MOST_PARAMETERS:,} parameters; hidden layers of "
            f"{listed(list(map(str, model.units)))} units on {features} features have "
            f"{parameters:,} ({size_text(4 * parameters)}). Available: fewer units or layers"
        )
    return model


def plan_averaging(values: Mapping[str, Any]) -> AveragingPlan | None:
    """The average of weights that `values` ask for."""
    kind = values["weight_averaging"]
    if kind == "none":
        return None
    names = settings_of("weight_averaging", kind)
    return AveragingPlan(kind, **{name.split(".")[1]: values[name] for name in names})


def plan_units(units: object, layers: object) -> tuple[int, ...]:
    """The widths of the hidden layers.

    `units` is one width for all `layers`, or a text such as "64-32" that gives each layer its
    own; then `layers` is None. Raises PlanError.
    """
    if not isinstance(units, str):
        width = checked(CATALOGUE["model.units"], units)
        return (width,) * checked(CATALOGUE["model.layers"], layers)
    info, widths = CATALOGUE["model.units"], [part.strip() for part in units.split("-")]
    try:
        fit_scalar(info, "-".join(widths))
    except ValueError:
        raise PlanError(
            f"model.units must be {info.rule}, or at most {MOST_LAYERS} such numbers joined by "
            f"'-' (64-32: a layer of 64, then one of 32); got {quoted(units)}"
        ) from None
    if layers is not None:
        raise PlanError(
            "model.layers must be left out if model.units gives each layer its width; "
            f"got model.units: {quoted(units)} and model.layers: {quoted(layers)}"
        )
    return tuple(int(part) for part in widths)


def plan_embedding(
    name: str, given: Mapping[str, Any], columns: Sequence[int]
) -> EmbeddingPlan | None:
    """The embedding of `columns` with the `given` settings, all its others as in its source; None
    if nothing is embedded."""
    settings = {**EMBEDDINGS[name].defaults(), **given}
    return EmbeddingPlan(name, **settings, columns=tuple(columns)) if settings and columns else None


def plan_optimizer(name: str, given: Mapping[str, float | bool]) -> OptimizerPlan:
    """The optimizer with the `given` settings, all its others as in Keras, sorted by name.

    Raises PlanError for more than one kind of clipping, and if the installed Keras has no such
    optimizer.
    """
    if lacking := OPTIMIZERS[name].lacking():
        raise PlanError(f"{lacking}. Available: another optimizer, or a newer Keras")
    clipping = [key for key in CLIPPING if key in given]
    if len(clipping) > 1:
        raise PlanError(
            f"gradients can be clipped in one way only; got {' and '.join(clipping)}. "
            f"Available: one of {', '.join(CLIPPING)}"
        )
    settings = {**OPTIMIZERS[name].defaults(), **given}
    return OptimizerPlan(name, tuple(sorted(settings.items())))


def plan_schedule(values: Mapping[str, Any], given: Mapping[str, Any]) -> Schedule:
    """The schedule with the `given` settings, behind its warmup.

    Raises PlanError for settings that do not fit each other.
    """
    rate, warmup = values["optimizer.learning_rate"], values["schedule.warmup"]
    schedule = SCHEDULES[values["schedule"]](rate, **given)
    return WarmupSchedule(rate, schedule, warmup) if warmup else schedule


def plan_scheduled(
    values: Mapping[str, Any], plan: TrainingPlan
) -> tuple[tuple[str, Schedule], ...]:
    """The settings of `plan` that follow a schedule, by name. One that is 0 stays 0, and follows
    none."""
    chosen = {name: values[parameter] for name, parameter in SCHEDULED.items()}
    return tuple(
        (name, SCHEDULES[kind](1.0))
        for name, kind in sorted(chosen.items())
        if kind != "constant" and plan.base(name) > 0
    )


def _refuse_settings_of_others(section: str, chosen: str, given: Mapping[str, object]) -> None:
    """Raises PlanError for a setting that the chosen one of its section does not have."""
    available = settings_of(section, chosen)
    for name, value in given.items():
        if name.startswith(f"{section}.") and name not in available:
            names = ", ".join(other.removeprefix(f"{section}.") for other in available) or "none"
            raise PlanError(
                f"{section} {quoted(chosen)} has no setting "
                f"{quoted(name.removeprefix(f'{section}.'))}; got "
                f"{name}: {quoted(value)}. Available: {names}. In a space, `when` ties a "
                f"setting to the {section}s that have it"
            )


def _settings(section: str, values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given parameters `section.x` as x -> value, without the rate and its warmup."""
    return {
        name.removeprefix(f"{section}."): values[name]
        for name in given
        if name.startswith(f"{section}.") and name not in _RATE
    }
