"""Settings of every test: one thread of TensorFlow and no chatter, as in a worker."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest

from tests.support import ROOT

# Scripts of tests/support run as processes of their own, from other folders.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

# A shell starts background jobs with SIGINT ignored, and so would every process started here be.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


pytest_plugins = ["tests.support.full_disk", "tests.support.messages", "tests.support.storages"]


@pytest.fixture
def leaves_no_children():
    """The test ends with no child process of its own; joblib keeps those of earlier tests."""
    before = {child.pid for child in multiprocessing.active_children()}
    yield
    assert {child.pid for child in multiprocessing.active_children()} <= before
