"""Two Ray nodes on one machine, one of which is killed with all that is in it.

    python -m tests.support.faults.ray_nodes URL ADDRESS EPOCH_SECONDS

is the search itself, in a process of its own, as `tuner resume --ray ADDRESS` runs it; it prints a
line of JSON for each event.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from optuna.trial import TrialState

from tests.support.faults.ray_cluster import RayCluster
from tests.support.faults.study import NAME, FaultStudy, Ledger
from tuner.storage import records
from tuner.study.definition import StudyDefinition

#: CPUs and GPUs of one worker. Each node has one CPU, and one GPU that nobody uses.
SHARE = (0.5, 0.25)
WORKERS = 2


@dataclass(frozen=True)
class RayNodes:
    """What `ray_nodes` saw.

    Attributes:
        held: trials that the killed node's workers held.
        done_before, done_after: trials that ended before and after the kill.
        restarted: workers that began again after it.
        forgotten: results that the search was told of, and that are not stored.
        reason: why the search ended.
        found: what workers said of the GPU they see and of their working directory.
        left: Ray processes that outlived the cluster.
    """

    held: int
    done_before: int
    done_after: int
    restarted: int
    forgotten: int
    reason: str
    found: frozenset[str]
    left: int
    ledger: Ledger
    seconds: float

    @property
    def holds(self) -> bool:
        exact = self.ledger.holds and not self.forgotten and self.reason == "done"
        return exact and self.held > 0 and self.restarted > 0 and not self.left


def ray_nodes(
    url: str, *, trials: int = 24, epoch_seconds: float = 0.1, patience: float = 240.0
) -> RayNodes:
    """Search on two nodes, kill the second one while a worker of its own trains, and go on.

    Args:
        url: an empty storage that every node reaches.
        patience: seconds for all of it; RuntimeError if it takes longer.
    """
    began = time.monotonic()
    study = FaultStudy(url, trials=trials)
    with RayCluster() as cluster:
        for _ in range(2):
            cluster.start(cpus=1, gpus=1)
        with subprocess.Popen(
            [sys.executable, "-m", __name__, url, cluster.address, str(epoch_seconds)],
            stdout=subprocess.PIPE,
            env=os.environ | cluster.environment,
            text=True,
        ) as search:
            try:
                held = _kill_second(cluster, study, search, began + patience)
                killed = time.time()
                out, _ = search.communicate(timeout=began + patience - time.monotonic())
            except BaseException:
                search.kill()
                raise
        nodes = [process for number in range(2) for process in cluster.processes(number)]
    told = [json.loads(line) for line in out.splitlines()]
    done = [line for line in told if line["event"] == "TrialDone"]
    stored = {t.number: t.value for t in study.trials() if t.state == TrialState.COMPLETE}
    return RayNodes(
        held=held,
        done_before=sum(line["time"] < killed for line in done),
        done_after=sum(line["time"] >= killed for line in done),
        restarted=sum(line["event"] == "WorkerReady" and line["time"] >= killed for line in told),
        forgotten=sum(
            stored.get(line["number"]) != line["value"]
            for line in done
            if line["state"] == "complete"
        ),
        reason=told[-1].get("reason", "none") if told else "none",
        found=frozenset(
            line["text"].partition(": ")[2]
            for line in told
            if line["event"] == "line" and line["text"].startswith("worker ")
        ),
        left=sum(process.is_running() for process in nodes),
        ledger=study.ledger([]),
        seconds=time.monotonic() - began,
    )


def _kill_second(
    cluster: RayCluster, study: FaultStudy, search: subprocess.Popen[str], until: float
) -> int:
    """Kill the second node once it holds a trial, and some have ended; how many it held."""
    while time.monotonic() < until and search.poll() is None:
        trials = study.trials()
        ended = sum(trial.state.is_finished() for trial in trials)
        there = {process.pid for process in cluster.processes(1)}
        held = [
            trial
            for trial in trials
            if trial.state == TrialState.RUNNING
            and int(trial.system_attrs[records.WORKER].split(":")[1]) in there
        ]
        if held and ended >= 3:
            cluster.kill(1)
            return len(held)
        time.sleep(0.05)
    raise RuntimeError("no worker of the second node had a trial")


def search(url: str, address: str, epoch_seconds: float) -> None:
    """Work on the study until it is done."""
    from tests.support.fake_trainer import FakeTrainer
    from tuner.search.prepare import PreparedStudy
    from tuner.search.tickets import read_counts
    from tuner.storage import open_storage
    from tuner.study.stored import load_study, read_definition
    from tuner.workers import run_search
    from tuner.workers.ray import RayEngine, Share

    def make_trainer(definition: StudyDefinition) -> FakeTrainer:
        print("GPU", os.environ.get("CUDA_VISIBLE_DEVICES"), "in", os.getcwd())
        return FakeTrainer(epoch_seconds=epoch_seconds)

    def prepare() -> PreparedStudy:
        study = load_study(open_storage(url, create=False), NAME)
        return PreparedStudy(NAME, url, read_counts(study).total, 0, read_definition(study))

    outcome = run_search(
        prepare,
        lambda study, workers: _Teller(),
        workers=WORKERS,
        engine=RayEngine(address, Share(*SHARE), url, workers=WORKERS),
        make_trainer=make_trainer,
    )
    _tell("outcome", reason=outcome.pool.reason)


class _Teller:
    """A display for programs."""

    def event(self, event: Any) -> None:
        _tell(type(event).__name__, **asdict(event))

    def line(self, text: str) -> None:
        _tell("line", text=text)

    def tick(self) -> None:
        pass

    def close(self) -> None:
        pass


_STDOUT = sys.stdout


def _tell(event: str, **fields: object) -> None:
    line = {"time": time.time(), **fields, "event": event}
    print(json.dumps(line, default=str), file=_STDOUT, flush=True)


if __name__ == "__main__":
    search(sys.argv[1], sys.argv[2], float(sys.argv[3]))
