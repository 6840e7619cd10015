"""docs/cli.md says what the commands' help says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_is_current():
    """In a process of its own: click keeps a command's help option as it was first asked for."""
    made = subprocess.run(
        [sys.executable, "docs/make_cli.py"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == made.stdout, "run: python docs/make_cli.py > docs/cli.md"
