"""What a person sees: `tuner serve` on a study of our own search, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests.browser.serving import searched, served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: What a Plotly graph has drawn, once it is `lines` lines of at least two points: the entries of
#: its legend.
DRAWN = """
(graph => {{
  const lines = [...graph.querySelectorAll('.scatterlayer .trace path.js-line')]
    .filter(path => /[LCHV]/.test(path.getAttribute('d')));
  const legend = [...graph.querySelectorAll('.legendtext')].map(e => e.textContent.trim());
  return lines.length === {lines} && legend;
}})(document.getElementById({graph!r}))
"""

#: The rows of the page's table of trials, cell by cell.
ROWS = """
[...document.querySelectorAll('table')].flatMap(table => {
  const head = [...table.querySelectorAll('th')].map(e => e.innerText.trim());
  if (!head.some(text => text.startsWith('Number'))) return [];
  return [...table.querySelectorAll('tbody tr')]
    .map(row => [...row.querySelectorAll('td')].map(cell => cell.innerText.trim()))
    .filter(cells => cells.length > 3);
})
"""


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real search on real digits: 8 trials, some of them pruned."""
    params = {
        "optimizer.learning_rate": {"low": 1e-4, "high": 1.0, "log": True},
        "schedule": "time",
        "schedule.decay": {"low": 1e-6, "high": 1e-2, "log": True},
        "model.units": "32",
        "epochs": 8,
    }
    return searched(
        tmp_path_factory.mktemp("storage"),
        "sgd digits",
        params,
        trials=8,
        sampler={"name": "random"},
        pruner={"name": "median", "n_startup_trials": 3, "n_warmup_steps": 2},
    )


@pytest.fixture
def address(storage: str) -> Iterator[str]:
    with served("sgd digits", storage) as page:
        yield page


def test_the_trial_table_and_the_learning_curves_are_there(
    browser: Any, address: str, storage: str, tmp_path: Path
) -> None:
    study = optuna.load_study(study_name="sgd digits", storage=storage)
    states = [trial.state.name for trial in study.trials]
    assert len(states) == 8
    assert {"COMPLETE", "PRUNED"} == set(states), "the example should have both"

    browser.open(address)
    # Optuna's own plot of the reported values: one curve a trial, pruned ones included.
    named = browser.wait_for(DRAWN.format(graph="graph-intermediate-values", lines=8))
    assert len(named) == 8
    # Ours: training and validation of the best completed trials, and the span of the folds, whose
    # two edges are lines as well.
    best, shown = study.best_trial.number, min(5, states.count("COMPLETE"))
    for metric in ("accuracy", "loss"):
        graph = f"user-defined-plot:learning-curves-{metric}"
        named = browser.wait_for(DRAWN.format(graph=graph, lines=2 * shown + 2))
        assert named[:3] == [
            "folds of the best",
            f"trial {best}, validation",
            f"trial {best}, training",
        ]
    rates = DRAWN.format(graph="user-defined-plot:learning-rate", lines=shown)
    assert browser.wait_for(rates)[0] == f"trial {best}"
    browser.screenshot(tmp_path / "curves.png")

    browser.open(f"{address}/smartSelection")
    rows = browser.wait_for(f"(rows => rows.length >= 8 && rows)({ROWS.strip()})")
    assert [row[:2] for row in rows] == [
        [str(trial.number), {"COMPLETE": "Complete", "PRUNED": "Pruned"}[trial.state.name]]
        for trial in study.trials
    ]
    for row, trial in zip(rows, study.trials, strict=True):
        assert float(row[2]) == pytest.approx(trial.value)
        assert str(trial.params["optimizer.learning_rate"]) in row
    browser.screenshot(tmp_path / "table.png")

    browser.open(f"{address}/note")
    browser.wait_for("document.body.innerText.includes('Best trial')")
    text = browser.evaluate("document.body.innerText")
    assert f"Trial {best}: accuracy {study.best_value:.4f}" in text
    assert "tuner export 'sgd digits' --out" in text
    browser.screenshot(tmp_path / "note.png")

    # Looking changes nothing, so that a read-only dashboard refuses nothing a viewer needs.
    assert {method for method, _ in browser.requests()} == {"GET"}
    assert all((tmp_path / f"{name}.png").stat().st_size > 10_000 for name in ("curves", "table"))


#: Presses the button, once there is one, that `find` gives.
PRESS = "(button => button && (button.click(), true))({find})"
DIALOG = "[...document.querySelectorAll('[role=dialog] button')]"
REASON = "the dashboard is read-only; start it with tuner serve --allow-edit"


def test_a_refused_change_says_why(browser: Any, address: str, tmp_path: Path) -> None:
    """Also where the dashboard's own pages say only that it failed."""
    shown = f"document.body.innerText.includes({REASON!r})"
    browser.open(address.rsplit("/studies", 1)[0])
    browser.wait_for(PRESS.format(find="document.querySelector('[aria-label=\"delete study\"]')"))
    browser.wait_for(PRESS.format(find=f"{DIALOG}.find(e => /yes/i.test(e.innerText))"))
    browser.wait_for(shown)
    browser.screenshot(tmp_path / "deleted.png")
    browser.wait_for("document.body.innerText.includes('sgd digits')")

    browser.open(f"{address}/note")
    browser.wait_for("document.body.innerText.includes('Best trial')")
    pen = "document.querySelector('[data-testid=EditIcon]')?.closest('button')"
    browser.wait_for(PRESS.format(find=pen))
    browser.wait_for("(text => text && (text.focus(), true))(document.querySelector('textarea'))")
    browser.send("Input.insertText", text="my words")
    save = "[...document.querySelectorAll('button')].find(e => /save/i.test(e.innerText))"
    browser.wait_for(f"(button => button && !button.disabled)({save})")
    browser.wait_for(PRESS.format(find=save))
    browser.wait_for(shown)
    # The page says it itself here; once is enough.
    assert browser.evaluate("document.querySelector('body > [role=alert]')") is None
    assert {method for method, _ in browser.requests()} == {"GET", "DELETE", "PUT"}
