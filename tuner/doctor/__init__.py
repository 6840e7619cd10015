"""Is everything in order? Checks that change nothing, and repairs of what can be mended."""

from tuner.doctor.examine import Diagnosis as Diagnosis
from tuner.doctor.examine import examine as examine
from tuner.doctor.examine import time_write as time_write
from tuner.doctor.repair import repair as repair
from tuner.storage.check_result import Finding as Finding
from tuner.storage.check_result import Repair as Repair
