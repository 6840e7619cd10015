"""The server that the tests start does not stay behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

pytestmark = pytest.mark.slow

HOLDER = """
import sys, time
from tests.support.faults.postgres import PostgresServer
with PostgresServer(sys.argv[1]) as server:
    print(server.url, flush=True)
    time.sleep(600)
"""


def answers(url):
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_server_ends_with_the_process_that_started_it(tmp_path):
    root = Path(__file__).parents[2]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], cwd=root, stdout=subprocess.PIPE, text=True
    )
    url = holder.stdout.readline().strip()
    assert answers(url)
    holder.kill()
    holder.communicate()
    until = time.monotonic() + 60
    while answers(url):
        assert time.monotonic() < until
        time.sleep(0.05)
