"""The networks of a trial's folds, trained again from the trial's own seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner.code.spec import BUILD
from tuner.data import Dataset, Fold
from tuner.errors import TunerError
from tuner.export.trained import TrainedNetwork, networks_of, trainer_on
from tuner.planning import network_seed
from tuner.search.groups import groups_of, is_grouped
from tuner.search.tickets import given_params, last_trials
from tuner.search.trainer import Planner
from tuner.storage import records
from tuner.study.own_code import own_metrics
from tuner.training.grouping import Training, cut_stacks

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from tuner.study.definition import StudyDefinition


@dataclass(frozen=True, eq=False)
class FoldNetworks:
    """Attributes:
    trial: the trial's number.
    params: all parameters, fixed ones included.
    networks: one a fold, with the weights of the epoch that the fold is scored by.
    epochs: that epoch of each, from 1.
    scores: metric to the networks' scores on their own folds' validation rows.
    """

    trial: int
    params: dict[str, Any]
    networks: list[TrainedNetwork]
    epochs: list[int]
    scores: dict[str, list[float]]


def train_folds(
    study: Study,
    trials: Sequence[FrozenTrial],
    dataset: Dataset,
    folds: Sequence[Fold],
    definition: StudyDefinition,
) -> list[FoldNetworks]:
    """Train the folds of complete `trials` as the search did.

    A trial that trained in a stack of its own, as every trial of a sampler that learns, gets the
    weights of the search to the last bit if it is the only one here; others differ by rounding.

    Args:
        folds: the study's.
        definition: its code loaded.

    Raises:
        TunerError: a fold diverged, which it did not in the search.
        PlanError: a metric of somebody's own whose code is not loaded.
    """
    build, scaling = definition.own(BUILD), definition.data.scaling
    trainer = trainer_on(
        dataset,
        folds,
        build,
        scaling=scaling,
        metrics=definition.all_metrics,
        objective=definition.metric,
        own_metrics=own_metrics(definition, dataset),
    )
    planner = Planner(dataset, folds) if build is None else trainer
    params = {trial.number: definition.space.complete(trial.params) for trial in trials}
    trainings = [
        Training(plan := planner.plan(own), number, {number: plan.epochs})
        for number, own in params.items()
    ]
    seeds = _seeds(study, trials, len(folds), definition, planner)
    trained: dict[int, FoldNetworks] = {}
    for stack in cut_stacks(trainings, planner.stacking, len(folds)):
        plans = [own.plan for own in stack.trainings]
        numbers = [own.first for own in stack.trainings]
        every = trainer.train(plans, [seeds[number] for number in numbers], weights=True)
        for number, plan, scores in zip(numbers, plans, every, strict=True):
            if scores.diverged:
                raise TunerError(
                    f"the folds of trial {number} must train as they did in the search; now the "
                    f"loss of fold {scores.status.index('diverged')} was not finite. Available: "
                    "an export without --ensemble, or another trial by --trial"
                )
            trained[number] = FoldNetworks(
                trial=number,
                params=params[number],
                networks=networks_of(
                    trainer, plan, seeds[number], scores.weights, dataset, folds, scaling
                ),
                epochs=scores.score_epoch.tolist(),
                scores={name: scores.fold_scores(name).tolist() for name in definition.all_metrics},
            )
    return [trained[trial.number] for trial in trials]


def _seeds(
    study: Study,
    trials: Sequence[FrozenTrial],
    folds: int,
    definition: StudyDefinition,
    planner: Any,
) -> dict[int, list[int]]:
    """Trial number to its networks' seeds: of a training that served several candidates, those of
    the first of them."""
    first: dict[int, int] = {}
    if is_grouped(definition):
        last = last_trials(study.get_trials(deepcopy=False))
        candidates = {ticket: given_params(trial) for ticket, trial in last.items()}
        first = {
            ticket: training.first
            for group in groups_of(candidates, definition, planner)
            for training in group.trainings
            for ticket in training.epochs
        }
    tickets = {trial.number: int(trial.user_attrs[records.TICKET]) for trial in trials}
    return {
        number: [
            network_seed(definition.seed, first.get(ticket, ticket), fold) for fold in range(folds)
        ]
        for number, ticket in tickets.items()
    }
