"""The constructor's parameters in words, from the catalogue: docstrings and docs/sklearn.md."""

from __future__ import annotations

import textwrap
from typing import Any, NamedTuple

from tuner.parameters import ParameterInfo
from tuner.sklearn.estimators.parameters import PARAMETERS
from tuner.spaces.catalogue import CATALOGUE


class Described(NamedTuple):
    """A parameter, what it may be, and what it is for."""

    name: str
    values: str
    help: str


_OWN = (
    Described(
        "validation_fraction",
        "float above 0, below 1",
        "Share of the rows that are held out, by class for classes, when `patience` is given, "
        "`restore_best_weights` is true or the schedule is plateau: these watch the loss on them.",
    ),
    Described(
        "categorical_features",
        "from_dtype, columns or None",
        "None: X holds numbers, which are trained on as they are. from_dtype: X is a table whose "
        "columns of text, categories, booleans, dates and numbers, gaps included, are encoded and "
        "scaled, by the rows of the fit. Names, numbers or a mask of columns: likewise, these "
        "being the categories.",
    ),
    Described(
        "random_state",
        "int, RandomState or None",
        "An integer gives the same network, to the last bit, at every fit on one machine.",
    ),
    Described(
        "warm_start",
        "bool",
        "Go on from the last fit, optimizer state included, for `epochs` more.",
    ),
    Described("verbose", "bool", "Print a line an epoch."),
)
_SIZES = Described(
    "hidden_layer_sizes",
    "int or sequence of int",
    "Width of each hidden layer; an empty sequence for none.",
)
_ATTRIBUTES = """
n_features_in_ : int
feature_names_in_ : ndarray of shape (n_features_in_,), if X had names
loss_curve_ : list of float, the training loss of every epoch
history_ : dict of lists: loss, learning_rate, and val_loss if rows were held out
n_iter_ : int, epochs trained
coefs_, intercepts_ : list of ndarray, kernel and bias of each layer
weights_ : list of ndarray, all weights as `keras.Sequential.get_weights()` orders them
model_ : keras.Sequential, the trained network; a regressor's answers in the units of y. With
    categorical_features a keras.Model of the table's columns
input_names_ : list of str, what the network's inputs are
columns_ : what the columns of X became, with categorical_features, else None
is_categorical_ : ndarray of bool, which columns of X hold categories; with categorical_features
n_layers_, n_outputs_, out_activation_ : as scikit-learn's MLP estimators have them
plan_ : tuner.planning.TrainingPlan, what was trained
"""


def described() -> list[Described]:
    """Every constructor parameter, sizes first, then the catalogue's order."""
    listed = [_described(flat, CATALOGUE[dotted]) for flat, dotted in PARAMETERS.items()]
    return [_SIZES, *listed, *_OWN]


def with_parameters(text: str) -> str:
    """`text` with numpydoc's list of parameters where it says `{parameters}`, and the attributes
    that both estimators have where it says `{attributes}`."""
    lines = ["Parameters", "----------"]
    for name, values, words in described():
        lines.append(f"{name} : {values}")
        lines += textwrap.wrap(words, 92, initial_indent="    ", subsequent_indent="    ")
    listed = textwrap.indent("\n".join(lines), "    ").lstrip()
    attributes = textwrap.indent(_ATTRIBUTES, "    ").strip()
    return text.replace("{parameters}", listed).replace("{attributes}", attributes)


def table(defaults: dict[str, Any]) -> str:
    """The parameters as a Markdown table."""
    rows = ["| parameter | default | values | |", "|---|---|---|---|"]
    for name, values, words in described():
        rows.append(f"| `{name}` | `{defaults[name]!r}` | {values} | {words} |")
    return "\n".join(rows)


def _described(flat: str, info: ParameterInfo) -> Described:
    values = info.kind if info.kind != "category" else ", ".join(info.names)
    bounds = f" {info.bounds}" if info.bounds else ""
    values = f"list of {values}{bounds}" if info.many else f"{values}{bounds}"
    words = info.help
    if flat == "patience":
        words = "Epochs without a better loss on the held-out rows before training ends."
    if flat == "class_weight":
        values = "balanced, dict of labels to numbers, or None"
        words = "Factors of the losses of a class's rows, as scikit-learn's; of a classifier only."
    for group, names in info.only_with.items():
        if group != "loss":
            words += f" With {group} {', '.join(names)}."
    return Described(flat, values, words)
