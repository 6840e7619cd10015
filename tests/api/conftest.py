"""A search in this process, without TensorFlow: what Python's side makes of it is the test's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_trainer import FakeTrainer
from tuner.code import trusted_file
from tuner.search.loop import run_worker
from tuner.storage import open_storage, records, storage_at
from tuner.study.stored import load_study
from tuner.workers import SearchEnd
from tuner.workers.pool import PoolEnd


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, whose storage no variable names."""
    monkeypatch.chdir(tmp_path)
    for name in ("TUNER_STORAGE", "OPTUNA_STORAGE", "TUNER_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def in_process(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`tuner.optimize` runs one worker in this process, with a trainer that costs nothing."""

    def run_search(prepare: Any, display: Any, **settings: Any) -> SearchEnd:
        study = prepare()
        shown = display(study, 1)
        stored = load_study(open_storage(study.storage_url), study.name)
        trainer = FakeTrainer(
            folds=study.definition.folds.count, metrics=study.definition.all_metrics
        )
        trainer.data_hash = stored.user_attrs[records.STUDY_DATA_HASH]
        run_worker(
            study.storage_url,
            study.name,
            stop=lambda: False,
            on_event=shown.event,
            make_trainer=lambda _: trainer,
            code=trusted_file(
                study.definition.code,
                storage_at(study.storage_url).artifacts_folder(settings.get("artifacts")),
                study.name,
                trust=settings["trust_code"],
            ),
        )
        shown.close()
        return SearchEnd(study, PoolEnd("done"), ran=True)

    monkeypatch.setattr("tuner.api.run.run_search", run_search)
    return here
