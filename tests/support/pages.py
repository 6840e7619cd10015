"""The pages of the documentation: their code blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tests.support import ROOT
from tuner.cli.main import cli

PAGES = {
    path.stem: path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
}

#: In front of a block that cannot run, unseen by readers: `<!-- not run: why -->`.
_BLOCK = re.compile(
    r"^ *(?:<!-- not run: (?P<why>[^\n]+) -->\n *)?```(?P<kind>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language (or ""), its text, and why it cannot run."""

    page: str
    line: int
    kind: str
    text: str
    not_run: str | None

    @property
    def where(self) -> str:
        return f"{PAGES[self.page]}, line {self.line}"


def blocks(page: str) -> list[Block]:
    text = PAGES[page].read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, m.start("kind")) + 1, m["kind"], m["text"], m["why"])
        for m in _BLOCK.finditer(text)
    ]


def inline(page: str) -> list[str]:
    """The code in the running text."""
    text = re.sub(r"```.*?```", "", PAGES[page].read_text(encoding="utf-8"), flags=re.DOTALL)
    return [code.replace("\\|", "|").replace("\n", " ") for code in re.findall(r"`([^`]+)`", text)]


def commands_of(text: str) -> list[list[str]]:
    """The words of each `tuner` command in shell lines.

    Variables and numbers left open (`N`) stand for 1, of alternatives (`json|yaml`) the first is
    taken, what may be left out (`[--yes]`) is given. A description may stand behind two spaces.
    """
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"\$\{?(STUDY)\}?", r"\1", line.strip().removeprefix("$ "))
        line = re.sub(r"\$\{?\w+\}?|\bN\b", "1", line)
        for part in re.split(r" && | > ", re.sub(r"(?<=\S) {2,}(?=[^-\s]).*", "", line)):
            if not re.match(r"(srun )?\S*\btuner\b", part):
                continue  # it may be of another language
            words = shlex.split(re.sub(r"[\[\]]|(?<=\w)\|[\w|]+", "", part), comments=True)
            words = words[1:] if words[:1] == ["srun"] else words
            if words and Path(words[0]).name == "tuner":
                found.append(["tuner", *words[1:]])
    return found


def parsed(words: list[str]) -> dict[str, Any]:
    """The parameters of a `tuner` command, by click's own parser; raises a `UsageError`."""
    outer = click.Context(cli, info_name="tuner")
    command: click.Command = cli
    rest = words[1:]
    with outer:
        while isinstance(command, click.Group) and rest:
            name, found, rest = command.resolve_command(outer, rest)
            assert name is not None
            assert found is not None
            command = found
            if not isinstance(command, click.Group):
                return dict(command.make_context(name, rest, parent=outer).params)
            outer = click.Context(command, info_name=name, parent=outer)
    return {}
