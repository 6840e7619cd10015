"""docs/cluster.md and the files beside it: they parse, and their commands exist as written."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support import ROOT
from tests.support.pages import blocks, commands_of, parsed

DOCS = ROOT / "docs"
PAGE = DOCS / "cluster.md"
SBATCH = DOCS / "cluster" / "tuner.sbatch"
JOB = DOCS / "cluster" / "job.yaml"


def job() -> dict[str, Any]:
    loaded = YAML(typ="safe", pure=True).load(JOB)
    assert isinstance(loaded, dict)
    return loaded


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
    create = f"create secret generic {secret['name']} --from-file={secret['key']}=/dev/stdin"
    assert create in JOB.read_text()
    assert create in PAGE.read_text()
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["volumes"]}
    # The image is whoever builds it's own: no registry is named.
    assert re.fullmatch(r"tuner:[\w.]+", container["image"])


def test_the_page_shows_every_kind_of_ray() -> None:
    given = [
        parsed(words).get("ray") for block in blocks("cluster") for words in commands_of(block.text)
    ]
    assert [ray for ray in given if ray] == ["local", "auto", "ray://head:10001"]


def test_the_image_copies_what_the_package_is_built_from():
    root = DOCS.parent
    [dockerfile] = [block for block in blocks("cluster") if block.kind == "dockerfile"]
    copied = [word for line in re.findall(r"^COPY (.*) \S+$", dockerfile.text, re.M)
              for word in line.split()]  # fmt: skip
    assert all((root / name).exists() for name in copied)
    pyproject = (root / "pyproject.toml").read_text()
    for needed in ("README.md", "search_spaces", "studies", "tuner"):
        assert f'"{needed}"' in pyproject
        assert needed in copied
