"""docs/cluster.md and the files beside it: they parse, and their commands exist as written."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from tuner.cli.main import cli
from tuner.errors import UsageError

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "cluster.md"
SBATCH = DOCS / "cluster" / "tuner.sbatch"
JOB = DOCS / "cluster" / "job.yaml"


def commands_of(text: str) -> list[list[str]]:
    """The words of each `tuner` command in shell lines; variables stand for themselves or 1."""
    joined = text.replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        known = re.sub(r"\$\{?(STUDY)\}?", r"\1", line)
        words = shlex.split(re.sub(r"\$\{?\w+\}?", "1", known), comments=True)
        words = words[1:] if words[:1] == ["srun"] else words
        if words[:1] == ["tuner"]:
            found.append(words)
    return found


def parsed(words: list[str]) -> dict[str, Any]:
    """The parameters of a `tuner` command, by click's own parser; raises a `UsageError`."""
    with click.Context(cli, info_name="tuner") as outer:
        name, command, rest = cli.resolve_command(outer, words[1:])
        assert name is not None
        assert command is not None
        return dict(command.make_context(name, rest, parent=outer).params)


def blocks(language: str = "") -> str:
    """The code blocks of the page in one language, one after the other."""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", PAGE.read_text(), flags=re.M | re.S)
    return "\n".join(code for kind, code in found if kind == language)


def inline() -> str:
    """Commands in the running text."""
    text = re.sub(r"```.*?```", "", PAGE.read_text(), flags=re.S)
    return "\n".join(code for code in re.findall(r"`([^`]+)`", text) if " " in code)


def job() -> dict[str, Any]:
    loaded = YAML(typ="safe", pure=True).load(JOB)
    assert isinstance(loaded, dict)
    return loaded


def test_this_test_reads_commands_as_a_shell_does():
    text = 'srun tuner worker \\\n  --name "$STUDY" --workers "$N"  # so\nother tuner\n'
    assert commands_of(text) == [["tuner", "worker", "--name", "STUDY", "--workers", "1"]]
    for wrong in ("tuner worker --nmae s", "tuner wroker", "tuner worker --name s --workers x"):
        with pytest.raises((click.UsageError, UsageError)):
            parsed(shlex.split(wrong))


def test_the_slurm_file_is_a_script_whose_command_exists():
    assert subprocess.run(["bash", "-n", SBATCH], check=False).returncode == 0
    lines = SBATCH.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    options = dict(
        line.removeprefix("#SBATCH --").split("=", 1)
        for line in lines
        if line.startswith("#SBATCH")
    )
    # Slurm reads its options up to the first command.
    first = next(n for n, line in enumerate(lines) if line and not line.startswith("#"))
    assert max(n for n, line in enumerate(lines) if line.startswith("#SBATCH")) < first
    assert options["signal"].startswith("TERM@")
    [command] = commands_of(SBATCH.read_text())
    given = parsed(command)
    assert (given["name"], given["workers"]) == ("STUDY", 1)
    assert '--workers "$SLURM_CPUS_PER_TASK"' in SBATCH.read_text()
    assert int(options["cpus-per-task"]) > 0


@pytest.mark.parametrize("missing", ["TUNER_STORAGE", "STUDY"])
def test_the_slurm_file_says_what_it_needs(missing):
    variables = {"TUNER_STORAGE": "journal:/a.log", "STUDY": "s", "SLURM_CPUS_PER_TASK": "1"}
    del variables[missing]
    done = subprocess.run(
        ["bash", SBATCH],
        env=variables | {"PATH": "/nowhere"},
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert missing in done.stderr


def test_the_job_is_a_queue_of_workers_that_get_time_to_give_back():
    made = job()
    assert (made["apiVersion"], made["kind"]) == ("batch/v1", "Job")
    spec, pod = made["spec"], made["spec"]["template"]["spec"]
    assert spec["parallelism"] > 1
    assert "completions" not in spec  # else every pod would have to end well by itself
    assert pod["restartPolicy"] in ("OnFailure", "Never")  # all that a Job may have
    assert pod["terminationGracePeriodSeconds"] > 30
    [container] = pod["containers"]
    given = parsed(container["command"])
    assert given["name"] in JOB.read_text().splitlines()[0]
    assert given["workers"] == int(container["resources"]["limits"]["cpu"])
    [variable] = container["env"]
    assert variable["name"] == "TUNER_STORAGE"
    secret = variable["valueFrom"]["secretKeyRef"]
    create = f"kubectl create secret generic {secret['name']} --from-literal={secret['key']}="
    assert create in JOB.read_text()
    assert create in PAGE.read_text()
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["volumes"]}
    # The image is whoever builds it's own: no registry is named.
    assert re.fullmatch(r"tuner:[\w.]+", container["image"])


def test_every_command_of_the_page_exists():
    named = [words for words in commands_of(inline()) if len(words) > 2]
    commands = commands_of(blocks()) + named
    assert len(commands) >= 8
    for words in commands:
        parsed(words)
    rays = [parsed(words).get("ray") for words in commands]
    assert [ray for ray in rays if ray] == ["local", "auto", "ray://head:10001"]


def test_every_link_of_the_page_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text())
    assert len(links) >= 4
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_the_image_copies_what_the_package_is_built_from():
    root = DOCS.parent
    copied = [word for line in re.findall(r"^COPY (.*) \S+$", blocks("dockerfile"), re.M)
              for word in line.split()]  # fmt: skip
    assert all((root / name).exists() for name in copied)
    pyproject = (root / "pyproject.toml").read_text()
    for needed in ("README.md", "search_spaces", "studies", "tuner"):
        assert f'"{needed}"' in pyproject
        assert needed in copied
