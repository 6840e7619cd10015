"""The search from Python: `tuner.optimize`, `tuner.load`, `tuner.studies`."""

import warnings

# Of a progress bar of Optuna's, which nobody sees here, in notebooks without ipywidgets.
warnings.filterwarnings("ignore", message="IProgress not found")
