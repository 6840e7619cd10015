"""Every example of the documentation runs as written, and its commands exist."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from tests.support.pages import PAGES, Block, blocks, commands_of, inline, parsed
from tuner.cli.main import main
from tuner.errors import UsageError
from tuner.spaces import load_space
from tuner.study.library import load_definition

NAME = "sgd_decay-1f0a8d2c"
#: Pages that train.
SLOW = {
    "README",
    "export",
    "honest_scores",
    "own_networks",
    "python",
    "results",
    "search",
    "sklearn",
}


def runs(block: Block) -> bool:
    """Python, and commands behind a prompt; other commands are a list of what there is."""
    shell = block.kind in ("", "console") and block.text.startswith("$ ")
    return (shell or block.kind == "python") and not block.not_run


RUN = {page: [block for block in blocks(page) if runs(block)] for page in PAGES}


def test_no_block_is_left_out_unsaid() -> None:
    """A fence is of a kind that is known here; what cannot run is named, and there is little."""
    every = [block for page in PAGES for block in blocks(page)]
    fences = sum(len(re.findall(r"^ *```", p.read_text("utf-8"), re.M)) for p in PAGES.values())
    assert len(every) * 2 == fences
    kinds = Counter(block.kind for block in every)
    assert set(kinds) == {"", "console", "python", "yaml", "toml", "dockerfile", "text"}
    not_run = [block.page for block in every if block.not_run]
    assert not_run == ["results", "storage"]
    assert sum(b.kind == "python" for own in RUN.values() for b in own) == kinds["python"] - 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage with a small study of the name that the pages use."""
    from tuner.search.loop import run_worker
    from tuner.search.prepare import prepare_study

    path = tmp_path_factory.mktemp("trained") / "tuner.db"
    space = load_space("sgd_decay").override({"epochs": "2", "batch_size": "64"})
    definition = load_definition("default", space=space)
    study = prepare_study(definition, name=NAME, storage_url=f"sqlite:///{path}", trials=4)
    run_worker(study.storage_url, study.name, stop=lambda: False, on_event=lambda _: None)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the examples run: the files that they name, and no network."""

    def no_network(*_: object, **__: object) -> None:
        raise OSError("<urlopen error no network in a test>")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("TUNER_STORAGE", "OPTUNA_STORAGE", "TUNER_CACHE", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    values = np.random.default_rng(0).normal(size=(60, 2))
    rows = [f"{a},{b},{'ab'[i % 2]},{i // 4}" for i, (a, b) in enumerate(values)]
    Path("measurements.csv").write_text("\n".join(["height,width,kind,patient", *rows]))
    names = ",".join(f"pixel_{i // 8}_{i % 8}" for i in range(64))
    digits = [",".join(str((row * i) % 17) for i in range(64)) + f",{row % 10}" for row in range(9)]
    Path("new.csv").write_text("\n".join([f"{names},target", *digits]))
    return tmp_path


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] if page in SLOW else [])
        for page in PAGES
        if RUN[page]
    ],
)
def test_a_page_runs_as_written(
    page: str, folder: Path, capsys: Any, request: pytest.FixtureRequest
) -> None:
    """Its blocks in their order, Python in one namespace."""
    if any(NAME in block.text for block in RUN[page]):
        trained = request.getfixturevalue("trained").read_bytes()
        Path("studies").mkdir()
        Path("studies/tuner.db").write_bytes(trained)
    names: dict[str, Any] = {"__name__": page}
    for block in RUN[page]:
        if block.kind == "python":
            # As many lines in front as in the page, so that a traceback names the right one.
            code = "\n" * block.line + block.text
            exec(compile(code, PAGES[page], "exec", dont_inherit=True), names)
        else:
            run(block, folder, capsys)


def run(block: Block, folder: Path, capsys: Any) -> None:
    """A command and what the page says that it prints."""
    line, _, shown = block.text.partition("\n")
    [words] = commands_of(line)
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    out, err = capsys.readouterr()
    assert (ended.value.code != 0) == shown.startswith("error: "), err
    if " > " in line:
        Path(line.split(" > ")[1]).write_text(out, encoding="utf-8")
        out = ""
    said = (err + out).replace(str(folder), "~")
    fits = bool(re.fullmatch(shape(shown), said.strip()))
    assert fits, f"{block.where}: it printed\n{said}"


def shape(shown: str) -> str:
    """What output looks like that is `shown` but for numbers, hashes, blanks and `...`."""
    parts = {
        r"^\.\.\.$": r"(?:.*\n)*?.*",
        r"\.\.\.": r".*",
        r"\b(?=[a-f]*\d)[0-9a-f]{8,}\b": r"[0-9a-f]+",
        r"\d[\d.,:]*(?:e[+-]\d+)?(?<=\d)": r"\\d[\\d.,:]*(?:e[+-]\\d+)?",
        r"[ ]+": r"[ ]+",
        r"\n\s*": r"\\s+",
    }
    made = ""
    rest = shown.strip()
    either = re.compile("|".join(f"({part})" for part in parts), re.MULTILINE)
    at = 0
    for match in either.finditer(rest):
        made += re.escape(rest[at : match.start()])
        made += list(parts.values())[match.lastindex - 1].replace("\\\\", "\\")
        at = match.end()
    return made + re.escape(rest[at:])


def test_the_shape_of_output_is_more_than_nothing() -> None:
    shown = "trial 4 of study-1f0a8d2c: 0.95 ± 0.02\n...\nmore  4.2e+10  ..."
    fits = "trial 12 of study-00bb1122: 0.5 ± 1.0\nx\n\ny\nmore 1e+3   and so on"
    assert re.fullmatch(shape(shown), fits)
    for wrong in (fits.replace("trial", "trials"), fits.replace("± 1.0", ""), fits + "\nz"):
        assert not re.fullmatch(shape(shown), wrong)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "cli"])
def test_every_command_of_a_page_exists(page: str) -> None:
    shell = [block.text for block in blocks(page) if block.kind in ("", "console")]
    for words in commands_of("\n".join(shell)):
        parsed(words)
    for code in inline(page):
        for words in commands_of(code):
            try:
                parsed(words)
            except click.MissingParameter:
                assert not any(word.startswith("-") for word in words)  # a command's name


def test_commands_are_read_as_a_shell_does() -> None:
    text = 'srun tuner worker \\\n  --name "$STUDY" --workers "$N"  # so\nother tuner\n'
    assert commands_of(text) == [["tuner", "worker", "--name", "STUDY", "--workers", "1"]]
    line = "$ bin/tuner best NAME [--trial N] --format json|csv > a.csv    the best\n"
    assert commands_of(line) == [
        ["tuner", "best", "NAME", "--trial", "1", "--format", "json"],
    ]
    for wrong in ("worker --nmae s", "wroker", "worker --name s --workers x", "spaces lsit"):
        with pytest.raises((click.UsageError, UsageError)):
            parsed(["tuner", *wrong.split()])


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", PAGES[page].read_text("utf-8"))
    assert [link for link in links if not (PAGES[page].parent / link).exists()] == []


def test_files_shown_are_valid(tmp_path: Path) -> None:
    """YAML of whole files: spaces and study definitions."""
    kinds: Counter[str] = Counter()
    for block in (block for page in PAGES for block in blocks(page) if block.kind == "yaml"):
        file = tmp_path / "shown.yaml"
        file.write_text(block.text, encoding="utf-8")
        keys = set(re.findall(r"^\w+", block.text, re.MULTILINE))
        kind = "space" if "params" in keys else "study" if "space" in keys else "part"
        if kind != "part":
            (load_space if kind == "space" else load_definition)(file)
        kinds[kind] += 1
    assert kinds == {"space": 4, "study": 1, "part": 4}
