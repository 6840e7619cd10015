"""The search from Python: `tuner.optimize`, `tuner.load`, `tuner.studies`."""
