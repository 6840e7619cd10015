from __future__ import annotations

from tuner.training import set_threads

set_threads()
