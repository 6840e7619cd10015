"""A worker as a process of its own: python search_worker.py URL STUDY [SETTINGS as JSON]

Prints each event as a line. Settings: epoch_seconds, grace, heartbeat, die_at (an epoch: SIGKILL
to itself there, in the first attempt), die_in (SIGKILL inside a step: pop, requeue),
checkpoint_every (seconds), patience (seconds it waits for a storage).
"""

from __future__ import annotations

import json
import os
import signal
import sys

from tests.support.fake_trainer import FakeTrainer
from tuner.search.loop import run_worker


def kill_self(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    url, name, *rest = sys.argv[1:]
    settings = json.loads(rest[0]) if rest else {}
    if settings.get("die_in") == "requeue":
        from tuner.search import sweep

        sweep.requeue = kill_self
    if settings.get("die_in") == "pop":
        from tuner.search.work import GroupWork

        GroupWork._work = kill_self  # type: ignore[method-assign]

    if "checkpoint_every" in settings:
        from tuner.search.checkpoints import writer

        writer.EVERY, writer.SHARE = settings["checkpoint_every"], float("inf")

    if "patience" in settings:
        from tuner.search import loop

        loop.PATIENCE = settings["patience"]

    def fail(params: object, epoch: int) -> None:
        if epoch == settings.get("die_at"):
            kill_self()

    trainer = FakeTrainer(epoch_seconds=settings.get("epoch_seconds", 0.0), fail=fail)
    reason = run_worker(
        url,
        name,
        worker=os.getpid(),
        stop=lambda: False,
        on_event=lambda event: print(event, flush=True),
        make_trainer=lambda _: trainer,
        grace=settings.get("grace", 60.0),
        heartbeat=settings.get("heartbeat", 10.0),
    )
    print(reason, flush=True)


if __name__ == "__main__":
    main()
