"""Is everything in order? Checks that change nothing, and repairs of what can be mended."""

from __future__ import annotations

from tuner.doctor.examine import Report as Report
from tuner.doctor.examine import examine as examine
from tuner.doctor.finding import Finding as Finding
from tuner.doctor.finding import Repair as Repair
from tuner.doctor.repair import repair as repair
from tuner.doctor.steps import time_write as time_write
