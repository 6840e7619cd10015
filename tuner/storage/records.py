"""Names and forms of everything that `tuner` keeps in an Optuna storage.

The only file that spells names of attributes: the others import them. Optuna's own columns
(state, params, value, intermediate values, dates) are used as Optuna means them: the intermediate
value at step e is the mean validation score over the folds after epoch e + 1.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from tuner.training.scores import FoldStatus, TrialScores

State = Literal["complete", "pruned", "failed", "running", "waiting"]

#: Version of the layout below. A storage that holds a higher one is refused.
VERSION = 2
#: The version from which on tables hold other columns than numbers.
TABLES = 2

# Study user attributes (the dashboard shows them).
STUDY_VERSION = "tuner:version"
STUDY_DEFINITION = "tuner:definition"  # JSON text of the StudyDefinition
STUDY_DEFINITION_HASH = "tuner:definition_hash"
STUDY_DATA_HASH = "tuner:data_hash"
STUDY_TASK = "tuner:task"
STUDY_NESTED = "tuner:nested"  # list, an outer fold each: see `tuner.results.nested`
STUDY_KEY = "tuner:key"  # random: tells the study from all others

# Study system attribute: how many trials in all. Written after their tickets.
STUDY_TOTAL = "tuner:total"

# Trial user attributes (columns of the dashboard: short).
TICKET = "ticket"  # int from 0; a retry shares it
ATTEMPT = "attempt"  # int from 0
FOLD_SCORES = "fold_scores"  # list: the objective per fold
SCORE_EPOCHS = "score_epochs"  # list: the 1-based epoch each fold is scored at
EPOCHS_RUN = "epochs_run"  # int
DURATION = "duration_s"  # float: seconds of training
CAUSE = "cause"  # text: why it was pruned or failed
PARAMETERS = "parameters"  # int: weights of one network
METRICS = "metrics"  # dict: metric -> list of validation scores per fold

# Trial system attributes (not shown).
CURVES = "tuner:curves"
RECORD = "tuner:record"  # JSON: what else its trainer keeps of it (`TrialScores.record`)
HEARTBEAT = "tuner:heartbeat"  # UTC seconds by the worker's clock; databases have Optuna's table
WORKER = "tuner:worker"  # who runs it: see `tuner.storage.owner`
#: list: the epochs after which it went on from a checkpoint; absent: it was never interrupted.
RESUMED = "tuner:resumed"
#: int: how many trials of this ticket came before, retries and handed-back ones; absent: 0.
TURN = "tuner:turn"
#: Why a FAIL is no failed attempt like others: one of the five below. A FAIL without it is
#: retried, by whoever finds it, as often as the definition allows.
SETTLED = "tuner:settled"
FINAL = "final"  # its cause lies in its parameters: not retried
KILLED = "killed"  # it broke a limit of its worker: its ticket is tried once more, alone
AVOIDED = "avoided"  # it did so alone, too: not retried, and no trial with its parameters is run
HANDED_BACK = "handed back"  # a shutdown: its ticket is tried again, at no attempt's cost
DUPLICATE = "duplicate"  # another trial stands in its place (of the same ticket): this one is void

#: A trial's state in words, by Optuna's name for it.
STATES: dict[str, State] = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}

#: bool: the trial is run while no other worker of this study trains on its machine.
ALONE = "tuner:alone"

#: bool: a point that somebody named: its ticket is begun before the others that wait.
FIRST = "tuner:first"

#: Optuna's own: the parameters that a trial was queued with.
FIXED_PARAMS = "fixed_params"
#: What a trial that tries a ticket again takes over from the one before.
KEPT = (FIXED_PARAMS, ALONE, FIRST)
#: Optuna's own: list of numbers, of which none is above 0 if the trial keeps the constraints.
CONSTRAINTS = "constraints"
#: Under these and the rung's number Optuna's successive halving (and Hyperband) keeps the score
#: with which a trial reached a rung.
RUNG = "completed_rung_"

#: MySQL's TEXT column holds 65,535 bytes: longer curves go on under `tuner:curves:1`, `:2`, ...
CHUNK = 60_000


#: How the cause of a trial begins, pruned or failed, whose loss stopped being finite.
DIVERGED = "diverged: "


def diverged(cause: str | None) -> bool:
    """Whether a trial of this cause diverged."""
    return cause is not None and cause.startswith(DIVERGED)


def recorded(trial: FrozenTrial, name: str) -> Any:
    """The trial's user attribute `name` (one of those above); None if it has none, or one that is
    not of the form above: others give their trials attributes of the same names."""
    value = trial.user_attrs.get(name)
    return value if fits(name, value) else None


def fits(name: str, value: object) -> bool:
    """Whether a value of the trials' user attribute `name` is of its form."""
    return _FORMS[name](value)


def _is_number(value: object) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) < 2**63)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_scores(value: object) -> bool:
    return isinstance(value, list) and all(own is None or _is_number(own) for own in value)


_FORMS: dict[str, Callable[[object], bool]] = {
    TICKET: _is_count,
    ATTEMPT: _is_count,
    EPOCHS_RUN: _is_count,
    PARAMETERS: _is_count,
    DURATION: _is_number,
    CAUSE: lambda value: isinstance(value, str),
    FOLD_SCORES: _is_scores,
    SCORE_EPOCHS: lambda value: isinstance(value, list) and all(map(_is_count, value)),
    METRICS: lambda value: isinstance(value, dict) and all(map(_is_scores, value.values())),
}


def is_feasible(trial: FrozenTrial) -> bool:
    """Whether the trial keeps the study's constraints, as far as they are known."""
    return is_kept(trial.system_attrs.get(CONSTRAINTS))


def is_kept(constraints: Sequence[float] | None) -> bool:
    """Whether none of them is broken; None: nothing is known."""
    return not any(_is_number(own) and own > 0 for own in constraints or ())


def state_of(trial: FrozenTrial) -> State:
    """How the trial stands, in one word."""
    return STATES[trial.state.name]


@dataclass(frozen=True, eq=False)
class Curves:
    """A trial's scores after every epoch.

    Attributes:
        train, validation: metric to scores `(epochs_run, folds)` float32; NaN if a fold did not
            run.
        learning_rate: `(epochs_run, folds)` float32.
        epoch_seconds: `(epochs_run,)` float32.
        status: per fold, as in `TrialScores.status`.
    """

    train: dict[str, NDArray[np.float32]]
    validation: dict[str, NDArray[np.float32]]
    learning_rate: NDArray[np.float32]
    epoch_seconds: NDArray[np.float32]
    status: tuple[FoldStatus, ...]


def encode_curves(scores: TrialScores) -> str:
    """The curves of `scores` as ASCII text.

    Form: base64 of zlib of: the length of a JSON header (4 bytes, little endian), the header
    (epochs, folds, metric names, status), then all numbers as float32 with the bytes of equal
    rank side by side (the exponents of a curve hardly change, so they compress well).
    """
    header = json.dumps(
        {
            "epochs": scores.epochs_run,
            "folds": len(scores.status),
            "train": list(scores.train),
            "validation": list(scores.validation),
            "status": list(scores.status),
        },
        separators=(",", ":"),
    ).encode()
    curves = (*scores.train.values(), *scores.validation.values(), scores.learning_rate)
    # Column by column: one fold's neighbouring epochs are alike, different folds are less so.
    columns = [np.ravel(block, order="F") for block in (*curves, scores.epoch_seconds)]
    with np.errstate(over="ignore"):  # a trial that diverged: infinite in float32
        numbers = np.concatenate(columns).astype("<f4")
    planes = numbers.view(np.uint8).reshape(-1, 4).T.tobytes()
    packed = zlib.compress(len(header).to_bytes(4, "little") + header + planes, 6)
    return base64.b64encode(packed).decode("ascii")


def decode_curves(text: str) -> Curves:
    """The inverse of `encode_curves`, in float32."""
    raw = zlib.decompress(base64.b64decode(text))
    length = int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4 : 4 + length])
    planes = np.frombuffer(raw, np.uint8, offset=4 + length).reshape(4, -1)
    numbers = np.ascontiguousarray(planes.T).view("<f4").ravel().astype(np.float32)
    train, validation = header["train"], header["validation"]
    shape = (len(train) + len(validation) + 1, header["folds"], header["epochs"])
    *scores, rates = numbers[: math.prod(shape)].reshape(shape).transpose(0, 2, 1)
    return Curves(
        dict(zip(train, scores, strict=False)),
        dict(zip(validation, scores[len(train) :], strict=True)),
        rates,
        numbers[math.prod(shape) :],
        tuple(header["status"]),
    )


def curve_attributes(scores: TrialScores) -> dict[str, str]:
    """Trial system attributes that hold the curves: one, or several if the text is long."""
    text = encode_curves(scores)
    parts = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
    return {CURVES if i == 0 else f"{CURVES}:{i}": part for i, part in enumerate(parts)}


def read_curves(trial: FrozenTrial) -> Curves | None:
    """The curves of a stored trial; None if it has none (it failed, or still runs) that can be
    read."""
    attributes: Mapping[str, Any] = trial.system_attrs
    first = attributes.get(CURVES)
    if not isinstance(first, str):
        return None
    more = (str(attributes.get(f"{CURVES}:{i}", "")) for i in count(1))
    try:
        return decode_curves("".join([first, *takewhile(bool, more)]))
    except (ValueError, LookupError, TypeError, zlib.error):  # somebody else has written there
        return None
