"""What `--ray` refuses: one paragraph, exit code 2, nothing stored, no worker begun."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

import pytest

from tuner.cli.main import main
from tuner.cli.run_flags import WorkerFlags


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("TUNER_STORAGE", "OPTUNA_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def refused(capsys, *args: str, starting: str = "") -> str:
    """The one paragraph on stderr, behind the line that says what was started."""
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert captured.out == ""
    assert captured.err.removeprefix(starting).startswith("error: ")
    assert "\n\n" not in captured.err
    assert "Traceback" not in captured.err
    return captured.err


OPTIMIZE = ("optimize", "--space", "sgd_decay")
COMMANDS = (OPTIMIZE, ("resume", "study"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--ray", "http://head:1"], ["--ray takes", "'http://head:1'", "ray://HOST:PORT"]),
        (["--ray-cpus", "2"], ["--ray-cpus 2", "without --ray"]),
        (["--ray-gpus", "0.5"], ["--ray-gpus 0.5", "without --ray"]),
        (["--ray", "--ray-gpus", "1.5"], ["whole", "--ray-gpus 1.5"]),
    ],
)
@pytest.mark.usefixtures("leaves_no_children")
def test_flags_that_make_no_sense(folder, capsys, command, flags, said):
    error = refused(capsys, *command, *flags)
    for text in said:
        assert text in error
    assert list(folder.iterdir()) == []


def test_a_name_behind_ray_is_taken_for_an_address(folder, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["resume", "--ray", "sgd_decay"])
    assert ended.value.code == 2
    assert "NAME" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("leaves_no_children")
def test_without_ray_it_says_what_to_install(folder, capsys, monkeypatch, command):
    found = importlib.util.find_spec
    without = "tuner.workers.ray.connection.find_spec"
    monkeypatch.setattr(without, lambda name: None if name == "ray" else found(name))
    assert "pip install ray" in refused(capsys, *command, "--ray")
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("leaves_no_children")
def test_where_no_cluster_answers(folder, capsys):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        starting = f"loading the data, starting workers on Ray ({address})\n"
        said = refused(capsys, *OPTIMIZE, "--ray", address, starting=starting)
        assert f"nothing answers at {address}" in said
    assert list(folder.iterdir()) == []


def test_how_the_flags_are_typed_again():
    assert WorkerFlags(workers=2).typed() == ""
    for address, cpus, gpus, text in (
        ("local", None, None, " --ray local"),
        ("auto", 0.5, None, " --ray auto --ray-cpus 0.5"),
        ("ray://h:1", None, 2, " --ray ray://h:1 --ray-gpus 2"),
    ):
        assert WorkerFlags(ray=address, ray_cpus=cpus, ray_gpus=gpus).typed() == text
