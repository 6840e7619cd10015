"""Faults as functions: each injects one kind and counts what became of the study."""
