"""Studies that version 0.1.0 stored are listed, shown, resumed and exported.

`study_0.1.0.db` was written by it, with all three studies on iris and three folds:

- `tpe`: 12 trials with early stopping and the median pruner, two metrics, 4 trials pruned;
- `random`: 5 trials, two of which diverged and failed;
- `grid`: 9 candidates of three shapes, interrupted after 3.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest

from tuner.cli.main import main

STORED = Path(__file__).with_name("study_0.1.0.db")


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """A copy of the file."""
    shutil.copy(STORED, tmp_path / "a.db")
    return f"sqlite:///{tmp_path}/a.db"


@pytest.fixture
def tuner(capsys: pytest.CaptureFixture[str], storage: str) -> Any:
    """`tuner("results", "grid")`: what the command prints as JSON on the copy."""

    def run(*args: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            main([*args, "--storage", storage, "--format", "json"])
        out, err = capsys.readouterr()
        assert ended.value.code in (0, None), err
        return json.loads(out)

    return run


def system_attributes(study: str, url: str) -> dict[str, Any]:
    storage = optuna.storages.get_storage(url)
    return storage.get_study_system_attrs(storage.get_study_id_from_name(study))


def test_they_are_listed(tuner: Any) -> None:
    columns = ("study", "space", "total", "complete", "pruned", "failed", "running", "waiting")
    assert [tuple(row[column] for column in columns) for row in tuner("studies", "list")] == [
        ("tpe", "tpe", 12, 8, 4, 0, 0, 0),
        ("random", "random", 5, 3, 0, 2, 0, 0),
        ("grid", "grid", 9, 3, 0, 0, 0, 6),
    ]


def test_one_is_shown_whole(tuner: Any) -> None:
    rows = tuner("results", "tpe")
    assert Counter(row["state"] for row in rows) == {"complete": 8, "pruned": 4}
    best = tuner("best", "tpe")
    assert (best["number"], best["value"]) == (11, 0.98)
    assert best["fold_scores"] == [0.98, 0.98, 0.98]
    assert best["params"]["early_stopping.patience"] == 2
    assert rows[8]["cause"] == "pruned by median after epoch 4 of 11"
    assert "f1_macro" in json.dumps(tuner("results", "tpe", "--cv-results"))


def test_failed_trials_keep_their_cause(tuner: Any) -> None:
    failed = [row for row in tuner("results", "random") if row["state"] == "failed"]
    assert len(failed) == 2
    assert all(row["cause"].startswith("diverged: the loss of fold") for row in failed)


def test_curves_are_read(tuner: Any, storage: str) -> None:
    rows = tuner("results", "tpe", "--trial", "11")
    assert [row["epoch"] for row in rows] == list(range(1, 9))
    reported = optuna.load_study(study_name="tpe", storage=storage).trials[11].intermediate_values
    means = [row["val_accuracy"] for row in rows]
    assert means == pytest.approx(list(reported.values()))
    assert rows[0]["split0_val_accuracy"] == 0.84
    assert {"split1_val_loss", "split2_accuracy", "learning_rate"} <= set(rows[0])


def test_doctor_finds_nothing_wrong_with_them(tuner: Any) -> None:
    found = tuner("doctor")
    assert [row for row in found if row["state"] != "ok"] == []


@pytest.mark.slow
def test_a_grid_is_finished(tuner: Any) -> None:
    before = tuner("results", "grid", "--state", "complete")
    tuner("resume", "grid", "--workers", "1", "--progress", "none")
    rows = tuner("results", "grid")
    assert [row["state"] for row in rows] == ["complete"] * 9
    for old, new in zip(before, rows[:3], strict=True):
        assert old["split_test_scores"] == new["split_test_scores"]
    # What 0.1.0 itself scored when it went on, but for the last bits of another processor.
    means = [0.38, 0.8733, 0.9733, 0.7067, 0.8933, 0.9467, 0.6667, 0.92, 0.94]
    assert [row["mean_test_score"] for row in rows] == pytest.approx(means, abs=0.02)


@pytest.mark.slow
def test_tpe_goes_on(tuner: Any, storage: str) -> None:
    tuner("resume", "tpe", "--trials", "14", "--workers", "1", "--progress", "none")
    rows = tuner("results", "tpe")
    assert len(rows) == 14
    # Ticket 12 draws what 0.1.0 drew: from the same seed and the same twelve trials.
    assert rows[12]["params"] == {
        "optimizer.learning_rate": pytest.approx(0.8382178749083253),
        "optimizer.momentum": pytest.approx(0.21992124967884769),
        "early_stopping.patience": 2,
        "batch_size": 16,
        "epochs": 12,
    }
    assert rows[12]["mean_test_score"] == pytest.approx(0.94, abs=0.02)
    for_dashboard = system_attributes("tpe", storage)
    assert for_dashboard["dashboard:note_str:0"].startswith("## Best trial")
    assert "dashboard:plot_data:learning-curves-accuracy:0" in for_dashboard


@pytest.mark.slow
def test_the_best_trial_is_exported(tuner: Any, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    tuner("export", "tpe", "--out", str(tmp_path / "model"))
    model = keras.saving.load_model(tmp_path / "model" / "model.keras")
    assert model.output_shape == (None, 3)
