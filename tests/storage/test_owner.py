"""A living process is never taken for one that has ended."""

from __future__ import annotations

import sys

import pytest

from tuner.storage.owner import is_gone, new_owner


@pytest.mark.skipif(sys.platform != "linux", reason="patches what psutil does on Linux")
def test_a_clock_that_is_set_ends_no_process(monkeypatch):
    import psutil._pslinux as linux

    owner = new_owner()
    boot = linux.boot_time()
    monkeypatch.setattr(linux, "boot_time", lambda: boot + 3600)
    assert not is_gone(owner)


def test_another_start_of_the_same_number_is_another_process():
    place, number, start, rest = new_owner().split(":")
    assert not is_gone(f"{place}:{number}:{start}:{rest}")
    assert is_gone(f"{place}:{number}:{int(start) - 1}:{rest}")
