"""docs/cli.md says what the commands' help says."""

from __future__ import annotations

from pathlib import Path

from tuner.cli.reference import cli_reference

ROOT = Path(__file__).parents[2]


def test_the_reference_is_current():
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == cli_reference(), "run: python -m tuner.cli.reference > docs/cli.md"
