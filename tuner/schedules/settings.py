"""Settings that several schedules share."""

from __future__ import annotations

from typing import Literal

from tuner.parameters.fields import setting

Per = Literal["step", "epoch"]

DECAY = setting(0.001, "How fast the rate falls.", low=0)
PER = setting("step", "What a decay counts: updates or epochs.", choices=("step", "epoch"))
END_RATE = setting(0.0, "Rate at the end as a fraction of the base rate.", low=0, high=1)
RESTART_EVERY = setting(10, "Epochs until the first restart (n).", low=1)
CYCLE_MULT = setting(1.0, "Each cycle's length over the one before.", low=1)
