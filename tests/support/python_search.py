"""`tuner.optimize` in a script without a guard, its trials as in `fake_tuner`.

    python python_search.py FUNCTION KEYWORDS_AS_JSON

FUNCTION: `optimize`, of rows of its own, or `go_on`, with a study that is there. Prints the study's
name and how many trials are in each state.
"""

import json
import sys
from functools import partial

import numpy as np

from tests.support.fake_tuner import describe, make_trainer
from tuner import workers
from tuner.search import finished

workers.run_search = partial(workers.run_search, make_trainer=make_trainer)  # type: ignore[assignment]
finished.describe_data = describe

import tuner  # noqa: E402

function, keywords = sys.argv[1], json.loads(sys.argv[2])
if function == "optimize":
    X, y = np.arange(80.0).reshape(20, 4), np.arange(20) % 2
    space = {"optimizer.learning_rate": tuner.log(1e-4, 1.0), "epochs": 10}
    study = tuner.optimize(space, X, y, **keywords)
else:
    name, storage = keywords.pop("name"), keywords.pop("storage")
    study = tuner.load(name, storage).optimize(**keywords)
print(json.dumps([study.name, dict(study.table()["state"].value_counts())], default=int))
