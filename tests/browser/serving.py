"""`tuner serve` as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def served(study: str, storage: str) -> Iterator[str]:
    """The study's page, as `tuner serve` prints it."""
    command = ["serve", study, "--storage", storage, "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner.cli.main", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.match(r"http://127\.0\.0\.1:\d+/dashboard/studies/\d+", line)
        assert found, line + process.stderr.read()
        yield found[0]
    finally:
        process.kill()
        process.wait()
