"""The text beside a model: what it is, what it takes, what it answers."""

from __future__ import annotations

from typing import Any

from tuner.text import score_text, spread_text

_ANSWERS = {
    "binary": "the probability of class `classes[1]`, shape `(rows, 1)`",
    "multiclass": "the probability of each class, shape `(rows, {outputs})`, ordered as in "
    "`classes.json`",
    "multilabel": "the probability of each label, shape `(rows, {outputs})`, ordered as in "
    "`classes.json`",
    "regression": "values in the units of the training data, shape `(rows, {outputs})`",
}

_USE = {
    "binary": "print([classes[int(p > 0.5)] for p in answers[:, 0]])",
    "multiclass": "print([classes[i] for i in answers.argmax(axis=1)])",
    "multilabel": "print([[c for c, p in zip(classes, row) if p > 0.5] for row in answers])",
    "regression": "print(answers)",
}


def model_card(settings: dict[str, Any], preprocessing: dict[str, Any]) -> str:
    """`MODEL.md` for what `settings.json` and `preprocessing.json` hold."""
    task = settings["data"]["task"]
    outputs = preprocessing["outputs"]
    header, rows = score_table(settings)
    header[1] += " (mean ± std)"
    lines = [
        f"# {settings['study']}, trial {settings['trial']}",
        "",
        f"{_what(settings)} It loads with Keras alone.",
        "",
        "```python",
        "import json, keras, numpy as np",
        *(["import tensorflow as tf"] if preprocessing["encoding"] else []),
        'model = keras.saving.load_model("model.keras")',
        *(['classes = json.load(open("classes.json"))'] if task != "regression" else []),
        *_call(preprocessing),
        _USE[task],
        "```",
        "",
        f"- **Takes** {_takes(preprocessing)}",
        f"- **Answers** {_ANSWERS[task].format(outputs=outputs)}.",
        f"- **Scaling** is part of the model: {_scaling(preprocessing)}",
        "- The same network as architecture and weights: "
        '`keras.models.model_from_json(open("architecture.json").read())`, then '
        '`.load_weights("weights.weights.h5")`.',
        "- It is not compiled: call `model.compile(...)` before `evaluate` or `fit`.",
        "",
        "## Scores",
        "",
        f"| {' | '.join(header)} |",
        "|---" * len(header) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        *(f"- {note}." for note in score_notes(settings)),
    ]
    return "\n".join(lines)


def _what(settings: dict[str, Any]) -> str:
    data, ensemble = settings["data"], settings.get("ensemble")
    if ensemble is None:
        return (
            f"A Keras network trained on all {data['rows']} search rows of `{data['uri']}` for "
            f"{settings['epochs']} epochs."
        )
    return (
        f"The mean of {member_text(ensemble)}, each trained on its fold's part of the "
        f"{data['rows']} search rows of `{data['uri']}`, as one Keras model."
    )


def member_text(ensemble: dict[str, Any]) -> str:
    """Whose networks the `ensemble` of `settings.json` averages, and their shares."""
    members = ensemble["members"]
    count = sum(len(own["epochs"]) for own in members)
    shares = [
        f"{own['trial']}" + (f" ({own['weight']:.0%})" if members[1:] else "") for own in members
    ]
    return f"the {count} fold networks of trial{'s' if members[1:] else ''} {', '.join(shares)}"


_NETWORK = (
    " `network.keras` is the network behind them: it takes the columns as `preprocessing.json` "
    "encodes them."
)

#: One value of a column of each kind, in Python.
_VALUES = {"number": "0.0", "date": "20000.0"}


def _call(preprocessing: dict[str, Any]) -> list[str]:
    """Lines of Python that call the model with one row."""
    if not preprocessing["encoding"]:
        return [
            f"x = np.zeros((1, {preprocessing['features']}))  # your rows",
            "answers = model.predict(x, verbose=0)",
        ]
    lines = []
    for column in preprocessing["encoding"]["columns"]:
        text = column["kind"] == "category"
        value = repr(column["levels"][-1]) if text else _VALUES[column["kind"]]
        dtype = "" if text else ', "float64"'
        lines.append(f"    {column['name']!r}: tf.constant([[{value}]]{dtype}),")
    return ["row = {", *lines, "}", "answers = np.asarray(model(row))"]


def _takes(preprocessing: dict[str, Any]) -> str:
    if preprocessing["encoding"]:
        return (
            "the table's columns as a dict, shape `(rows, 1)` each: numbers with NaN for a missing "
            "one, dates as days since 1970-01-01, text with `''` for a missing one. Levels that "
            "the training did not have are answered too. Give the columns of `model.input` alone: "
            "with others in the dict Keras takes them by their place, and only warns."
        ) + ("" if "networks" in preprocessing else _NETWORK)
    return f"raw features, shape `(rows, {preprocessing['features']})`: {_features(preprocessing)}"


def _features(preprocessing: dict[str, Any]) -> str:
    shape, names = preprocessing["image_shape"], preprocessing["feature_names"]
    if shape is not None:
        size = " x ".join(str(side) for side in shape)
        scale = preprocessing["byte_scale"]
        values = f"from 0 to {round(1 / scale)}" if scale != 1.0 else "as in the data"
        return f"images of {size}, flattened row by row, with values {values}."
    if names is not None and len(names) <= 30:
        return "the columns " + ", ".join(f"`{name}`" for name in names) + ", in this order."
    return "the columns as in the data, in the same order."


def _scaling(preprocessing: dict[str, Any]) -> str:
    parts = []
    whose, own = "its", preprocessing
    if "networks" in preprocessing:
        whose, own = "each network's", preprocessing["networks"][0]
    if preprocessing["encoding"]:
        parts.append("gaps, levels and scales are what its first layers make of the columns")
    elif preprocessing["byte_scale"] != 1.0 or own["scale"] is not None:
        parts.append(
            f"{whose} first layer (`input_scaling`) brings the features to the trained scale"
        )
    if own["target_scaling"] is not None:
        last = (
            "last layers (`target_scaling`, ...) bring"
            if preprocessing.get("target_log")
            else ("last layer (`target_scaling`) brings")
        )
        parts.append(f"{whose} {last} the answers back to their units")
    return ("; ".join(parts) or "there is none: the features were trained on as they are") + "."


def score_table(settings: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """A header, and each metric with its mean and deviation over the folds and its score on the
    test rows; of an ensemble also those of its best trial alone."""
    columns = {"cross-validation": settings["cross_validation"]}
    ensemble = settings.get("ensemble")
    if ensemble and ensemble["kind"] == "selection":
        if ensemble["elsewhere"] is not None:
            columns["chosen on other folds"] = ensemble["elsewhere"]
        columns[f"trial {settings['trial']} alone"] = ensemble["single"]["cross_validation"]
    columns["test rows"] = settings["test"] or {}
    if ensemble and ensemble["single"]["test"]:
        columns[f"trial {settings['trial']} refitted, test rows"] = ensemble["single"]["test"]
    rows = [
        [name, *(_score_cell(own.get(name)) for own in columns.values())]
        for name in dict.fromkeys(name for own in columns.values() for name in own)
    ]
    return ["metric", *columns], rows


def _score_cell(score: Any) -> str:
    """Of scores per fold their mean and deviation."""
    return spread_text(score) if isinstance(score, list) else score_text(score)


def score_notes(settings: dict[str, Any]) -> list[str]:
    """What is to be known of the scores, a line each."""
    notes, ensemble = [], settings.get("ensemble")
    if ensemble and ensemble["kind"] == "folds":
        note = "cross-validation is each network's score on its own fold"
        if settings["test"] is None:
            note += "; what their mean gains is seen on test rows alone, and there are none"
        notes.append(note)
    elif ensemble:
        note = "cross-validation is of the rows that chose the shares, so it promises too much"
        if ensemble["elsewhere"] is not None:
            note += "; beside it each fold's score with the shares that the others choose"
        notes.append(note)
    if (calibration := settings.get("calibration")) is not None:
        before, after = (score_text(calibration[name]) for name in ("before", "after"))
        notes.append(
            f"temperature {calibration['temperature']:.4g}: out-of-fold log loss {before} before, "
            f"{after} after; cross-validation is without it"
        )
    return notes
