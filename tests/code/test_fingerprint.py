"""What makes code the same: not the bytes of its pickle."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from sklearn.metrics import fbeta_score, make_scorer

from tuner.code import fingerprint

SCRIPT = """
import dataclasses, functools, sys
import numpy as np
import optuna
from tuner.code import fingerprint

COLOURS = {"red", "green", "blue"}

def helper(x):
    return x in {"q", "r", "s"} or x in COLOURS

def cost(y, p):
    return float(helper("q")) + np.mean(y == p)

def scaled(k):
    return lambda y, p: k * cost(y, p)

def again(n):
    return again(n - 1) if n else 0

@dataclasses.dataclass
class Own(optuna.samplers.TPESampler):
    tags: tuple = ("x", frozenset({"y", "zz", "hello"}))

things = cost, scaled(2), again, Own, Own(), functools.partial(cost, p=3)
print(*map(fingerprint, things))
"""


def prints(folder: Path, text: str, seed: int = 0, name: str = "script.py") -> list[str]:
    (folder / name).write_text(text)
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, name]
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return ended.stdout.split()


@pytest.mark.slow  # several processes
def test_it_is_the_same_in_every_process_wherever_it_stands(tmp_path):
    first = prints(tmp_path, SCRIPT)
    assert len(set(first)) == 6
    moved = SCRIPT.replace("def cost", "# a comment\n\n\ndef cost")
    assert prints(tmp_path, moved, seed=1, name="other.py") == first
    helper = SCRIPT.replace('"s"}', '"t"}')  # which cost calls, and what closes over it
    assert [a == b for a, b in zip(prints(tmp_path, helper), first, strict=True)] == [
        False, False, True, True, True, False,
    ]  # fmt: skip


LIMIT = 3


def limited(x: Any) -> Any:
    return min(x, LIMIT)


def made(factor: float) -> Any:
    def inner(x: Any, y: Any = factor) -> Any:
        return x * factor

    return inner


def test_what_code_uses_counts(monkeypatch):
    before = fingerprint(limited)
    monkeypatch.setitem(globals(), "LIMIT", 4)
    assert fingerprint(limited) != before
    assert fingerprint(made(1.0)) == fingerprint(made(1.0)) != fingerprint(made(2.0))
    assert fingerprint(functools.partial(limited, 1)) != fingerprint(functools.partial(limited, 2))
    assert fingerprint(np.arange(3)) != fingerprint(np.arange(3.0))
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_of_installed_packages_the_name_counts():
    assert fingerprint(fbeta_score) != fingerprint(optuna.create_study)
    scorers = [make_scorer(fbeta_score, beta=beta) for beta in (1, 1, 2)]
    first, same, other = map(fingerprint, scorers)
    assert first == same != other


def test_random_numbers_do_not_count():
    fresh, used = optuna.samplers.TPESampler(), optuna.samplers.TPESampler(seed=3)
    optuna.create_study(sampler=used).ask({"x": optuna.distributions.FloatDistribution(0, 1)})
    assert fingerprint(fresh) == fingerprint(optuna.samplers.TPESampler(seed=1))
    assert fingerprint(fresh) != fingerprint(optuna.samplers.TPESampler(n_startup_trials=3))
    assert fingerprint(np.random.default_rng(1)) == fingerprint(np.random.default_rng(2))


def test_circles_end():
    held: list[Any] = [1]
    held.append(held)
    assert fingerprint(held) != fingerprint([1, [1]])
