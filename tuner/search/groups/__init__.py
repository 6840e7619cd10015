"""Candidates of a grid that train together, in one stack. Light: imports nothing heavy."""
