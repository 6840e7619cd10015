"""Checkpoints: an interrupted trial goes on after its last checkpointed epoch.

store        files that are written whole or not at all
checkpoints  a study's checkpoints: found again for a ticket, checked, bounded, swept
writer       the callback that writes them, and when
"""
