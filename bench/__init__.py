"""Measurements and faults, run by hand and by slow tests; no part of the package."""
