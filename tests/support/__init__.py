"""What several tests share: studies, fakes, servers, scripts that stand in for `tuner`."""

from __future__ import annotations

from pathlib import Path

#: The scripts beside this file, to be run as processes of their own.
SUPPORT = Path(__file__).resolve().parent
ROOT = SUPPORT.parents[1]
