"""What a study will cost, before anything runs: its stacks, their work, and how long that takes.

work        the stacks that its trials will be trained in, and what each costs
speed       from work to seconds, at a stated rate or at this machine's
"""

from tuner.forecast.speed import REFERENCE as REFERENCE
from tuner.forecast.speed import Speed as Speed
from tuner.forecast.speed import calibrate as calibrate
from tuner.forecast.speed import typical as typical
from tuner.forecast.work import Work as Work
from tuner.forecast.work import forecast_work as forecast_work
