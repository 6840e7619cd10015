"""What `tuner optimize`, `resume` and `worker` refuse: one paragraph, the exit code, no trace."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tuner.cli.main import main

CSV = "a,b,label\n" + "".join(f"{i},{i % 7},{'xy'[i % 2]}\n" for i in range(40))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("TUNER_STORAGE", "OPTUNA_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def call(capsys, *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--space", "sgd_decya"], ["sgd_decya", "did you mean sgd_decay?"]),
        (["--space", "missing.yaml"], ["missing.yaml"]),
        (["--study", "initialisers"], ["initialisers", "did you mean initializers?"]),
        (["--data", "csv:none.csv"], ["none.csv"]),
        (["--space", "sgd_decay", "--set", "epohcs=3"], ["epohcs", "epochs"]),
        (["--space", "sgd_decay", "--set", "epochs"], ["--set takes PARAMETER=VALUE", "epochs"]),
        (
            ["--space", "sgd_decay", "--set", "optimizer.learning_rate=-1"],
            ["optimizer.learning_rate", "-1"],
        ),
        (["--space", "sgd_decay", "--timeout", "soon"], ["--timeout", "soon", "10m"]),
        (["--space", "sgd_decay", "--timeout", "0"], ["--timeout", "more than 0 s"]),
        (["--space", "sgd_decay", "--memory", "much"], ["--memory", "much", "2G"]),
        (["--space", "sgd_decay", "--sampler", "tep"], ["tep", "tpe"]),
        (["--space", "sgd_decay", "--pruner", "medain"], ["medain", "median"]),
        (["--space", "sgd_decay", "--metric", "acuracy"], ["acuracy", "accuracy"]),
        (["--space", "sgd_decay", "--metric", "acc"], ["did you mean accuracy?"]),
        (["--space", "sgd"], ["did you mean sgd_decay?"]),
        (["--space", "optimizers", "--set", "optimizer=SGD"], ["did you mean sgd?"]),
        (["--space", "sgd_decay", "--set", "lr=1"], ["did you mean optimizer.learning_rate?"]),
        (["--space", "sgd_decay", "--data", "npz:mnist.npz?"], ["mnist.npz?'", "working dir"]),
        (["--space", "sgd_decay", "--data", "mnist.npz"], ["did you mean npz:mnist.npz? Avail"]),
        (
            ["--space", "sgd_decay", "--data", "csv:long.csv"],
            ["a line of a table may have 131072"],
        ),
        (["--metrc", "loss"], ["unknown option '--metrc'", "--metric?", "tuner optimize --help"]),
        (
            ["--space"],
            ["option '--space' requires an argument", "Available: tuner optimize --help"],
        ),
        (["--space", "sgd_decay", "--workers", "0"], ["--workers must be", "1 to 1000"]),
        (["--space", "sgd_decay", "--progress", "plian"], ["--progress", "did you mean plain?"]),
        (["--space", "sgd_decay", "more"], ["unexpected extra argument (more)"]),
        (["--space", "sgd_decay", "--folds", "1"], ["--folds", "1"]),
        (["--space", "sgd_decay", "--sampler", "grid"], ["sgd_decay", "optimizer.learning_rate"]),
        (["--space", "sgd_decay", "--data", "sklearn:digit"], ["digit", "digits"]),
        (["--space", "sgd_decay", "--data", "csv:none.csv"], ["none.csv"]),
        (["--space", "sgd_decay", "--data", "csv:few.csv", "--folds", "30"], ["30"]),
        (["--space", "sgd_decay", "--data", "csv:few.csv", "--target", "lable"], ["lable"]),
        (["--space", "sgd_decay", "--storage", "redis://host"], ["redis", "sqlite:///"]),
    ],
)
@pytest.mark.usefixtures("leaves_no_children")
def test_bad_input_is_one_paragraph_and_leaves_nothing(folder, capsys, args, said):
    (folder / "few.csv").write_text(CSV)
    (folder / "long.csv").write_text(f"a,label\n1,x\n{'x' * 5_000_000},y\n")
    code, out, err = call(capsys, "optimize", "--format", "json", *args)
    assert code == 2
    assert out == ""
    started, error, _ = err.partition("error: ")
    assert error
    # Before what data say of themselves stands that they are loaded; before all else nothing.
    # Without a space the data are looked at first, for one that fits them.
    loaded = any(text.startswith(("npz:", "csv:", "sklearn:")) for text in args)
    loaded = loaded and not {"--space", "--study"}.isdisjoint(args)
    assert bool(re.fullmatch(r"loading the data, starting \d+ workers?\n", started)) == loaded
    assert loaded or started == ""
    assert len(err) < 2500
    assert "Traceback" not in err
    assert "\n\n" not in err
    for text in said:
        assert text in err
    assert {path.name for path in folder.iterdir()} == {"few.csv", "long.csv"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["optmize"], "unknown command 'optmize'; did you mean optimize?"),
        (["spaces", "lst"], "unknown command 'lst'; did you mean list?"),
        (["studies", "rm"], "Available: delete, list, show"),
        (["--frmat", "json", "best"], "unknown option '--frmat'; did you mean --format?"),
        (
            ["--format", "jsn", "spaces", "list"],
            "--format: unknown value 'jsn'; did you mean json?",
        ),
        (["resume"], "missing argument 'NAME'. Available: tuner resume --help"),
        (["export", "x"], "missing option '--out'. Available: tuner export --help"),
        (["spaces", "show", "x", "--format"], "argument. Available: tuner spaces show --help"),
        (["--format"], "option '--format' requires an argument. Available: tuner --help"),
        (["serve", "--port", "http"], "--port must be a whole number from 0 to 65535; got 'http'"),
    ],
)
def test_a_command_line_that_click_refuses_reads_as_any_other(folder, capsys, args, said):
    code, out, err = call(capsys, *args)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("given", ["--artifacts", "TUNER_ARTIFACTS"])
def test_a_folder_of_checkpoints_that_cannot_be_is_refused_first(
    folder, capsys, monkeypatch, given
):
    (folder / "file").touch()
    args = ["optimize", "--space", "sgd_decay"]
    if given.startswith("--"):
        args += [given, "file/checkpoints"]
    else:
        monkeypatch.setenv(given, "file/checkpoints")
    code, out, err = call(capsys, *args)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {given} is a folder that can be written; file/checkpoints goes")
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_a_space_of_more_than_its_characters_may_take_is_not_read(folder, capsys):
    (folder / "long.yaml").write_text("#" * 1_000_001)
    code, _, err = call(capsys, "optimize", "--space", "long.yaml")
    assert code == 2
    assert "long.yaml: cannot be read: it has 977 KB, more than the 977 KB" in err


@pytest.mark.parametrize("args", [["spaces"], ["studies"], ["data"]])
def test_a_group_alone_shows_its_commands(folder, capsys, args):
    _, out, err = call(capsys, *args)
    assert "Commands:" in out + err


@pytest.mark.parametrize("args", [["resume", "nothing"], ["worker", "--name", "nothing"]])
@pytest.mark.usefixtures("leaves_no_children")
def test_a_storage_that_is_not_there_is_not_made(folder, capsys, args):
    code, out, err = call(capsys, *args)
    assert code == 4
    assert out == ""
    assert "studies/tuner.db" in err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("args", [["resume", "sgd"], ["worker", "--name", "sgd"]])
def test_a_study_that_is_not_there(folder, capsys, args):
    import optuna

    url = f"sqlite:///{folder}/here.db"
    optuna.create_study(study_name="sgd_decay", storage=url)
    code, _, err = call(capsys, *args, "--storage", url)
    assert code == 2
    assert "unknown study 'sgd'" in err
    assert "sgd_decay" in err


def test_a_name_that_holds_another_definition_lists_the_differences(folder, capsys):
    from tuner.search.prepare import prepare_study
    from tuner.spaces import load_space
    from tuner.study.library import load_definition

    url = f"sqlite:///{folder}/here.db"
    definition = load_definition("default", space=load_space("sgd_decay"))
    prepare_study(definition, name="mine", storage_url=url, trials=3)
    before = (folder / "here.db").read_bytes()
    args = ["--space", "sgd_decay", "--folds", "4", "--name", "mine", "--storage", url]
    for more in ([], ["--dry-run"]):
        code, out, err = call(capsys, "optimize", *args, *more)
        assert code == 2
        assert out == ""
        assert "folds.k: stored 5, given 4" in err
    assert (folder / "here.db").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "space"),
    [
        ((), "sgd_decay"),
        (("--data", "sklearn:iris"), "mlp_table"),
        (("--data", "csv:few.csv", "--seed", "3"), "mlp_table"),
        (("--data", "csv:few.csv", "--time", "b", "--folds", "2"), "mlp_table"),
        (("--data", "csv:few.csv", "--set", "epochs=3"), "mlp_table"),
        (("--data", "csv:pixels.csv"), "sgd_decay"),
        (("--data", "npz:rows.npz"), "mlp_table"),
        (("--data", "npz:images.npz"), "sgd_decay"),
        (("--study", "initializers", "--data", "csv:few.csv"), None),
        (("--space", "optimizers", "--data", "csv:few.csv"), None),
    ],
)
def test_without_a_space_one_that_fits_the_data_is_taken_and_said(folder, capsys, flags, space):
    rows = np.random.default_rng(0).random((20, 16))
    y = np.arange(20) % 2
    (folder / "few.csv").write_text(
        "a,b,label\n" + "".join(f"{i % 7},{i},{i % 2}\n" for i in range(20))
    )
    names = [f"pixel{i}" for i in range(16)]
    pd.DataFrame(rows, columns=names).assign(label=y).to_csv(folder / "pixels.csv", index=False)
    np.savez(folder / "rows.npz", X=rows, y=y)
    np.savez(folder / "images.npz", X=rows.reshape(20, 4, 4), y=y)
    code, out, err = call(capsys, "plan", *flags, "--format", "json")
    assert code == 0, err
    said = json.loads(out)
    line = f"space {space}, since none was named (--space)"
    assert [note for note in said["notes"] if "none was named" in note] == [line] * bool(space)
    assert space is None or said["study"].startswith(f"{space}-")


def test_a_dry_run_says_what_would_run_and_changes_nothing(folder, capsys):
    from tuner.spaces import load_space
    from tuner.study.library import load_definition

    code, out, _ = call(
        capsys, "optimize", "--space", "sgd_decay", "--dry-run", "--trials", "12",
        "--set", "epochs=3", "--format", "json",
    )  # fmt: skip
    assert code == 0
    said = json.loads(out)
    definition = load_definition("default", space=load_space("sgd_decay").override({"epochs": "3"}))
    assert said["study"] == definition.resolved("multiclass").default_name()
    assert (said["trials"], said["points"], said["stored"], said["folds"]) == (12, None, None, 5)
    assert (said["data"]["rows"], said["data"]["features"], said["data"]["outputs"]) == (
        1797,
        64,
        10,
    )
    # 64-64-64-10 with biases, by hand.
    parameters = 64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10
    assert said["cost"]["parameters"] == [parameters, parameters]
    assert said["cost"]["epochs"] == [3, 3]
    # Forward and backward over 4/5 of the rows of 5 folds, forward over the other 1/5.
    forward = 64 * 64 + 64 * 64 + 64 * 10
    backward = 2 * forward - 64 * 64
    each = 3 * (4 * 1797 * (forward + backward) + 1797 * forward)
    assert said["cost"]["multiply_adds"] == 12 * each
    assert list(folder.iterdir()) == []


def test_a_dry_run_of_a_grid_counts_its_points(folder, capsys):
    code, out, _ = call(capsys, "optimize", "--study", "initializers", "--dry-run")
    assert code == 0
    from tuner.spaces import load_space

    size = load_space("initializers").size()
    assert f"trials   {size} of {size} points, not stored yet" in out
    assert "grid, pruner none" in out
