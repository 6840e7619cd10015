"""Errors that are `tuner`'s and scikit-learn's at once: callers of `fit` expect a ValueError."""

from tuner.errors import PlanError, TunerError


class EstimatorError(PlanError, ValueError):
    """An estimator's parameter, or a call, that breaks a rule."""


class DivergedError(TunerError, ValueError):
    """A training whose loss became NaN or infinite."""
