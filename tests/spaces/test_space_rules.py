"""Every rule of a space file, each with a file that breaks it."""

from __future__ import annotations

import pytest

from tuner.errors import SpaceError
from tuner.spaces import load_space
from tuner.spaces.library import check_space


def errors_of(tmp_path, params: str) -> list[str]:
    """The problems of a file with these parameters; its first parameter stands in line 2."""
    path = tmp_path / "broken.yaml"
    lines = "\n".join(f"  {line}" for line in params.splitlines())
    path.write_text(f"params:\n{lines}\n", encoding="utf-8")
    space, problems = check_space(path)
    assert space is None
    assert all(str(problem).startswith(f"{path}:") for problem in problems)
    return [str(problem).removeprefix(f"{path}:") for problem in problems]


#: name of the rule -> (parameters of a file, the error from its line number on)
RULES = {
    "unknown parameter": (
        "optimizer.lerning_rate: 0.1",
        "2: params.optimizer.lerning_rate: unknown parameter 'optimizer.lerning_rate'; did you "
        "mean optimizer.learning_rate? Available: optimizer, optimizer.learning_rate, ",
    ),
    "unknown section": (
        "epoch: 3",
        "2: params.epoch: unknown parameter 'epoch'; did you mean epochs? "
        "Available: optimizer, optimizer.*, ",
    ),
    "unknown choice": (
        "optimizer: {choices: [sgd, admw]}",
        "2: params.optimizer.choices[1]: unknown optimizer 'admw'; did you mean adamw? "
        "Available: sgd, rmsprop",
    ),
    "choice in capitals": (
        "optimizer: SGD",
        "2: params.optimizer: unknown optimizer 'SGD'; did you mean sgd? Available: sgd",
    ),
    "number for a name": (
        "initializer: 3",
        "2: params.initializer: must be one of zeros, ones,",
    ),
    "default outside the range": (
        "epochs: {low: 5, high: 40, default: 50}",
        "2: params.epochs.default: must be one of 5 .. 40; got 50",
    ),
    "default of another kind": (
        "model.dropout: {choices: [0.1, 0.2], default: high}",
        "2: params.model.dropout.default: must be a number; got 'high'",
    ),
    "default of a fixed value": (
        "epochs: {value: 5, default: 5}",
        "2: params.epochs.default: unknown field 'default'",
    ),
    # Bounds: fixed values, both ends, every item.
    "fixed learning rate of 0": (
        "optimizer.learning_rate: 0",
        "2: params.optimizer.learning_rate: must be above 0; got 0",
    ),
    "fixed learning rate below 0": (
        "optimizer.learning_rate: -1e-3",
        "2: params.optimizer.learning_rate: must be above 0; got -0.001",
    ),
    "low below its bound": (
        "optimizer.learning_rate: {low: -0.1, high: 0.1}",
        "2: params.optimizer.learning_rate.low: must be above 0; got -0.1",
    ),
    "high at an excluded bound": (
        "model.dropout: {low: 0.0, high: 1.0}",
        "2: params.model.dropout.high: must be at least 0, below 1; got 1.0",
    ),
    "item below its bound": (
        "optimizer.learning_rate:\n  choices:\n    - 0.1\n    - -0.1",
        "5: params.optimizer.learning_rate.choices[1]: must be above 0; got -0.1",
    ),
    "grid value below its bound": (
        "batch_size: {values: [0, 32]}",
        "2: params.batch_size.values[0]: must be at least 1, at most 1000000000; got 0",
    ),
    "draw beyond its bound": (
        "optimizer.learning_rate: {distribution: uniform, loc: 0, scale: 0.1}",
        "2: params.optimizer.learning_rate: must be above 0; uniform draws from 0 to 0.1",
    ),
    "infinity": (
        "optimizer.learning_rate: .inf",
        "2: params.optimizer.learning_rate: must be finite; got inf",
    ),
    "not a number at an end": (
        "optimizer.learning_rate: {low: .nan, high: 1}",
        "2: params.optimizer.learning_rate.low: must be finite; got nan",
    ),
    "too large to count": (
        "early_stopping.patience: 1e300",
        "2: params.early_stopping.patience: must be at most 2^53; got 1e+300",
    ),
    # Kinds.
    "text for a float": (
        "optimizer.learning_rate: fast",
        "2: params.optimizer.learning_rate: must be a number; got 'fast' (text)",
    ),
    "number in quotes": (
        "optimizer.learning_rate: '1e-4'",
        "2: params.optimizer.learning_rate: must be a number; got '1e-4' (text); "
        "write it without quotes",
    ),
    "text at an end of a range": (
        "epochs: {low: few, high: 10}",
        "2: params.epochs.low: must be a number; got 'few' (text)",
    ),
    "boolean for a number": ("epochs: true", "2: params.epochs: must be a whole number; got true"),
    "fraction for a whole number": (
        "epochs: 2.5",
        "2: params.epochs: must be a whole number; got 2.5",
    ),
    "fraction at an end of a whole range": (
        "epochs: {low: 1.5, high: 3}",
        "2: params.epochs.low: must be a whole number; got 1.5",
    ),
    "yes for a boolean": (
        "model.batch_norm: yes",
        "2: params.model.batch_norm: must be true or false; got 'yes' (text); "
        "YAML 1.2 reads yes, no, on and off as text",
    ),
    "number for a boolean": (
        "model.batch_norm: 1",
        "2: params.model.batch_norm: must be true or false; got 1",
    ),
    "null where there is a default": ("epochs: null", "2: params.epochs: must be a whole number;"),
    "bare list": (
        "batch_size: [32, 64]",
        "2: params.batch_size: must be one value; got [32, 64] (a list); to search a list write "
        "{choices: [...]}",
    ),
    "widths that are none": (
        "model.units: 64x32",
        "2: params.model.units: must be a whole number, or one width for each layer such as "
        "64-32; got '64x32' (text)",
    ),
    "one number for a list": (
        "schedule: piecewise\nschedule.boundaries: 10\nschedule.factors: [0.1]",
        "3: params.schedule.boundaries: must be a list of numbers, such as [10, 15]; got 10",
    ),
    "range of a list": (
        "schedule.boundaries: {low: 1, high: 2}",
        "2: params.schedule.boundaries: must be a fixed list of numbers; got",
    ),
    "choices of a list": (
        "schedule.factors: {choices: [1, 2]}",
        "2: params.schedule.factors: must be a fixed list of numbers; got",
    ),
    # Ranges.
    "low above high": (
        "epochs: {low: 9, high: 3}",
        "2: params.epochs: low must not be above high; got low 9, high 3",
    ),
    "log from 0": (
        "model.l2: {low: 0, high: 1, log: true}",
        "2: params.model.l2.log: log needs low above 0; got low 0",
    ),
    "log and step": (
        "model.l2: {low: 0.1, high: 1, log: true, step: 0.1}",
        "2: params.model.l2.step: log and step exclude each other; got step 0.1",
    ),
    "step that does not divide": (
        "model.dropout: {low: 0, high: 0.5, step: 0.2}",
        "2: params.model.dropout.step: must divide high - low evenly; got 0.2 from 0 to 0.5, "
        "where the last value would be 0.4",
    ),
    "step of 0": (
        "epochs: {low: 1, high: 3, step: 0}",
        "2: params.epochs.step: must be above 0; got 0",
    ),
    "fraction as a whole step": (
        "epochs: {low: 1, high: 4, step: 1.5}",
        "2: params.epochs.step: must be a whole number; got 1.5",
    ),
    "endless steps": (
        "model.dropout: {low: 0, high: 0.5, step: 1e-300}",
        "2: params.model.dropout.step: must leave at most 1000000000 values; got 1e-300",
    ),
    "range of names": (
        "optimizer: {low: 1, high: 3}",
        "2: params.optimizer: has no range: it is one of sgd, rmsprop",
    ),
    "range of booleans": (
        "model.batch_norm: {low: 0, high: 1}",
        "2: params.model.batch_norm: has no range: it is true or false; write {choices: [...]}",
    ),
    "wrong type": (
        "epochs: {type: float, low: 1, high: 3}",
        "2: params.epochs.type: must be int; got float",
    ),
    "unknown type": (
        "epochs: {type: integer, low: 1, high: 3}",
        "2: params.epochs.type: unknown value 'integer'; did you mean int? Available: int, float",
    ),
    "log that is text": (
        "optimizer.learning_rate: {low: 1e-3, high: 1, log: maybe}",
        "2: params.optimizer.learning_rate.log: must be true or false; got 'maybe' (text)",
    ),
    # Lists.
    "no choices": (
        "initializer: {choices: []}",
        "2: params.initializer.choices: must hold at least one value; got an empty list",
    ),
    "mixed choices": (
        "initializer: {choices: [1, a]}",
        "2: params.initializer.choices: must be of one kind; "
        "got a mixture of numbers (1) and text ('a')",
    ),
    "booleans among numbers": (
        "batch_size: {choices: [1, true]}",
        "2: params.batch_size.choices: must be of one kind; "
        "got a mixture of numbers (1) and true or false (true)",
    ),
    "widths and numbers mixed": (
        "model.units: {choices: [64, 64-32]}",
        "2: params.model.units.choices: must be of one kind; "
        "got a mixture of numbers (64) and text ('64-32'); write numbers in quotes too",
    ),
    "choice given twice": (
        "initializer: {choices: [zeros, ones, zeros]}",
        "2: params.initializer.choices[2]: must not be given twice; got 'zeros' (text)",
    ),
    "number given twice": (
        "optimizer.learning_rate: {values: [1, 1.0]}",
        "2: params.optimizer.learning_rate.values[1]: must not be given twice; got 1.0",
    ),
    "alias given beside its name": (
        "initializer: {choices: [zeros, zero]}",
        "2: params.initializer.choices[1]: must not be given twice; got 'zero' (text), which is "
        "the same as 'zeros' (text)",
    ),
    "list inside choices": (
        "batch_size: {choices: [[1]]}",
        "2: params.batch_size.choices[0]: must be one value; got [1] (a list)",
    ),
    "choices that are no list": (
        "batch_size: {choices: 32}",
        "2: params.batch_size.choices: must be a list; got 32",
    ),
    # Forms.
    "two forms": (
        "epochs: {low: 1, choices: [3]}",
        "2: params.epochs: must have one form; got {low, high, log, step, type} and {choices} at "
        "once",
    ),
    "no form": (
        "epochs: {min: 1, max: 3}",
        "2: params.epochs: must be a value or one of the forms {low, high, log, step, type}, "
        "{choices}, {values}, {value}, {distribution, ...}; got {'min': 1, 'max': 3}",
    ),
    "nested settings": (
        "optimizer: {learning_rate: 0.1}",
        "write optimizer.learning_rate beside it, not inside",
    ),
    "missing end": ("epochs: {low: 1}", "2: params.epochs.high: is required"),
    "unknown field of a form": (
        "epochs: {low: 1, high: 3, stepp: 2}",
        "2: params.epochs.stepp: unknown field 'stepp'; did you mean step?",
    ),
    # Distributions.
    "unknown distribution": (
        "optimizer.learning_rate: {distribution: lognormal}",
        "2: params.optimizer.learning_rate.distribution: unknown distribution 'lognormal'; "
        "did you mean lognorm? Available: uniform, loguniform, randint",
    ),
    "missing argument": (
        "optimizer.learning_rate: {distribution: loguniform, a: 0.1}",
        "2: params.optimizer.learning_rate.b: is required",
    ),
    "unknown argument": (
        "optimizer.learning_rate: {distribution: loguniform, a: 0.1, b: 1, c: 3}",
        "2: params.optimizer.learning_rate.c: unknown field 'c'",
    ),
    "arguments out of order": (
        "optimizer.learning_rate: {distribution: loguniform, a: 1, b: 0.1}",
        "2: params.optimizer.learning_rate: a must be below b; got a 1, b 0.1",
    ),
    "negative scale": (
        "model.dropout: {distribution: uniform, scale: -1}",
        "2: params.model.dropout.scale: must be above 0; got -1",
    ),
    "fractions for whole numbers": (
        "epochs: {distribution: uniform, loc: 1, scale: 3}",
        "2: params.epochs.distribution: must draw a whole number (randint); got uniform",
    ),
    "whole numbers for fractions": (
        "model.dropout: {distribution: randint, low: 0, high: 1}",
        "2: params.model.dropout.distribution: must draw a number with fractions (uniform,",
    ),
    "randint between fractions": (
        "epochs: {distribution: randint, low: 1.5, high: 3}",
        "2: params.epochs.low: must be a whole number; got 1.5",
    ),
    "distribution of names": (
        "initializer: {distribution: randint, low: 1, high: 3}",
        "2: params.initializer: has no distribution: it is one of zeros",
    ),
    "norm without ends": (
        "optimizer.learning_rate: {distribution: norm, high: 1}",
        "2: params.optimizer.learning_rate.low: is required",
    ),
    "expon before its beginning": (
        "optimizer.learning_rate_power: {distribution: expon, low: -1, high: 0}\noptimizer: ftrl",
        "2: params.optimizer.learning_rate_power.low: must be at least 0, where expon begins",
    ),
    # Conditions.
    "unknown parent": (
        "epochs: {value: 3, when: {optimzer: sgd}}\noptimizer: sgd",
        "2: params.epochs.when.optimzer: unknown parameter 'optimzer'; did you mean optimizer? "
        "Available: epochs, optimizer",
    ),
    "parent that the space does not set": (
        "epochs: {value: 3, when: {loss: huber}}\nbatch_size: 3",
        "2: params.epochs.when.loss: the space does not set loss, so nothing can depend on it. "
        "Available: batch_size",
    ),
    "value that the parent never takes": (
        "optimizer: {choices: [sgd, adam]}\nepochs: {value: 3, when: {optimizer: adamw}}",
        "3: params.epochs.when.optimizer: optimizer never takes the value 'adamw' (text) here; "
        "it takes sgd, adam",
    ),
    "value between the parent's steps": (
        "epochs: {low: 10, high: 20, step: 5}\nbatch_size: {value: 3, when: {epochs: [10, 12]}}",
        "3: params.batch_size.when.epochs: epochs never takes the value 12 here; "
        "it takes 10, 15, 20",
    ),
    "misspelt value": (
        "optimizer: {choices: [sgd, adam]}\nepochs: {value: 3, when: {optimizer: adm}}",
        "3: params.epochs.when.optimizer: unknown optimizer 'adm'; did you mean adam?",
    ),
    "continuous parent": (
        "model.dropout: {low: 0, high: 0.5}\nepochs: {value: 3, when: {model.dropout: 0.25}}",
        "3: params.epochs.when.model.dropout: model.dropout is continuous (0 .. 0.5) and meets a "
        "given value with probability 0; got 0.25",
    ),
    "no value of the parent": (
        "optimizer: sgd\nepochs: {value: 3, when: {optimizer: []}}",
        "3: params.epochs.when.optimizer: must name at least one value of optimizer",
    ),
    "when that is no mapping": (
        "optimizer: sgd\nepochs: {value: 3, when: sgd}",
        "3: params.epochs.when: must be fields with values; got 'sgd' (text)",
    ),
    "cycle": (
        "epochs: {choices: [1, 2], when: {batch_size: 3}}\n"
        "batch_size: {choices: [3, 4], when: {model.layers: 1}}\n"
        "model.layers: {choices: [1, 2], when: {epochs: 1}}",
        "2: params.epochs: a cycle of conditions: "
        "epochs needs batch_size needs model.layers needs epochs",
    ),
    "cycle of one": (
        "epochs: {choices: [1, 2], when: {epochs: 1}}",
        "2: params.epochs: a cycle of conditions: epochs needs epochs",
    ),
    "cycle through the catalogue": (
        "optimizer: {choices: [sgd], when: {optimizer.nesterov: true}}\n"
        "optimizer.nesterov: {choices: [true, false]}",
        "2: params.optimizer: a cycle of conditions: "
        "optimizer needs optimizer.nesterov needs optimizer",
    ),
    "setting of another optimizer": (
        "optimizer: {choices: [adam, lion]}\noptimizer.momentum: 0.9",
        "3: params.optimizer.momentum: does nothing here: it is a setting of sgd, rmsprop, muon; "
        "optimizer is adam, lion",
    ),
    "setting of another default": (
        "schedule.decay: 0.9",
        "2: params.schedule.decay: does nothing here: it is a setting of time, exponential, "
        "inverse_sqrt, restarts; schedule is constant, the default",
    ),
    "setting tied to another optimizer": (
        "optimizer: {choices: [sgd, adam]}\n"
        "optimizer.momentum: {value: 0.9, when: {optimizer: adam}}",
        "3: params.optimizer.momentum: does nothing with optimizer adam: "
        "it is a setting of sgd, rmsprop",
    ),
    # Between parameters.
    "layers counted twice": (
        "model.layers: 2\nmodel.units: 64-32",
        "2: params.model.layers: must be left out, since model.units (64-32) gives a width for "
        "each layer; got 2",
    ),
    "clipped twice": (
        "optimizer.clipnorm: 1.0\noptimizer.clipvalue: {choices: [null, 0.5]}",
        "3: params.optimizer.clipvalue: gradients are clipped in one way only; "
        "got optimizer.clipnorm too",
    ),
    "piecewise without boundaries": (
        "schedule: {choices: [constant, piecewise]}\nschedule.factors: [0.1]",
        "2: params.schedule: piecewise needs schedule.boundaries, such as [10, 15]; got none",
    ),
    "factors unlike boundaries": (
        "schedule: piecewise\nschedule.boundaries: [5, 10]\nschedule.factors: [0.1]",
        "4: params.schedule.factors: must be as many as schedule.boundaries ([5, 10]); got [0.1]",
    ),
    "boundaries that fall": (
        "schedule: piecewise\nschedule.boundaries: [10, 5]\nschedule.factors: [0.1, 0.2]",
        "3: params.schedule.boundaries: must rise; got [10, 5]",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_broken_rule_is_the_one_error(tmp_path, rule):
    params, expected = RULES[rule]
    errors = errors_of(tmp_path, params)
    assert len(errors) == 1, errors
    assert expected in errors[0]


def test_all_errors_of_a_file_come_at_once_in_its_order(tmp_path):
    errors = errors_of(
        tmp_path,
        "optimizer: {choices: [sgd, adam]}\n"
        "epochs: {low: 5, high: 1}\n"
        "batch_size: {values: [0, x]}\n"
        "momentum: 3\n"
        "model.dropout: {low: -1, high: 2}\n"
        "optimizer.momentum: {value: 0.9, when: {optimizer: adamw}}\n"
        "model.l2: {value: 1, when: {epochs: 7}}",
    )
    fields = [error.split(": ")[1] for error in errors]
    assert fields == [
        "params.epochs",
        "params.batch_size.values",
        "params.momentum",
        "params.model.dropout.low",
        "params.model.dropout.high",
        "params.optimizer.momentum.when.optimizer",
        "params.optimizer.momentum",
    ]
    # Nothing is said of a condition on a parameter that is itself wrong.
    assert not any("model.l2" in error for error in errors)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("description: x\n", "1: params: is required"),
        ("params: {}\n", "1: params: must hold at least one parameter with its value; got {}"),
        ("params: [epochs]\n", "1: params: must hold at least one parameter with its value"),
        ("version: 2\nparams: {epochs: 3}\n", "1: version: must be one of 1; got 2"),
        ("params: {epochs: 3}\nparam: 3\n", "2: param: unknown field 'param'; did you mean params"),
        ("name: other\nparams: {epochs: 3}\n", "1: name: must be left out"),
        ("params:\n  epochs: 3\n  epochs: 4\n", "3: params.epochs: given twice; first in line 2"),
        ("description: 3\nparams: {epochs: 3}\n", "1: description: must be text; got 3"),
    ],
)
def test_fields_of_a_file(tmp_path, text, expected):
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpaceError) as caught:
        load_space(path)
    assert str(caught.value).startswith(f"{path}:{expected}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "params",
    [
        "model.units: {choices: ['64', 64-32]}",
        "optimizer.clipnorm: {choices: [null, 1, 2.5]}",
        "optimizer.learning_rate: {choices: [1, 0.1]}",
        "epochs: {type: int, low: 5, high: 40}",
        "epochs: {low: 5, high: 5}",
        "epochs: 1e1",
        "epochs: {low: 5, high: 40, default: 7}\ninitializer: {choices: [zero], default: zero}",
        "model.dropout: {low: 0.1, high: 0.7, step: 0.1}",
        "optimizer: adam\noptimizer.momentum: null",
        "epochs: {value: 3, when: {optimizer: adam}}\noptimizer: {choices: [adam, sgd]}",
        "optimizer.clipnorm: {value: 1.0, when: {optimizer: adam}}\n"
        "optimizer.clipvalue: {value: 1.0, when: {optimizer: sgd}}\n"
        "optimizer: {choices: [adam, sgd]}",
    ],
)
def test_what_a_rule_must_not_refuse(tmp_path, params):
    path = tmp_path / "right.yaml"
    lines = "\n".join(f"  {line}" for line in params.splitlines())
    path.write_text(f"params:\n{lines}\n", encoding="utf-8")
    assert load_space(path).name == "right"
