"""Every schedule's table against numbers worked out by hand; Keras's classes: test_with_keras."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from tuner.errors import PlanError
from tuner.schedules import (
    SCHEDULES,
    ConstantSchedule,
    CosineRestartsSchedule,
    CosineSchedule,
    CosLog4Schedule,
    ExponentialSchedule,
    FlatCosineSchedule,
    InverseSqrtSchedule,
    OneCycleSchedule,
    PiecewiseSchedule,
    PlateauSchedule,
    PolynomialSchedule,
    RestartsSchedule,
    Schedule,
    StepSchedule,
    TimeSchedule,
    WarmupSchedule,
)
from tuner.spaces.catalogue import CATALOGUE

EVERY = [
    ConstantSchedule(0.1),
    TimeSchedule(0.1, decay=0.01),
    TimeSchedule(0.1, decay=0.01, per="epoch"),
    ExponentialSchedule(0.1, decay=0.01),
    StepSchedule(0.1, every=3),
    PiecewiseSchedule(0.1, (2, 5), (0.5, 0.1)),
    PolynomialSchedule(0.1, power=2, end_rate=0.1),
    InverseSqrtSchedule(0.1, decay=0.01),
    CosineSchedule(0.1, end_rate=0.1),
    CosineRestartsSchedule(0.1, restart_every=3, cycle_mult=1.5),
    RestartsSchedule(0.1, restart_every=3, restarts=2),
    OneCycleSchedule(0.1),
    FlatCosineSchedule(0.1),
    CosLog4Schedule(0.1),
    PlateauSchedule(0.1),
    WarmupSchedule(0.1, CosineSchedule(0.1), warmup=2),
    WarmupSchedule(0.1, TimeSchedule(0.1), warmup=2),
    WarmupSchedule(0.1, PlateauSchedule(0.1), warmup=2),
]


def ids(schedule: Schedule) -> str:
    return type(schedule).__name__


def test_the_registry_is_the_catalogue() -> None:
    assert set(SCHEDULES) == set(CATALOGUE["schedule"].choices)
    assert {schedule.name for schedule in EVERY} == {*SCHEDULES, "warmup"}


@pytest.mark.parametrize("kind", SCHEDULES.values(), ids=lambda kind: kind.name)
def test_a_schedules_own_defaults_are_the_catalogues(kind: type[Schedule]) -> None:
    for field in dataclasses.fields(kind):
        if field.name not in ("learning_rate", "boundaries", "factors"):
            assert field.default == CATALOGUE[f"schedule.{field.name}"].default
            assert kind.settings()[field.name].help == CATALOGUE[f"schedule.{field.name}"].help


@pytest.mark.parametrize("schedule", EVERY, ids=ids)
@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (7, 10), (3, 2), (1, 5)])
def test_tables_have_one_positive_float32_rate_a_step(
    schedule: Schedule, steps: int, epochs: int
) -> None:
    table = schedule.rates(steps, epochs)
    assert table.shape == (steps * epochs,)
    assert table.dtype == np.float32
    assert (table >= 0).all()
    # Its waves begin and end at 0.
    assert (table > 0).all() or schedule.name == "coslog4"
    assert (table <= np.float32(0.1)).all()


@pytest.mark.parametrize("schedule", EVERY, ids=ids)
def test_depends_on_total_is_true_where_and_only_where_first_rates_change(
    schedule: Schedule,
) -> None:
    short, long = schedule.rates(7, 10), schedule.rates(7, 25)
    assert schedule.depends_on_total == (not np.array_equal(short, long[:70]))


@pytest.mark.parametrize("schedule", EVERY, ids=ids)
def test_equal_schedules_are_equal_and_hash_alike(schedule: Schedule) -> None:
    copy = dataclasses.replace(schedule)
    assert copy == schedule
    assert hash(copy) == hash(schedule)


def test_only_plateau_depends_on_scores() -> None:
    following = [s for s in EVERY if s.depends_on_scores]
    assert following == [PlateauSchedule(0.1), WarmupSchedule(0.1, PlateauSchedule(0.1), 2)]


def test_time_decay_counts_steps_or_epochs() -> None:
    step = TimeSchedule(0.1, decay=0.5).rates(2, 2)
    assert step.tolist() == pytest.approx([0.1, 0.1 / 1.5, 0.1 / 2, 0.1 / 2.5])
    epoch = TimeSchedule(0.1, decay=0.5, per="epoch").rates(2, 2)
    assert epoch.tolist() == pytest.approx([0.1, 0.1, 0.1 / 1.5, 0.1 / 1.5])


def test_the_guides_time_decay() -> None:
    # lr0 0.1, decay 0.0016, 60 epochs, by epoch.
    table = TimeSchedule(0.1, decay=0.0016, per="epoch").rates(5, 60)
    assert table[-1] == pytest.approx(0.1 / (1 + 0.0016 * 59))


def test_exponential_decay_counts_steps_or_epochs() -> None:
    assert ExponentialSchedule(1, decay=0.1).rates(2, 2)[3] == pytest.approx(math.exp(-0.3))
    by_epoch = ExponentialSchedule(1, decay=0.1, per="epoch").rates(2, 3)
    assert by_epoch[4:].tolist() == pytest.approx([math.exp(-0.2)] * 2)


def test_step_drops_every_n_epochs() -> None:
    table = StepSchedule(1.0, drop=0.5, every=2).rates(2, 5)
    assert table.tolist() == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_piecewise_factors_are_of_the_base_rate_and_boundaries_may_be_fractions() -> None:
    table = PiecewiseSchedule(1.0, (1, 1.5, 3), (0.5, 2, 0.25)).rates(2, 4)
    assert table.tolist() == [1, 1, 0.5, 2, 2, 2, 0.25, 0.25]
    # 2.2 * 45 is 99.00000000000001 in floating point, and 99 steps all the same.
    assert PiecewiseSchedule(1.0, (2.2,), (0.5,)).rates(45, 3).tolist() == [1] * 99 + [0.5] * 36


def test_inverse_sqrt_behind_its_warmup_is_the_transformers() -> None:
    width = 4000
    table = WarmupSchedule(1.0, InverseSqrtSchedule(1.0, decay=1 / width), 1).rates(width, 5)
    step = np.arange(width, 5 * width)
    assert table[width:] == pytest.approx(np.sqrt(width / step), rel=1e-6)
    assert table[0] == pytest.approx(1 / (width + 1))


def test_cosine_restarts_cycles_grow() -> None:
    table = CosineRestartsSchedule(1.0, restart_every=1, cycle_mult=2).rates(4, 7)
    assert np.flatnonzero(table == 1.0).tolist() == [0, 4, 12]
    assert table[2] == pytest.approx(0.5)
    assert table[8] == pytest.approx(0.5)
    assert table[20] == pytest.approx(0.5)


def test_restarts_reset_the_rate_m_times_and_then_never_again() -> None:
    schedule = RestartsSchedule(1.0, restart_every=2, restarts=2, decay=1.0)
    table = schedule.rates(3, 9)
    run = [1 / (1 + t) for t in range(6)]
    last = [1 / (1 + t) for t in range(15)]
    assert table.tolist() == pytest.approx([*run, *run, *last])
    assert np.flatnonzero(table == 1.0).tolist() == [0, 6, 12]


def test_restarts_count_epochs_too() -> None:
    table = RestartsSchedule(1.0, restart_every=2, restarts=1, decay=1.0, per="epoch").rates(2, 5)
    expected = [1, 1, 1 / 2, 1 / 2, 1, 1, 1 / 2, 1 / 2, 1 / 3, 1 / 3]
    assert table.tolist() == pytest.approx(expected)


def test_no_restarts_are_time_based_decay() -> None:
    plain = TimeSchedule(0.1, decay=0.01).rates(5, 30)
    assert RestartsSchedule(0.1, restarts=0, decay=0.01).rates(5, 30).tolist() == plain.tolist()


def test_restarts_may_come_further_and_further_apart() -> None:
    table = RestartsSchedule(1.0, restart_every=2, restarts=9, decay=1.0, cycle_mult=1.5)
    # Runs of 2, 3, 4.5 epochs: starts at 0, 2, 5, 9.5 (rounded to 10).
    assert np.flatnonzero(table.rates(1, 12) == 1.0).tolist() == [0, 2, 5, 10]


def test_one_cycle_rises_to_the_base_rate_and_falls_to_the_end() -> None:
    table = OneCycleSchedule(1.0, peak=0.25, end_rate=0.1).rates(100, 4)
    assert table[0] == pytest.approx(1 / 25)
    assert table[100] == 1.0
    assert table.argmax() == 100
    assert (np.diff(table[:101]) > 0).all()
    assert (np.diff(table[100:]) < 0).all()
    assert table[-1] == pytest.approx(0.1, abs=1e-4)


def test_coslog4_has_four_waves_each_twice_as_long() -> None:
    table = CosLog4Schedule(1.0).rates(150, 10)
    assert np.flatnonzero(table < 1e-7).tolist() == [0, 100, 300, 700]
    tops = [np.argmax(table[a:b]) + a for a, b in ((0, 100), (100, 300), (300, 700), (700, 1500))]
    assert tops == [round(100 * (2**half - 1)) for half in (0.5, 1.5, 2.5, 3.5)]
    assert table[tops].tolist() == pytest.approx([1] * 4, abs=2e-4)
    formula = [0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t / 30))) for t in range(30)]
    assert CosLog4Schedule(0.2).rates(3, 10) == pytest.approx(0.2 * np.array(formula), abs=1e-8)


def test_flat_cosine_is_flat_and_then_a_cosine() -> None:
    table = FlatCosineSchedule(0.3).rates(3, 8)
    assert table[:13].tolist() == [np.float32(0.3)] * 13
    assert table[12:].tolist() == CosineSchedule(0.3).rates(3, 4).tolist()


def test_warmup_is_a_straight_line_that_never_stands_still() -> None:
    table = WarmupSchedule(1.0, ConstantSchedule(1.0), warmup=2).rates(2, 4)
    assert table.tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1])


def test_what_depends_on_the_total_gets_the_epochs_behind_the_warmup() -> None:
    after = CosineSchedule(0.5, end_rate=0.1)
    table = WarmupSchedule(0.5, after, warmup=3).rates(4, 10)
    assert table[12:].tolist() == after.rates(4, 7).tolist()


@pytest.mark.parametrize("kind", [ConstantSchedule, CosineSchedule, OneCycleSchedule])
def test_a_warmup_longer_than_the_training_is_cut_off(kind: type[Schedule]) -> None:
    table = WarmupSchedule(1.0, kind(1.0), warmup=5).rates(2, 3)
    assert table.shape == (6,)
    assert (np.diff(table) > 0).all()


def test_plateau_warms_up_before_it_looks_at_scores() -> None:
    schedule = WarmupSchedule(1.0, PlateauSchedule(1.0, factor=0.5, patience=1), warmup=2)
    tracker = schedule.tracker(2, "min")
    assert tracker is not None
    rates = [tracker.rates(0)]
    for epoch, score in enumerate([5.0, 9.0, 7.0, 8.0, 9.0]):
        tracker.update(score)
        rates.append(tracker.rates(epoch + 1))
    table = np.concatenate(rates).tolist()
    # 7.0 is the first score that counts; 8.0 and 9.0 are no better.
    assert table == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25])
    assert schedule.rates(2, 3).tolist() == pytest.approx(table[:6])


def test_a_plateau_behind_a_warmup_goes_on_from_its_state() -> None:
    schedule = WarmupSchedule(0.3, PlateauSchedule(0.3, factor=0.5, patience=1), warmup=2)
    scores = [5.0, 9.0, 7.0, 8.0, 9.0, 9.5]
    for cut in range(len(scores)):
        whole, first, second = (schedule.tracker(3, "min") for _ in range(3))
        assert whole is not None
        assert first is not None
        assert second is not None
        for score in scores:
            whole.update(score)
        for score in scores[:cut]:
            first.update(score)
        second.restore(first.state())
        for score in scores[cut:]:
            second.update(score)
        assert second.state() == whole.state()
        assert second.rates(7).tolist() == whole.rates(7).tolist()


def test_the_rise_before_a_plateau_is_rounded_once() -> None:
    # The base rate itself, not the float32 next to it, is what the rise leads to.
    table = WarmupSchedule(0.1, PlateauSchedule(0.1), warmup=1).rates(64, 2)
    rise = np.float32(0.1 * (np.arange(1, 65) / 65))
    assert table[:64].tolist() == rise.tolist()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConstantSchedule(0.0), "learning_rate must be a number above 0; got 0.0"),
        (lambda: ConstantSchedule(float("nan")), "learning_rate must be a number above 0; got nan"),
        (lambda: ConstantSchedule(True), "learning_rate must be a number above 0; got True"),
        (lambda: TimeSchedule(0.1, decay=-1), "schedule.decay must be a number at least 0; got -1"),
        (lambda: TimeSchedule(0.1, per="batch"), "unknown schedule.per 'batch'"),  # type: ignore[arg-type]
        (lambda: StepSchedule(0.1, every=1.5), "schedule.every must be a whole number"),  # type: ignore[arg-type]
        (lambda: StepSchedule(0.1, every=0), "schedule.every must be a whole number at least 1"),
        (lambda: PiecewiseSchedule(0.1), "needs schedule.boundaries"),
        (lambda: PiecewiseSchedule(0.1, (1, 2), (0.5,)), "as many schedule.factors"),
        (lambda: PiecewiseSchedule(0.1, (2, 2), (1, 1)), "must rise; got \\[2.0, 2.0\\]"),
        (lambda: OneCycleSchedule(0.1, peak=1.0), "schedule.peak must be a number above 0, below"),
        (lambda: PlateauSchedule(0.1, factor=1.0), "schedule.factor must be .* below 1; got 1.0"),
        (lambda: WarmupSchedule(0.1, ConstantSchedule(0.1), -1), "schedule.warmup must be"),
    ],
)
def test_bad_settings_are_refused_with_the_rule_and_the_value(make, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        make()


def test_whole_numbers_and_floats_make_the_same_schedule() -> None:
    assert repr(StepSchedule(1, drop=1, every=2.0)) == repr(StepSchedule(1.0, drop=1.0, every=2))  # type: ignore[arg-type]
