"""`tuner data show`, through the entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from tuner.cli.main import main
from tuner.data import load_dataset


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["data", "show", *args])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_json_holds_the_facts_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "sklearn:digits", "--format", "json")
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert facts["rows"] == 1797
    assert facts["features"] == 64
    assert facts["image_shape"] == [8, 8]
    assert facts["dtype"] == "uint8"
    assert facts["range"] == [0.0, 1.0]
    assert facts["task"] == "multiclass"
    assert facts["test_rows"] == 0
    assert facts["hash"] == load_dataset("sklearn:digits").hash
    counts = np.bincount(datasets.load_digits().target).tolist()
    assert facts["classes"] == [{"class": i, "rows": n} for i, n in enumerate(counts)]


def test_digits_are_the_default_and_each_class_is_drawn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(capsys)
    assert code == 0
    assert "8 x 8, flattened" in out
    assert max(len(line) for line in out.splitlines()) <= 80
    # The first row of the first digit: 0 0 5 13 9 1 0 0 of 16.
    assert "\n    ░░██▒▒ " in out
    assert [line.split() for line in out.splitlines()].count(["8", "9"]) == 1


def test_without_unicode_the_pictures_are_ascii(tmp_path: Path) -> None:
    y = np.arange(12) % 2
    np.savez(tmp_path / "own.npz", x=np.full((12, 8, 8), 250, np.uint8) * y[:, None, None], y=y)
    code = f"from tuner.cli.main import main; main(['data', 'show', 'npz:{tmp_path}/own.npz'])"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": "", "COLUMNS": "80"},
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert b"##" in ended.stdout
    assert ended.stdout.isascii()


def test_the_test_rows_are_counted_and_not_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arrays: dict[str, Any] = {"x_train": np.eye(4), "y_train": [0, 1, 0, 1]}
    np.savez(tmp_path / "own.npz", **arrays, x_test=np.full((3, 4), 777.0), y_test=[1, 1, 1])
    uri = f"npz:{tmp_path / 'own.npz'}"
    facts = json.loads(run(capsys, uri, "--format", "json")[1])
    assert facts["test_rows"] == 3
    assert facts["range"] == [0.0, 1.0]
    assert facts["classes"] == [{"class": 0, "rows": 2}, {"class": 1, "rows": 2}]
    assert "777" not in run(capsys, uri)[1]


def test_flags_reach_the_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    frame = datasets.load_iris(as_frame=True).frame
    frame.columns = ["a", "b", "c", "d", "kind"]
    frame.assign(plant=np.arange(150) // 5).to_csv(tmp_path / "own.csv", index=False)
    args = ("--target", "a", "--group", "plant", "--test-share", "0.2", "--limit", "50")
    code, out, _ = run(capsys, f"csv:{tmp_path / 'own.csv'}", *args, "--format", "json")
    facts = json.loads(out)
    assert code == 0
    assert (facts["task"], facts["target"], facts["rows"]) == ("regression", ["a"], 50)
    assert facts["feature_names"] == ["b", "c", "d", "kind"]
    assert facts["test_rows"] == 30
    assert facts["groups"] <= 24
    assert len(facts["targets"]) == 1
    table = run(capsys, f"csv:{tmp_path / 'own.csv'}", *args)[1]
    assert "groups" in table
    assert "mean" in table
    forced = run(capsys, "sklearn:wine", "--task", "regression", "--format", "json")[1]
    assert json.loads(forced)["task"] == "regression"


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["sklearn:digit"], "did you mean digits?"),
        (["csv:none.csv"], "needs a file that exists"),
        (["sklearn:iris", "--limit", "1"], "--limit must be a whole number from 2 to"),
        (["sklearn:iris", "--target", "species"], "names a column of a table"),
    ],
)
def test_bad_input_is_one_paragraph_and_code_2(
    capsys: pytest.CaptureFixture[str], args: list[str], part: str
) -> None:
    code, out, err = run(capsys, *args)
    assert (code, out) == (2, "")
    assert part in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(("rare", "said"), [(9, True), (10, False)])
def test_unequal_classes_are_told_with_what_helps(
    rare: int, said: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rare.csv"
    labels = ["common"] * 100 + ["half"] * 50 + ["rare"] * rare
    path.write_text("a,y\n" + "".join(f"{i % 7}.5,{own}\n" for i, own in enumerate(labels)))
    where = (f"csv:{path}", "--target", "y")
    lines = [line for line in run(capsys, *where)[1].splitlines() if line.startswith("unequal ")]
    assert len(lines) == said
    notes = json.loads(run(capsys, *where, "--format", "json")[1])["notes"]
    assert notes == lines
    if said:
        assert "62.9 % of the rows are 'common', 5.66 % are 'rare'" in lines[0]
        assert "--metric balanced_accuracy or roc_auc" in lines[0]
        assert "--set loss.class_weight=balanced" in lines[0]


def test_columns_and_test_rows_are_chosen_by_flags(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [f"{i};{i % 7},5;{'ab'[i % 2]};{i % 3};-9\n" for i in range(40)]
    (tmp_path / "own.txt").write_text("".join(rows), encoding="latin-1")
    (tmp_path / "test.txt").write_text("".join(rows[:6]), encoding="latin-1")
    uris = [f"csv:{tmp_path / name}.txt" for name in ("own", "test")]
    flags = ["--no-header", "--sep", ";", "--decimal", ",", "--encoding", "latin-1", "--na", "-9"]
    flags += ["--drop", "1", "--drop", "5", "--kind", "4=category", "--scaling", "minmax"]
    code, out, err = run(
        capsys, uris[0], "--test-data", uris[1], "--target", "3", *flags, "--format", "json"
    )
    assert (code, err) == (0, "")
    facts = json.loads(out)
    assert (facts["test_rows"], facts["scaling"], facts["target"]) == (6, "minmax", ["3"])
    assert facts["feature_names"] == ["2", "4"]
    code, out, _ = run(
        capsys, uris[0], *flags[:9], "--features", "2", "--target", "3", "--format", "json"
    )
    assert json.loads(out)["feature_names"] == ["2"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--kind", "a"], "--kind takes COLUMN=KIND; received 'a'"),
        (["--kind", "a=text"], "--kind a: unknown kind 'text'"),
        (["--scaling", "robuts"], "--scaling: unknown value 'robuts'; did you mean robust?"),
        (["--sep", ";"], "--sep says how text is read; received it for sklearn:digits"),
        (["--drop", "a"], "--drop names a column of a table"),
        (["--test-data", "iris"], "did you mean sklearn:iris?"),
        (["--test-data", "sklearn:digits", "--test-share", "0.2"], "--test-share 0.2 and --test"),
    ],
)
def test_flags_that_cannot_be_followed(
    capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    code, out, err = run(capsys, "sklearn:digits", *flags)
    assert (code, out) == (2, "")
    assert message in err


def test_each_column_of_a_table_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    size = rng.normal(size=60)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(60),
            "size": np.where(np.arange(60) < 5, np.nan, size),
            "a town with a name that is far too long for a terminal": ["Bern", "Basel", "Chur"]
            * 20,
            "since": pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.permutation(60), unit="D"),
            "same": np.where(np.arange(60) < 5, np.nan, size),
            "price": rng.lognormal(size=60),
        }
    )
    table.to_csv(tmp_path / "own.csv", index=False)
    where = (f"csv:{tmp_path / 'own.csv'}", "--target", "price")
    facts = json.loads(run(capsys, *where, "--format", "json")[1])
    told = {own["name"][:6]: own for own in facts["columns"]}
    assert [own["kind"] for own in told.values()] == [
        "identifier", "number", "category", "date", "number",
    ]  # fmt: skip
    assert told["custom"]["becomes"] == "left out: it counts the rows"
    assert told["size"]["becomes"] == "scaled, gap mark"
    assert (told["size"]["gaps"], told["size"]["distinct"]) == (5, 55)
    assert told["a town"]["becomes"] == "one-hot of 3"
    assert told["a town"]["examples"] == ["Bern", "Basel", "Chur"]
    assert told["since"]["becomes"].startswith("days, month, day")
    assert told["same"]["warnings"] == ["the same as size"]
    assert [values["median"] for values in facts["targets"]] == [
        pytest.approx(np.median(table["price"]), rel=1e-6)
    ]
    assert any("held twice: same (the same as size)" in note for note in facts["notes"])
    shown = run(capsys, *where)[1].splitlines()
    first = next(i for i, line in enumerate(shown) if line.startswith("column "))
    lines = shown[first : first + 6]
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:]] == ["customer_id", "size", "a", "since", "!"]
