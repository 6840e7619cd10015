"""A parent process with a pool whose workers run one of the loops below instead of the real one.

    python pool_script.py LOOP WORKERS FOLDER [TIMEOUT] [TRIALS_OF_A_WORKER] [TRIAL_LIMITS]

TRIAL_LIMITS are those of `tuner.workers.limits.TrialLimits` as JSON.

Prints each event, line and handed-back process as a JSON list on stdout, then the outcome. Spawned
workers import this file too, which is how the loop gets there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import types
from functools import partial
from pathlib import Path

from tuner.errors import StorageError, TunerError
from tuner.search.events import (
    EpochDone,
    TrialDone,
    TrialReturned,
    TrialStarted,
    WorkerDone,
    WorkerReady,
)
from tuner.workers.interfaces import Task
from tuner.workers.limits import TrialLimits
from tuner.workers.parent_signals import SignalWatch
from tuner.workers.pool import WorkerPool
from tuner.workers.process import LocalEngine
from tuner.workers.recycling import WorkerLimits


def run_worker(folder, loop, *, worker, stop, on_event, deadline, make_trainer):
    on_event(WorkerReady(worker))
    reason = LOOPS[loop](Path(folder), worker, stop, on_event)
    on_event(WorkerDone(worker, reason))
    return reason


def trial(worker, on_event, number, epochs=3):
    on_event(TrialStarted(worker, number, number, {"a": 1}, epochs))
    for epoch in range(1, epochs + 1):
        on_event(EpochDone(worker, number, epoch, epochs, 0.5))
    on_event(TrialDone(worker, number, number, "complete", 0.5, 0.1))


def finish(folder, worker, stop, on_event):
    for number in range(3):
        trial(worker, on_event, 10 * worker + number)
    return "done"


def finish_together(folder, worker, stop, on_event):
    """As `finish`, once both of two workers are here: the first to be done ends the pool."""
    (folder / f"here-{worker}").touch()
    while len(list(folder.glob("here-*"))) < 2:
        time.sleep(0.01)
    return finish(folder, worker, stop, on_event)


def noisy(folder, worker, stop, on_event):
    print("printed")
    os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written\n")
    os.write(2, b"I0000 00:00:1795458557.109683   24099 port.cc:153] oneDNN is on\n")
    os.write(2, b"E0000 00:00:1795458557.109683   24099 port.cc:153] an error\n")
    os.write(2, b"written below Python\nno newline")
    return "done"


def sleepy(folder, worker, stop, on_event):
    """A long trial that ends at the next epoch when it is told to."""
    on_event(TrialStarted(worker, worker, worker, {}, 10_000))
    (folder / f"busy-{worker}-{os.getpid()}").touch()
    for _ in range(600):
        time.sleep(0.05)
        if stop():
            on_event(TrialReturned(worker, worker, worker, "stopped"))
            (folder / f"returned-{worker}").touch()
            return "stopped"
    raise AssertionError("nobody stopped it")


def deaf(folder, worker, stop, on_event):
    """A trial whose epoch lasts longer than anybody waits."""
    on_event(TrialStarted(worker, worker, worker, {}, 2))
    (folder / f"busy-{worker}-{os.getpid()}").touch()
    time.sleep(60)
    return "done"


def dies_once(folder, worker, stop, on_event):
    on_event(TrialStarted(worker, 1, 1, {}, 2))
    if not (folder / "died").exists():
        (folder / "died").write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    on_event(TrialDone(worker, 1, 1, "complete", 0.5, 0.1))
    return "done"


def dies_always(folder, worker, stop, on_event):
    os._exit(7)


def hangs_once(folder, worker, stop, on_event):
    """Trial 1 hangs unless it runs alone; the next life runs it so."""
    alone = (folder / "hung").exists()
    on_event(TrialStarted(worker, 1 + alone, 1, {}, 2, alone))
    if not alone:
        (folder / "hung").write_text(str(os.getpid()))
        time.sleep(60)
    on_event(TrialDone(worker, 1 + alone, 1, "complete", 0.5, 0.1))
    return "done"


def hangs_always(folder, worker, stop, on_event):
    (folder / f"life-{time.time()}").touch()
    if len(list(folder.glob("life-*"))) > 12:
        return "done"
    on_event(TrialStarted(worker, 1, 1, {}, 2, False))
    time.sleep(60)
    return "done"


def swells(folder, worker, stop, on_event):
    """Trial 1 takes 200 MB; the worker that follows finds nothing to do."""
    if (folder / "swollen").exists():
        return "done"
    (folder / "swollen").touch()
    on_event(TrialStarted(worker, 1, 1, {}, 2, False))
    held = bytearray(os.urandom(1)) * (200 << 20)
    time.sleep(60)
    return held and "done"


def swells_early(folder, worker, stop, on_event):
    """Takes 200 MB before it has any trial, as large data would."""
    (folder / f"life-{time.time()}").touch()
    held = bytearray(os.urandom(1)) * (200 << 20)
    time.sleep(60)
    return held and "done"


def killed_while_large(folder, worker, stop, on_event):
    """As the kernel kills for want of memory: by signal 9, while the worker holds much."""
    if (folder / "died").exists():
        return "done"
    on_event(TrialStarted(worker, 1, 1, {}, 2, False))
    held = bytearray(os.urandom(1)) * (200 << 20)
    time.sleep(4)  # the parent looks at it every second
    (folder / "died").touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return held and "done"


def raises(folder, worker, stop, on_event):
    raise ZeroDivisionError("a defect")


def refuses(folder, worker, stop, on_event):
    if worker == 0:
        raise StorageError("the storage is of a newer schema")
    return sleepy(folder, worker, stop, on_event)


def counts(folder, worker, stop, on_event):
    """Seven trials in all, counted in files; each life of a worker does as many as it may."""
    while not stop():
        number = len(list(folder.glob("trial-*")))
        if number == 7:
            return "done"
        (folder / f"trial-{number}-{os.getpid()}").touch()
        trial(worker, on_event, number)
    return "stopped"


LOOPS = {
    loop.__name__: loop
    for loop in (
        finish,
        finish_together,
        noisy,
        sleepy,
        deaf,
        dies_once,
        dies_always,
        hangs_once,
        hangs_always,
        swells,
        swells_early,
        killed_while_large,
        raises,
        refuses,
        counts,
    )
}

stand_in = types.ModuleType("tuner.search.loop")
stand_in.run_worker = run_worker  # type: ignore[attr-defined]
sys.modules["tuner.search.loop"] = stand_in


if os.environ.get("DIES_AT_IMPORT") and __name__ == "__mp_main__":
    os.kill(os.getpid(), signal.SIGKILL)  # as without memory for TensorFlow


def no_trainer(definition):
    raise AssertionError("these loops train nothing")


class Printer:
    def say(self, *what):
        print(json.dumps(what), flush=True)

    def event(self, event):
        self.say("event", type(event).__name__, vars(event))

    def line(self, text):
        self.say("line", text)

    def tick(self):
        pass

    def close(self):
        raise AssertionError("a pool leaves it open")

    def give_back(self, loss):
        trials = None if loss.trials is None else sorted(loss.trials)
        self.say("hand back", loss.process, loss.cause, loss.fault, trials)
        return lambda: True


def main():
    loop, workers, folder, *rest = sys.argv[1:]
    printer = Printer()
    timeout = float(rest[0]) if rest and rest[0] != "-" else None
    limits = (
        WorkerLimits(trials=int(rest[1])) if len(rest) > 1 and rest[1] != "-" else WorkerLimits()
    )
    start = partial(LocalEngine().start, make_trainer=no_trainer, limits=limits)
    trial_limits = TrialLimits(**json.loads(rest[2])) if len(rest) > 2 else None
    with (
        SignalWatch() as signals,
        WorkerPool(int(workers), start, trial_limits) as pool,
    ):
        signals.hold()
        deadline = None if timeout is None else time.time() + timeout
        try:
            outcome = pool.run(
                Task(folder, loop, deadline),
                signals,
                printer,
                printer.give_back,
                patience=1.0,
            )
            printer.say("outcome", outcome.reason, outcome.signal)
        except TunerError as error:
            printer.say("error", type(error).__name__, str(error))


if __name__ == "__main__":
    main()
