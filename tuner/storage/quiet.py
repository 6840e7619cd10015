"""Optuna's chatter, off: the progress display says what happens."""

from __future__ import annotations


def quiet_optuna() -> None:
    """Let Optuna log warnings and errors only."""
    import optuna

    if optuna.logging.get_verbosity() < optuna.logging.WARNING:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
