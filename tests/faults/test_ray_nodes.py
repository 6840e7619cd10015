"""A Ray node that dies takes nothing with it."""

from __future__ import annotations

import os

import pytest

from tests.support.faults.ray_nodes import ray_nodes

pytestmark = pytest.mark.slow


def test_a_study_completes_exactly_although_one_of_two_ray_nodes_is_killed(tmp_path):
    seen = ray_nodes(f"sqlite:///{tmp_path}/a.db")
    assert seen.holds, seen
    # The nodes were started elsewhere, and with one GPU each.
    assert seen.found == {f"GPU 0 in {os.getcwd()}"}
