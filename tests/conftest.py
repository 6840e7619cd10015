"""Settings of every test: one thread of TensorFlow and no chatter, as in a worker."""

from __future__ import annotations

import multiprocessing
import os

import pytest

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"


@pytest.fixture
def leaves_no_children():
    """The test ends with no child process of its own; joblib keeps those of earlier tests."""
    before = {child.pid for child in multiprocessing.active_children()}
    yield
    assert {child.pid for child in multiprocessing.active_children()} <= before
