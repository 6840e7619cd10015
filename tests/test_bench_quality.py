"""`bench.quality`: what stands in the file is not run again, and what the summary says of it."""

import json

import numpy as np
import pytest

from bench.quality.runs import Answer, read, run_all
from bench.quality.summary import summary


def test_a_stopped_call_goes_on_and_its_figures_add_up(tmp_path, capsys):
    file, calls = tmp_path / "runs.jsonl", []

    def first_class(rows, X):
        calls.append(len(rows.y) + len(X))
        yield "", Answer(np.tile(np.eye(3, dtype=np.float32)[0], (len(X), 1)), 0.1)

    def knows(rows, X):
        yield "", Answer(np.full((len(X), 3), 1 / 3), 0.1)

    run_all(file, "defaults", first_class, ["wine"], [0, 1])
    with file.open("a") as lines:
        lines.write('{"contender": "defaults", "ta')  # a run that was cut off while it wrote
    assert len(list(read(file))) == 2
    run_all(file, "defaults", first_class, ["wine"], [0, 1, 2])
    run_all(file, "realmlp", knows, ["wine"], [0, 1, 2])
    assert calls == [178, 178, 178]
    runs = list(read(file))
    assert [run.fold for run in runs] == [0, 1, 2, 0, 1, 2]
    # A third of wine is of its first class.
    assert runs[0].score == pytest.approx(59 / 178, abs=0.02)
    assert runs[3].loss == pytest.approx(np.log(3))
    told = summary(runs, ["wine"])
    assert "1 of 1 within one, 1 better or equal; +0.0000 and +0.00 standard errors" in told
    assert "not measured" in told
    other = json.loads(file.read_text().splitlines()[0]) | {"data": "other"}
    file.write_text(file.read_text() + json.dumps(other) + "\n")
    with pytest.raises(SystemExit, match="different rows"):
        summary(list(read(file)), ["wine"])
