"""A study of two objectives, one of them constrained, in the stock dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests.browser.serving import searched, served
from tuner.results import front

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: How many points each trace of the front's figure has, once they are drawn.
POINTS = """
(graph => {
  const drawn = graph && graph.data && graph.querySelectorAll('.scatterlayer .point').length;
  return drawn && graph.data.map(own => own.x.length);
})(document.querySelector('#graph-pareto-front'))
"""


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    params = {
        "optimizer.learning_rate": {"low": 1e-3, "high": 1.0, "log": True},
        "model.units": {"choices": ["8", "16", "32", "64", "128"]},
        "epochs": 4,
    }
    return searched(
        tmp_path_factory.mktemp("storage"),
        "two goals",
        params,
        trials=16,
        objective={"metric": "accuracy", "others": ["parameters"]},
        at_most={"parameters": 6000},
    )


@pytest.fixture
def address(storage: str) -> Iterator[str]:
    with served("two goals", storage) as page:
        yield page


def test_the_front_is_drawn(browser: Any, address: str, storage: str, tmp_path: Path) -> None:
    study = optuna.load_study(study_name="two goals", storage=storage)
    broken = [trial for trial in study.trials if trial.params["model.units"] == "128"]
    assert broken
    assert {trial.state.name for trial in broken} == {"PRUNED"}
    browser.open(address)
    points = browser.wait_for(POINTS)
    browser.screenshot(tmp_path / "front.png")
    assert sum(points) == len(study.trials)
    assert points[0] == len(broken)
    members = {trial.number for trial in front(study)}
    assert members == {trial.number for trial in study.best_trials}
    assert points[-1] == len(members)
    text = browser.evaluate("document.body.innerText")
    assert "accuracy" in text
    assert "parameters" in text
    browser.open(f"{address}/note")
    browser.wait_for("document.body.innerText.includes('Pareto front')")
    browser.screenshot(tmp_path / "note.png")
    assert {method for method, _ in browser.requests()} == {"GET"}
