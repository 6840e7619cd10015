"""The catalogue against planning, Keras, and what the documentation says of it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tuner.errors import UsageError
from tuner.optimizers import OPTIMIZERS
from tuner.parameters import fit_value
from tuner.schedules import SCHEDULES, Schedule, setting
from tuner.spaces import catalogue
from tuner.spaces.catalogue import ACTIVATIONS, CATALOGUE, INITIALIZERS

ROOT = Path(__file__).parents[2]


def test_every_name_is_listed_under_itself_with_a_section_and_a_help():
    for name, info in CATALOGUE.items():
        assert info.name == name
        assert info.help.endswith(".")
        assert bool(info.choices) == (info.kind == "category")
        assert set(info.aliases.values()) <= set(info.choices)
        assert len(info.names) == len(set(info.names))


def test_every_default_obeys_its_own_rules():
    for info in CATALOGUE.values():
        assert fit_value(info, info.default) == info.default


def test_settings_belong_to_the_optimizers_that_planning_gives_them_to():
    for name, info in CATALOGUE.items():
        if info.section == "optimizer" and info.only_with:
            setting = name.removeprefix("optimizer.")
            having = {
                optimizer for optimizer, kind in OPTIMIZERS.items() if setting in kind.settings()
            }
            assert set(info.only_with["optimizer"]) == having, name


def test_settings_belong_to_the_schedules_that_planning_gives_them_to():
    for name, info in CATALOGUE.items():
        if info.section == "schedule" and info.only_with:
            setting = name.removeprefix("schedule.")
            having = {
                schedule for schedule, kind in SCHEDULES.items() if setting in kind.settings()
            }
            assert set(info.only_with["schedule"]) == having, name


def test_one_setting_means_one_thing_for_all_that_have_it(monkeypatch):
    class Other(Schedule):
        name = "other"
        decay: float = setting(0.5, "How fast the rate falls.", low=0, high=1)

        def rates(self, steps_per_epoch, epochs):
            raise NotImplementedError

    monkeypatch.setitem(catalogue.KINDS, "schedule", {**SCHEDULES, "other": Other})
    with pytest.raises(
        UsageError, match=r"schedule\.decay must be the same .* in other than in time"
    ):
        catalogue._settings("schedule")


def test_the_documentation_has_every_parameter():
    written = (ROOT / "docs" / "spaces.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in written for name in CATALOGUE)


@pytest.mark.slow
def test_keras_knows_every_name_and_setting():
    import keras

    for activation in (*ACTIVATIONS, *CATALOGUE["model.activation"].aliases):
        function = keras.activations.get(activation)
        outputs = function(keras.ops.ones((2, 4)))
        assert outputs.shape == (2, 4), activation
    for initializer in set(INITIALIZERS) - {"unit_variance"}:
        # Keras's Constant has no default value.
        name = keras.initializers.Constant(0.1) if initializer == "constant" else initializer
        weights = keras.initializers.get(name)((4, 3))
        assert weights.shape == (4, 3), initializer
    # `keras.optimizers.get` knows fewer of them by name than there are.
    classes = {name: getattr(keras.optimizers, OPTIMIZERS[name].__name__) for name in OPTIMIZERS}
    for name, info in CATALOGUE.items():
        if info.section != "optimizer" or name in ("optimizer", "optimizer.weight_decay_schedule"):
            continue
        for optimizer in info.only_with.get("optimizer", OPTIMIZERS):
            accepted = inspect.signature(classes[optimizer].__init__).parameters
            assert name.removeprefix("optimizer.") in accepted, (name, optimizer)
