"""One last training: a trial's settings on all search rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.code.spec import BUILD
from tuner.data import Dataset, Fold
from tuner.data.scaling import ScalingKind
from tuner.data.sources import Reading
from tuner.errors import DataError, TunerError, UsageError
from tuner.export.temperature import Calibration
from tuner.export.trained import TrainedNetwork, networks_of, trainer_on
from tuner.planning import network_seed
from tuner.planning.plan import TrainingPlan
from tuner.results import best_trial, find_trial, mean_curves
from tuner.results.ranking import Choice
from tuner.results.trials import epochs_of
from tuner.schedules import Rates, Schedule
from tuner.search.trainer import Planner
from tuner.storage import records
from tuner.study.data import load_study_data, reading_of
from tuner.study.stored import read_definition
from tuner.text import quoted, shell_quoted
from tuner.training.own.plan import OwnPlan, plan_own

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from tuner.study.definition import StudyDefinition


class FirstEpochs(Schedule):
    """The first epochs of `inner` as it runs over `total` epochs.

    A trial that early stopping ended after 12 of its 40 epochs is refitted with the first 12
    epochs of the schedule over 40, not with the whole schedule squeezed into 12.
    """

    name = "first_epochs"

    inner: Schedule
    total: int

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        total = max(self.total, epochs)
        return self.inner.rates(steps_per_epoch, total)[: epochs * steps_per_epoch]


class RecordedRates(Schedule):
    """One rate an epoch, as recorded; after the last one it stays.

    For schedules that follow validation scores (plateau): a refit has no validation rows.
    """

    name = "recorded_rates"

    recorded: tuple[float, ...]

    def rates(self, steps_per_epoch: int, epochs: int) -> Rates:
        numbers = np.minimum(np.arange(epochs), len(self.recorded) - 1)
        rates = np.asarray(self.recorded, dtype=np.float32)[numbers]
        return np.repeat(rates, steps_per_epoch)


@dataclass(frozen=True, eq=False, kw_only=True)
class Refit(TrainedNetwork):
    """A network trained on all search rows, and what it was made from; `plan.epochs` is the refit's
    own number.

    Attributes:
        trial: the trial's number.
        params: all parameters, fixed ones included.
        reading: how the rows were read, if they are text.
        fold_scores: metric to the trial's validation scores per fold: what the search promises.
        calibration: where its `temperature` comes from, if it has one.
    """

    trial: int
    params: dict[str, Any]
    dataset: Dataset
    fold_scores: dict[str, list[float]]
    reading: Reading
    calibration: Calibration | None = None


def chosen_trial(study: Study, number: int | None, choose: Choice = "best") -> FrozenTrial:
    """Trial `number`; None: the best one, or the one that `choose` takes instead.

    Raises:
        NoCompletedTrialError: the best is asked for and no trial is complete.
        UsageError: there is no such trial, it is not complete, or the choice does not suit.
    """
    if number is None:
        return find_trial(study, best_trial(study, choose).number)
    trial = find_trial(study, number)
    if records.state_of(trial) != "complete":
        raise UsageError(
            f"only a completed trial can be exported; trial {number} of study "
            f"{quoted(study.study_name)} is {records.state_of(trial)}. tuner results "
            f"{shell_quoted(study.study_name)} --state complete shows those that are"
        )
    return trial


def study_dataset(study: Study, definition: StudyDefinition) -> Dataset:
    """The rows that the study was made on.

    Raises:
        DataError: they cannot be loaded, or are others by now: both hashes are named.
    """
    dataset, _ = load_study_data(definition)
    held = study.user_attrs.get(records.STUDY_DATA_HASH)
    if held is not None and held != dataset.hash:
        raise DataError(
            f"a model is refitted on the rows of its search; {dataset.uri} has the hash "
            f"{dataset.hash} now, study {quoted(study.study_name)} was made on {held}"
        )
    return dataset


def refit_trial(
    study: Study, trial: FrozenTrial, dataset: Dataset, definition: StudyDefinition | None = None
) -> Refit:
    """Train the trial's settings on all rows of `dataset`, without validation.

    As many epochs as its folds are scored at in the mean (rounded), the learning rates of those
    epochs as they were in the search, a seed of its own from the study's.

    Args:
        definition: of a study of a network of somebody's own, its code loaded.

    Raises:
        TunerError: the training diverged.
    """
    definition = definition or read_definition(study)
    params, build = definition.space.complete(trial.params), definition.own(BUILD)
    if build is None:
        searched = Planner(dataset, ()).plan(params)
    else:
        searched = plan_own(params, dataset, "").training
    # No early stopping: there is nothing to watch.
    epochs = epochs_of(trial)
    plan = replace(
        searched,
        epochs=epochs,
        patience=None,
        restore_best_weights=None,
        schedule=_schedule(trial, searched, epochs),
        scheduled=tuple(
            (name, _first_epochs(schedule, searched.epochs, epochs))
            for name, schedule in searched.scheduled
        ),
    )
    # The first fold number that the search has not used.
    folds = len(trial.user_attrs[records.SCORE_EPOCHS])
    seed = network_seed(definition.seed, int(trial.user_attrs[records.TICKET]), folds)
    trained = plan if build is None else OwnPlan(tuple(params.items()), plan, "")
    network = _train(trained, dataset, definition.data.scaling, seed, trial.number, build)
    return Refit(
        **vars(network),
        trial=trial.number,
        params=params,
        dataset=dataset,
        fold_scores={
            **trial.user_attrs.get(records.METRICS, {}),
            definition.metric: list(trial.user_attrs[records.FOLD_SCORES]),
        },
        reading=reading_of(definition.data),
    )


def _train(
    plan: Any, dataset: Dataset, scaling: ScalingKind, seed: int, number: int, build: Any
) -> TrainedNetwork:
    rows = np.arange(dataset.rows, dtype=np.int32)
    folds = [Fold(train=rows, validation=np.zeros(0, np.int32))]
    # The loss is all that can be measured without validation rows.
    trainer = trainer_on(dataset, folds, build, scaling=scaling, metrics=(), objective="loss")
    [scores] = trainer.train([plan], [[seed]], weights=True)
    if scores.status[0] == "diverged":
        raise TunerError(
            f"the training on all rows must not diverge; with the settings of trial {number} its "
            f"loss was not finite after epoch {scores.epochs_run} of {plan.epochs}. Export another "
            "trial by --trial"
        )
    [network] = networks_of(trainer, plan, [seed], scores.weights, dataset, folds, scaling)
    return network


def _schedule(trial: FrozenTrial, plan: TrainingPlan, epochs: int) -> Schedule:
    if plan.schedule.depends_on_scores:
        curves = mean_curves(trial)
        if curves is None:
            raise TunerError(
                f"a refit repeats the learning rates of its trial; trial {trial.number} has no "
                "recorded ones"
            )
        rates = tuple(float(rate) for rate in curves.learning_rate)
        return RecordedRates(plan.schedule.learning_rate, rates)
    return _first_epochs(plan.schedule, plan.epochs, epochs)


def _first_epochs(schedule: Schedule, total: int, epochs: int) -> Schedule:
    return schedule if epochs == total else FirstEpochs(schedule.learning_rate, schedule, total)
