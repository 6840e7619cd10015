"""Progress: what the state works out from events, and what the displays make of it."""

from __future__ import annotations

import dataclasses
import io
import os
import pty
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from tests.support.terminal import Screen
from tuner.cli.output import fit_to_tell, tell
from tuner.progress import make_progress
from tuner.progress.live import Head, LiveProgress
from tuner.progress.notebook import NotebookProgress
from tuner.progress.plain import PlainProgress, SilentProgress
from tuner.progress.state import SearchState
from tuner.results import BestTrial
from tuner.search.events import (
    EpochDone,
    TrialDone,
    TrialReturned,
    TrialStarted,
    WorkerReady,
    WorkerWarning,
)

PARAMS = {"optimizer.learning_rate": 0.123456}


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def state(**changes: object) -> SearchState:
    settings = {"name": "s", "metric": "accuracy", "direction": "maximize", "total": 10}
    return SearchState(**{**settings, "started": 1000.0, **changes})  # type: ignore[arg-type]


def started(number: int, ticket: int | None = None, worker: int = 0) -> TrialStarted:
    return TrialStarted(worker, number, number if ticket is None else ticket, PARAMS, 20)


def done(
    number: int, value: float | None = 0.9, kind: str = "complete", ticket: int | None = None
) -> TrialDone:
    at = number if ticket is None else ticket
    return TrialDone(0, number, at, kind, value, 0.3, None)  # type: ignore[arg-type]


# state


def test_counts_and_best_follow_the_direction():
    up, down = state(), state(direction="minimize", metric="loss")
    for each in (up, down):
        for number, value in enumerate([0.5, 0.9, 0.2]):
            each.apply(started(number), 1000)
            each.apply(done(number, value), 1001)
        each.apply(started(3), 1001)
        each.apply(done(3, 0.1, "pruned"), 1002)
    assert (up.complete, up.pruned, up.failed, up.settled) == (3, 1, 0, 4)
    assert up.best is not None
    assert down.best is not None
    assert (up.best.number, up.best.value) == (1, 0.9)
    assert (down.best.number, down.best.value) == (2, 0.2)


def test_a_best_from_before_is_kept_until_beaten():
    s = state(done=4, best=BestTrial(2, {}, 0.95))
    s.apply(started(5), 1000)
    assert not s.apply(done(5, 0.94), 1001)
    s.apply(started(6), 1000)
    assert s.apply(done(6, 0.96), 1001)
    assert s.best is not None
    assert s.best.number == 6
    assert s.settled == 6


def test_nan_is_never_the_best():
    s = state()
    s.apply(started(0), 1000)
    assert not s.apply(done(0, float("nan")), 1001)
    assert s.best is None


def test_a_failed_ticket_that_is_tried_again_counts_once():
    s = state()
    s.apply(started(0, ticket=0), 1000)
    s.apply(done(0, None, "failed", ticket=0), 1001)
    assert s.settled == 1
    s.apply(started(7, ticket=0), 1002)
    assert s.settled == 0
    s.apply(done(7, 0.9, ticket=0), 1003)
    assert s.settled == 1


def test_remaining_time_is_pace_times_trials_and_at_most_the_deadline():
    s = state()
    assert s.remaining(1000) is None
    s.apply(started(0), 1000)
    s.apply(done(0), 1002)
    s.apply(started(1), 1002)
    s.apply(done(1), 1004)
    assert s.remaining(1004) == pytest.approx(2 * 8)
    # Nothing finishes: the estimate grows instead of staying wrong.
    assert s.remaining(1010) == pytest.approx(5 * 8)
    s.deadline = 1012
    assert s.remaining(1010) == pytest.approx(2)


def test_remaining_time_looks_at_recent_trials_only():
    s = state(total=200)
    now = 1000.0
    for number in range(60):
        s.apply(started(number), now)
        now += 10 if number < 30 else 1
        s.apply(done(number), now)
    assert s.remaining(now) == pytest.approx(140, rel=0.05)


def test_worker_lines_follow_their_worker():
    s = state()
    s.apply(started(4, worker=1), 1000)
    s.apply(EpochDone(1, 4, 3, 20, 0.75), 1000)
    assert (s.workers[1].trial, s.workers[1].epoch, s.workers[1].value) == (4, 3, 0.75)
    s.apply(TrialReturned(1, 4, 4, "stopped"), 1001)
    assert s.workers[1].trial is None
    assert s.settled == 0


def member(number: int, score: float, parameters: float, *, feasible: bool = True) -> TrialDone:
    return dataclasses.replace(done(number, score), values=(score, parameters), feasible=feasible)


def test_of_several_objectives_every_display_tells_all_values_and_the_front():
    now = Clock()
    progress, lines = plain(state(others={"parameters": "minimize"}), now)
    s = progress.state
    told = [member(0, 0.9, 650), member(1, 0.8, 700), member(2, 0.95, 12810), member(3, 0.9, 640)]
    fronts = []
    for event in [*told, member(4, 0.99, 1, feasible=False)]:
        now.now += 2
        progress.event(started(event.number))
        progress.event(event)
        fronts.append(sorted(s.front))
    assert fronts == [[0], [0], [0, 2], [2, 3], [2, 3]]
    begun = [line.rpartition(" · ")[0] for line in lines]
    assert begun[0] == (
        "[1/10] trial 0 complete · accuracy 0.9000, parameters 650 · 0.3 s · on the front · "
        "front 1 trial"
    )
    assert begun[1].endswith("parameters 700 · 0.3 s · front 1 trial")
    assert s.front_text() == "2 trials, accuracy 0.9000 to 0.9500, parameters 640 to 12810"
    live = LiveProgress(s, Console(file=io.StringIO(), width=100), fit_to_tell, now)
    live.close()
    assert "front  2 trials, accuracy 0.9000 to 0.9500, parameters 640 to 12810" in drawn(live)
    assert "best" not in drawn(live)
    assert s.best is not None
    assert s.best.number == 2


# plain lines


def plain(s: SearchState, now: Clock, kind: type[SilentProgress] = PlainProgress):
    lines: list[str] = []
    return kind(s, lines.append, now), lines


def test_plain_throttles_fast_trials_but_shows_each_new_best_and_the_last():
    now = Clock()
    progress, lines = plain(state(total=100), now)
    for number in range(100):
        now.now += 0.1
        progress.event(started(number))
        progress.event(done(number, 0.99 if number == 37 else 0.5))
        progress.tick()
    progress.close()
    # 10 s at one line a second, and the new best at 0.99.
    assert 9 <= len(lines) <= 13
    assert any("trial 37 complete · accuracy 0.9900" in line for line in lines)
    assert "trial 99 " in lines[-1]
    left_out = [int(line.split(" more since")[0].split()[-1]) for line in lines if "more" in line]
    assert sum(left_out) + len(lines) == 100


def test_plain_gives_every_slow_trial_its_line():
    now = Clock()
    progress, lines = plain(state(total=3), now)
    for number, kind in enumerate(["complete", "pruned", "failed"]):
        progress.event(started(number))
        now.now += 2
        progress.event(done(number, None if kind == "failed" else 0.8, kind))
    assert len(lines) == 3
    assert lines[0].startswith("[1/3] trial 0 complete · accuracy 0.8000")
    assert "pruned" in lines[1]
    assert "best 0.8000 (trial 0)" in lines[1]
    assert lines[2].startswith("[3/3] trial 2 failed")


@pytest.mark.parametrize("kind", ["pruned", "failed"])  # as the sampler learns from it or not
@pytest.mark.parametrize("why", ["the loss of fold 1 was not finite in epoch 2", "the mean of r2"])
def test_a_trial_that_diverged_reads_so_and_has_no_score(kind, why):
    event = dataclasses.replace(done(1, 0.1, kind), cause=f"diverged: {why}")
    now = Clock()
    progress, lines = plain(state(), now)
    now.now += 2
    progress.event(started(1))
    progress.event(event)
    assert len(lines) == 1
    assert lines[0].startswith(f"[1/10] trial 1 diverged · 0.3 s · {why} ·")

    written = io.StringIO()
    live = LiveProgress(state(), Console(file=written, width=100), fit_to_tell, now)
    live.event(started(1))
    live.event(event)
    live.event(dataclasses.replace(done(2, 0.3, "pruned"), cause="pruned by median after epoch 1"))
    live.close()
    assert f"trial 1 diverged: {why}" in written.getvalue()
    assert "2/10 trials · 1 pruned · 1 diverged" in drawn(live)
    # The counts that a search ends with are those of the stored states.
    counts = live.state.complete, live.state.pruned, live.state.failed
    assert counts == ((0, 2, 0) if kind == "pruned" else (0, 1, 1))


def test_plain_says_that_it_lives_when_a_trial_is_long():
    now = Clock()
    progress, lines = plain(state(), now)
    progress.event(started(0))
    for epoch in range(1, 13):
        now.now += 10
        progress.event(EpochDone(0, 0, epoch, 20, 0.5))
        progress.tick()
    assert len(lines) == 4
    assert lines[0] == "[0/10] trial 0 epoch 3/20 accuracy 0.5000"


def test_silent_shows_warnings_and_lines_only():
    progress, lines = plain(state(), Clock(), SilentProgress)
    progress.event(WorkerReady(0))
    progress.event(started(0))
    progress.event(done(0))
    progress.event(WorkerWarning(0, "storage locked"))
    progress.line("worker 0: hello")
    progress.close()
    assert lines == ["warning: storage locked", "worker 0: hello"]


# live


def drawn(progress: LiveProgress, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(progress.view())
    return out.getvalue()


def test_live_view_shows_bar_workers_best_and_time():
    now = Clock()
    screen = io.StringIO()
    s = state()
    progress = LiveProgress(
        s, Console(file=screen, force_terminal=True, width=100), fit_to_tell, now
    )
    try:
        assert "no complete trial yet" in drawn(progress)
        progress.event(started(0))
        now.now += 2
        progress.event(done(0, 0.9))
        progress.event(started(1, worker=1))
        progress.event(EpochDone(1, 1, 7, 20, 0.8123))
        text = drawn(progress)
        assert "1/10 trials" in text
        assert "0:02 gone · 0:18 left" in text
        assert "worker 1  trial 1  epoch 7/20  accuracy 0.8123" in text
        assert "best  trial 0  accuracy 0.9000  optimizer.learning_rate=0.1235" in text
        assert all(len(line) <= 60 for line in drawn(progress, width=60).splitlines())
    finally:
        progress.close()


COUNTS = "8/100 trials · 1 pruned · 2 failed · 3 diverged · 12:30 gone · 1:02:03 left"


@pytest.mark.parametrize("name", ["d", "sgd_decay-4b4050ba", "a_name_of_a_study_" * 5])
@pytest.mark.parametrize("width", [80, 90, 100, 110, 120, 200])
def test_the_bar_shrinks_before_anything_is_left_out(width, name):
    out, screen = io.StringIO(), Screen(width)
    console = Console(file=out, width=width, force_terminal=True, color_system="truecolor")
    console.print(Head(name, 0.08, COUNTS))
    screen.feed(out.getvalue().replace("\n", "\r\n"))
    lines = screen.lines
    assert COUNTS in lines[-1]
    assert 5 <= sum(line.count("━") + line.count("╸") + line.count("╺") for line in lines) <= 30
    assert all(len(line.rstrip()) <= width for line in lines)
    one_line = len(name) + 2 + 5 + 2 + len(COUNTS) <= width
    assert len(lines) == (1 if one_line else 2)
    assert lines[0].startswith(name if len(name) <= width - 7 else name[: width - 8] + "…")


@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("typed", ["^C", "^C^C", "^\\"])
def test_nothing_stale_stays_if_a_terminal_writes_into_the_frame(width, typed):
    """It echoes an interrupt where the cursor stands; a best trial's parameters fill a line."""
    now, written, screen = Clock(), io.StringIO(), Screen(width)
    s = state(best=BestTrial(3, dict.fromkeys(map(str, range(30)), 0.5), 0.9))
    progress = LiveProgress(
        s, Console(file=written, force_terminal=True, width=width), fit_to_tell, now
    )
    for _ in range(3):
        now.now += 1
        progress.tick()
        written.write(typed)
    progress.line("ending")
    now.now += 1
    progress.tick()
    written.write(typed)
    screen.feed(written.getvalue().replace("\n", "\r\n"))
    assert [line for line in screen.lines if "0/10 trials" in line][1:] == []
    progress.close()
    screen = Screen(width)
    screen.feed(written.getvalue().replace("\n", "\r\n"))
    assert screen.lines == ["ending"]


def test_live_redraws_at_most_four_times_a_second():
    now = Clock()
    screen = io.StringIO()
    progress = LiveProgress(
        state(), Console(file=screen, force_terminal=True, width=100), fit_to_tell, now
    )
    before = screen.getvalue().count("0/10 trials")
    for _ in range(1000):
        now.now += 0.001
        progress.tick()
    progress.close()
    assert 3 <= screen.getvalue().count("0/10 trials") - before <= 6


# choice of display


def test_auto_is_plain_without_a_terminal(capsys):
    progress = make_progress("auto", state(), tell, fit_to_tell)
    assert type(progress) is PlainProgress
    progress.line("hello")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_auto_is_live_on_a_terminal(monkeypatch):
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        progress = make_progress("auto", state(), tell, fit_to_tell)
        assert isinstance(progress, LiveProgress)
        progress.close()
    os.close(master)


def test_none_is_silent():
    assert type(make_progress("none", state(), tell, fit_to_tell)) is SilentProgress


# a notebook


class Cell:
    """What `display` returns, and what was shown."""

    def __init__(self, first):
        self.shown = [first]

    def update(self, text):
        self.shown.append(text)


def test_a_notebook_changes_one_output_in_place(monkeypatch):
    cells = []

    def display(text, display_id):
        cells.append(Cell(text))
        return cells[-1]

    fake = SimpleNamespace(
        get_ipython=lambda: SimpleNamespace(kernel=object()),
        display=SimpleNamespace(HTML=str, display=display),
    )
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setitem(sys.modules, "IPython.display", fake.display)
    assert type(make_progress("auto", state(), tell, fit_to_tell)) is NotebookProgress
    assert type(make_progress("plain", state(), tell, fit_to_tell)) is PlainProgress
    now = Clock()
    progress = NotebookProgress(state(name="<s>"), fit_to_tell, now)
    progress.event(started(0))
    progress.event(EpochDone(0, 0, 7, 20, 0.8123))
    progress.tick()
    assert len(cells[-1].shown) == 1
    now.now += 1
    progress.tick()
    progress.event(done(0))
    progress.event(WorkerWarning(0, "a <warning>"))
    progress.close()
    assert len(cells) == 2
    before, during, after = cells[-1].shown
    assert "0/10 trials" in before
    assert "&lt;s&gt;" in before
    assert "worker 0</span> trial 0 · epoch 7/20 · accuracy 0.8123" in during
    assert "1/10 trials" in after
    assert "best: trial 0, accuracy <b>0.9</b>" in after.replace("0.9000", "0.9")
    assert "warning: a &lt;warning&gt;" in after
    assert "worker 0</span>" not in after
