"""Which model of a study is wanted, and its training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from tuner.code.spec import BUILD
from tuner.data import Dataset, Fold, make_folds
from tuner.errors import UsageError, unknown
from tuner.export.ensemble import Ensemble, EnsembleKind, Member
from tuner.export.fold_networks import FoldNetworks, train_folds
from tuner.export.out_of_fold import OutOfFold, out_of_fold
from tuner.export.quiet import import_tensorflow
from tuner.export.refit import Refit, chosen_trial, refit_trial, study_dataset
from tuner.export.selection import Counts, select
from tuner.export.temperature import Calibration, fit_temperature
from tuner.export.trained import trainer_on
from tuner.limits import MOST_TRIALS
from tuner.results.ranking import Choice, best_trials, no_completed_trial
from tuner.study.data import reading_of
from tuner.study.own_code import own_metrics
from tuner.text import counted
from tuner.training.own.plan import plan_own

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from tuner.study.definition import StudyDefinition

CalibrationKind = Literal["temperature"]


@dataclass(frozen=True)
class Wanted:
    """Which model of a study.

    Attributes:
        trial: its number; None: the best one, or the one that `choose` takes instead.
        ensemble: None: one network trained on all rows. "folds": the mean of the trial's fold
            networks. "selection": the mean of the fold networks of several trials, chosen by
            ensemble selection.
        ensemble_trials: the best ones that a selection chooses among.
        calibrate: "temperature": see `tuner.export.temperature`.

    Raises:
        UsageError: an unknown name, or settings that contradict each other.
    """

    trial: int | None = None
    choose: Choice = "best"
    ensemble: EnsembleKind | None = None
    ensemble_trials: int = 10
    calibrate: CalibrationKind | None = None

    def __post_init__(self) -> None:
        for kind, value, names in (
            ("ensemble", self.ensemble, get_args(EnsembleKind)),
            ("calibration", self.calibrate, get_args(CalibrationKind)),
        ):
            if value is not None and value not in names:
                raise UsageError(unknown(kind, value, names))
        if not 2 <= self.ensemble_trials <= MOST_TRIALS:
            raise UsageError(
                f"a selection chooses among 2 to {MOST_TRIALS} trials; received "
                f"--ensemble-trials {self.ensemble_trials}"
            )
        named = "" if self.trial is None else f"--trial {self.trial}"
        ruled = "" if self.choose == "best" else f"--choose {self.choose}"
        if named and ruled:
            raise UsageError(f"a trial is named or chosen by a rule; received {named} and {ruled}")
        if self.ensemble == "selection" and (named or ruled):
            raise UsageError(
                f"a selection chooses among the best trials; received {named or ruled}. Available: "
                "--ensemble folds, the mean of one trial's networks"
            )

    def trials_of(self, study: Study) -> list[FrozenTrial]:
        """The trials whose networks are wanted, or chosen among, the best first.

        Raises:
            NoCompletedTrialError, UsageError: see `chosen_trial`.
        """
        if self.ensemble != "selection":
            return [chosen_trial(study, self.trial, self.choose)]
        trials = best_trials(study)[: self.ensemble_trials]
        if not trials:
            raise no_completed_trial(study)
        return trials


def train_wanted(
    study: Study,
    definition: StudyDefinition,
    wanted: Wanted,
    tell: Callable[[str], None] = lambda line: None,
) -> Refit | Ensemble:
    """Train what is `wanted`. Test rows are not looked at.

    Args:
        definition: its code loaded.
        tell: told what is trained, before it is.

    Raises:
        NoCompletedTrialError, UsageError: see `chosen_trial`; an ensemble of one fold; classes that
            there are none of, or no logits, to calibrate.
        DataError, TunerError: see `study_dataset`, `refit_trial`, `train_folds`.
    """
    trials = wanted.trials_of(study)
    dataset = study_dataset(study, definition)
    folds = make_folds(dataset, definition.folds)
    if wanted.ensemble == "folds" and len(folds) < 2:
        raise UsageError(
            "an ensemble of folds is the mean of their networks, at least two; the folds of the "
            f"study are {definition.folds.kind}: 1. Available: an export without --ensemble"
        )
    tell(f"{_doing(wanted, trials)} on {dataset.rows} rows")
    import_tensorflow()
    if wanted.calibrate is not None:
        _require_logits(trials[0], dataset, folds, definition)
    single = None
    if wanted.ensemble is None or dataset.x_test is not None:
        single = refit_trial(study, trials[0], dataset, definition)
    if single is not None and wanted.ensemble is None and wanted.calibrate is None:
        return single
    trained = train_folds(study, trials, dataset, folds, definition)
    members: Sequence[Member] = [Member(trained[0], 1.0)]
    scores, elsewhere = trained[0].scores, None
    if wanted.ensemble == "selection":
        members, scores, elsewhere = _selected(trained, dataset, folds, definition)
    calibration = None
    if wanted.calibrate is not None:
        calibration = _calibration(members, dataset, folds)
        single = single and replace(single, temperature=calibration.temperature)
    if wanted.ensemble is None:
        assert single is not None
        return replace(single, calibration=calibration)
    return Ensemble(
        kind=wanted.ensemble,
        members=tuple(members),
        dataset=dataset,
        reading=reading_of(definition.data),
        fold_scores=scores,
        elsewhere=elsewhere,
        single=single,
        calibration=calibration,
    )


def _doing(wanted: Wanted, trials: Sequence[FrozenTrial]) -> str:
    own = f"trial {trials[0].number}"
    if wanted.ensemble == "selection":
        return f"training the folds of the {counted(len(trials), 'best trial')}"
    if wanted.ensemble == "folds":
        return f"training the folds of {own}"
    return f"refitting {own}" + ("" if wanted.calibrate is None else ", and training its folds,")


def _selected(
    trained: Sequence[FoldNetworks],
    dataset: Dataset,
    folds: Sequence[Fold],
    definition: StudyDefinition,
) -> tuple[list[Member], dict[str, list[float]], dict[str, list[float]] | None]:
    """The members, their out-of-fold scores by metric, and each fold's scores of what the other
    folds alone choose (None: there are none)."""
    own = OutOfFold(trained, dataset, folds, own_metrics(definition, dataset))
    metric, maximize = definition.metric, definition.direction == "maximize"
    names = [name for name in definition.all_metrics if name == metric or own.knows(name)]

    def chosen(kept: Sequence[int]) -> Counts:
        return select(
            len(trained),
            lambda counts: float(np.mean([own.scores(metric, counts)[fold] for fold in kept])),
            maximize=maximize,
        )

    numbers = range(len(folds))
    counts = chosen(numbers)
    elsewhere = None
    if len(folds) > 1:
        others = [chosen([fold for fold in numbers if fold != left]) for left in numbers]
        elsewhere = {
            name: [own.scores(name, found)[fold] for fold, found in enumerate(others)]
            for name in names
        }
    members = [
        Member(member, count / sum(counts))
        for member, count in zip(trained, counts, strict=True)
        if count
    ]
    return members, {name: own.scores(name, counts) for name in names}, elsewhere


def _require_logits(
    trial: FrozenTrial, dataset: Dataset, folds: Sequence[Fold], definition: StudyDefinition
) -> None:
    """Raise `UsageError` if the networks answer nothing that a temperature could divide."""
    if dataset.task == "regression":
        raise UsageError(
            "a temperature is for the probabilities of classes; the task of the study is "
            "regression. Available: an export without --calibrate"
        )
    build = definition.own(BUILD)
    if build is None:
        return
    trainer: Any = trainer_on(dataset, folds, build, metrics=(), objective="loss")
    params = definition.space.complete(trial.params)
    [network] = trainer.networks(plan_own(params, dataset, ""), [0])
    if network.probabilities:
        raise UsageError(
            "a temperature divides logits; the network that build makes ends in a softmax or "
            "sigmoid. Available: a network without it, or an export without --calibrate"
        )


def _calibration(members: Sequence[Member], dataset: Dataset, folds: Sequence[Fold]) -> Calibration:
    said = [
        np.concatenate(out_of_fold(own.trained, dataset, folds, logits=True)) for own in members
    ]
    y = np.concatenate([dataset.y[fold.validation] for fold in folds])
    return fit_temperature(said, [own.weight for own in members], y, dataset.task)
