"""How sizes, times, numbers and lists are written for people."""

from __future__ import annotations

import math
import os
import subprocess

import pytest

from tuner.text import (
    clock_text,
    counted,
    listed,
    params_text,
    path_text,
    printable,
    quoted,
    rounded,
    said,
    score_text,
    shell_quoted,
    shortened,
    size_text,
    spread_text,
    time_text,
    value_text,
)


def test_sizes():
    sizes = (1, 312, 4096, 2**29, 2**30 * 1.5, 2**30 * 4, 2**30 * 5.12)
    written = ["1 byte", "312 bytes", "4 KB", "512 MB", "1.5 GB", "4 GB", "5.1 GB"]
    assert [size_text(size) for size in sizes] == written


def test_lengths_of_time():
    times = (0.0001, 0.0031, 1.21, 1.5, 90, 240, 1800, 7200, 18_360)
    written = ["under 1 ms", "3 ms", "1.2 s", "1.5 s", "90 s", "4 min", "30 min", "2 h", "5.1 h"]
    assert [time_text(seconds) for seconds in times] == written
    assert [clock_text(x) for x in (0, 59.6, 61, 3723)] == ["0:00", "1:00", "1:01", "1:02:03"]


def test_scores():
    assert score_text(0.97512) == "0.9751"
    assert score_text(12345.678) == "1.235e+04"
    assert score_text(0.00001234) == "1.234e-05"
    assert score_text(0.0) == "0.0000"
    assert score_text(None) == score_text(math.nan) == "-"
    assert spread_text([0.97, 0.98]) == "0.9750 ± 0.0050"
    assert spread_text([2900.4, 3100.0]) == "3000 ± 99.8"
    assert spread_text([0.5, None]) == "-"
    assert spread_text([]) == spread_text(None) == "-"


def test_values():
    assert [value_text(x) for x in (0.0123456789, True, 32, "relu", None, math.nan)] == [
        "0.0123457",
        "True",
        "32",
        "relu",
        "-",
        "-",
    ]
    assert value_text(0.0123456, 4) == "0.01235"
    assert params_text({"a": 0.0123456, "b": True, "c": 32}) == "a=0.01235  b=True  c=32"
    assert rounded(0.1 + 0.2) == 0.3


def test_counts_and_lists():
    assert [counted(n, "trial") for n in (0, 1, 2)] == ["0 trials", "1 trial", "2 trials"]
    assert counted(2, "study", "studies") == "2 studies"
    assert listed(["a"]) == "a"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_what_was_received_is_shortened():
    assert quoted("short") == "'short'"
    assert quoted(1.5) == "1.5"
    cell = quoted("x" * 5_000_000)
    assert cell == f"'{'x' * 80}'... (5000000 characters)"
    assert quoted(b"x" * 200) == f"b'{'x' * 80}'... (200 bytes)"
    assert len(quoted(list(range(10**6)))) < 130
    assert shortened("x" * 100) == "x" * 100
    assert len(listed(["y" * 10**6] * 9)) < 1300


def test_paths_in_sentences():
    assert path_text("a/b c.csv") == "a/b c.csv"
    assert path_text("mnist.npz?") == "'mnist.npz?'"
    assert path_text("..") == ".."
    assert path_text("a\x1b[31m\nb") == r"'a\x1b[31m\nb'"
    assert len(path_text("d/" * 5000)) < 350


def test_what_others_say_is_a_part_of_a_sentence():
    assert said(ValueError("no such thing.\n  Try again!")) == "no such thing. Try again"
    assert said(KeyError()) == "KeyError"
    assert len(said(ValueError("z" * 10**6))) < 350


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 数 a\u200db", "größe 数 a\u200db"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x9b31m", r"\x9b31m"),
        ("gnp.\u202e", r"gnp.\u202e"),
        ("a\u2028b\u2066", r"a\u2028b\u2066"),
        ("no utf-8 \udcff", r"no utf-8 \udcff"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_others_wrote_cannot_steer_a_terminal(text, shown):
    assert printable(text) == shown


def test_what_stays():
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@pytest.mark.parametrize(
    "text", ["a", "a b", "it's", "a\nb", "\x1b'\\x", "~x", "-n", "$(x)", "\udcff", "ü\u202e"]
)
def test_a_shell_reads_what_was_quoted(text):
    quoted = shell_quoted(text)
    assert printable(quoted) == quoted
    said = subprocess.run(
        ["bash", "-c", f"printf %s {quoted}"],
        capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"},
    ).stdout  # fmt: skip
    assert os.fsdecode(said) == text
