"""The notebook of examples/ runs in a kernel of its own, and shows what it should."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support import ROOT


@pytest.mark.slow
def test_the_notebook_runs_and_shows_progress_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for name in ("TUNER_STORAGE", "OPTUNA_STORAGE", "TUNER_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)
    path = ROOT / "examples" / "search.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    if kept := os.environ.get("TUNER_NOTEBOOK"):  # to be looked at
        nbformat.write(notebook, kept)
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    progress, result = outputs[0]
    shown = progress.data["text/html"]
    assert "8/8 trials" in shown
    assert "best: trial" in shown
    assert "is taken for 10 classes" in shown
    assert "<table>" in result.data["text/html"]
    for cell in outputs:
        for output in cell:
            assert output.output_type != "error"
            # Nothing for people went where a notebook paints it red.
            assert output.get("name") != "stderr", output.text
    assert re.search(r"\d+ +adam|sgd|space-", str(outputs[-1]))
