"""Is everything in order? Checks that change nothing, and repairs of what can be mended."""

from __future__ import annotations

from tuner.search.doctor.examine import Report as Report
from tuner.search.doctor.examine import examine as examine
from tuner.search.doctor.finding import Finding as Finding
from tuner.search.doctor.finding import Repair as Repair
from tuner.search.doctor.repair import repair as repair
from tuner.search.doctor.steps import time_write as time_write
