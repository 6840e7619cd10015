"""One life of a worker after another, told exactly, whatever gets lost between here and there."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable

import pytest

from tests.support.ray_stand_ins import TASK, StandIn, no_trainer, three_trials, until_told
from tuner.errors import StorageError, TunerError
from tuner.search.events import TrialDone, TrialStarted
from tuner.storage.owner import process_name, this_place
from tuner.workers.messages import Crashed, Ended, Entered, Failed, Limits
from tuner.workers.ray import station
from tuner.workers.ray import worker as cluster_worker
from tuner.workers.ray.station import Said, Site, Station
from tuner.workers.ray.worker import ClusterWorker


def follow(
    worker: ClusterWorker, until: Callable[[list[object]], object] | None = None
) -> list[object]:
    """All that it says until it ends, or until `until` of what it said is true."""
    said: list[object] = []
    for _ in range(2000):
        alive = worker.alive
        said += worker.receive()
        if until(said) if until else not alive:
            return said
        time.sleep(0.005)
    raise AssertionError(f"only {said}")


def begun(said: list[object]) -> bool:
    return any(isinstance(message, TrialStarted) for message in said)


def trials(said: list[object]) -> list[int]:
    return [message.number for message in said if isinstance(message, TrialDone)]


def test_everything_arrives_once_and_in_order(cluster, run_loop):
    run_loop(three_trials)
    worker = ClusterWorker(0, cluster())
    worker.give(TASK)
    said = follow(worker)
    assert isinstance(said[0], Entered)
    assert trials(said) == [0, 1, 2]
    assert said[-1] == Ended("done")
    assert worker.finished
    assert worker.name == process_name(os.getpid())
    assert list(worker.receive()) == []


def test_lost_answers_lose_nothing_and_repeat_nothing(cluster, run_loop):
    def slowly(worker, stop, tell):
        for number in range(20):
            tell(TrialDone(worker, number, number, "complete", 0.5, 0.1))
            time.sleep(0.01)
        return "done"

    run_loop(slowly)
    remote: StandIn = cluster()
    worker = ClusterWorker(0, remote)
    worker.give(TASK)
    remote.lose = 10
    said = follow(worker)
    assert remote.lose == 0
    assert trials(said) == list(range(20))
    assert said[-1] == Ended("done")


def test_the_task_may_come_before_the_first_answer_and_after(cluster, run_loop):
    run_loop(three_trials)
    remote = cluster()
    remote.pending = True
    early = ClusterWorker(0, remote)
    early.give(TASK)
    remote.pending = False
    assert trials(follow(early)) == [0, 1, 2]
    late = ClusterWorker(0, cluster())
    follow(late, until=lambda said: late.life)
    late.give(TASK)
    assert trials(follow(late)) == [0, 1, 2]


def test_a_stop_ends_the_loop_and_is_told(cluster, run_loop):
    run_loop(until_told)
    worker = ClusterWorker(0, cluster())
    worker.give(TASK)
    said = follow(worker, until=begun)
    worker.stop()
    assert follow(worker)[-1] == Ended("stopped")
    assert begun(said)


def test_a_stop_before_the_loop_begins_ends_without_a_word(cluster, run_loop):
    run_loop(three_trials)
    worker = ClusterWorker(0, cluster())
    follow(worker, until=lambda said: worker.life)
    worker.stop()
    assert follow(worker) == []
    assert worker.finished


def test_a_worker_without_a_node_is_named_and_can_be_stopped(cluster, monkeypatch):
    monkeypatch.setattr(cluster_worker, "ROOM_PATIENCE", 0.01)
    monkeypatch.setattr(cluster_worker, "STOP_PATIENCE", 0.01)
    remote = cluster()
    remote.pending = True
    worker = ClusterWorker(3, remote, wants="2 CPUs")
    worker.give(TASK)
    lines: list[str] = []
    follow(worker, until=lambda said: lines.extend(worker.read_log()) or lines)
    assert lines == ["worker 3: waits for a node with 2 CPUs"]
    worker.stop()
    assert follow(worker) == []
    assert remote.kills == [False]


def test_a_process_that_dies_is_followed_by_the_next_one(cluster, run_loop):
    run_loop(until_told)
    remote = cluster()
    first = ClusterWorker(0, remote)
    first.give(TASK)
    follow(first, until=begun)
    remote.die()
    assert not any(isinstance(message, Ended) for message in follow(first))
    assert not first.finished
    assert not first.lost
    assert first.death() == f"ended without a word (process {os.getpid()} on node-0)"

    second = ClusterWorker(0, remote)
    second.give(TASK)
    assert begun(follow(second, until=begun))
    assert second.life != first.life
    second.stop()
    assert follow(second)[-1] == Ended("stopped")


def test_a_process_that_dies_with_its_node_is_lost(cluster, run_loop):
    run_loop(until_told)
    remote = cluster()
    worker = ClusterWorker(0, remote)
    worker.give(TASK)
    follow(worker, until=begun)
    remote.die(with_node=True)
    follow(worker)
    assert worker.lost
    assert "was lost with its node" in worker.death()


def test_silence_is_not_death_unless_it_lasts(cluster, run_loop, monkeypatch):
    run_loop(until_told)
    remote = cluster()
    worker = ClusterWorker(0, remote)
    worker.give(TASK)
    follow(worker, until=begun)
    remote.down = True
    remote.stations[-1].listen(None, 0, None, False)  # ends the question that is still open
    until = time.monotonic() + 0.3
    follow(worker, until=lambda said: time.monotonic() > until)
    assert worker.alive
    remote.down = False
    life = worker.life
    until = time.monotonic() + 0.3
    follow(worker, until=lambda said: time.monotonic() > until)
    assert (worker.alive, worker.life) == (True, life)

    monkeypatch.setattr(cluster_worker, "LOST_AFTER", 0.2)
    remote.down = True
    remote.stations[-1].listen(None, 0, None, False)
    follow(worker)
    assert not worker.finished
    # It was alive all the time: whoever follows goes on with it, and knows that it has begun.
    remote.down = False
    after = ClusterWorker(0, remote)
    after.give(TASK)
    assert follow(after, until=lambda said: said) == [Entered()]
    assert after.life == life
    after.stop()
    assert follow(after)[-1] == Ended("stopped")


def test_a_life_that_has_ended_is_not_taken_for_the_next_one(cluster, run_loop):
    run_loop(three_trials)
    remote = cluster()
    first = ClusterWorker(0, remote)
    first.give(TASK)
    follow(first)
    second = ClusterWorker(0, remote, after=first.life)
    second.give(TASK)
    until = time.monotonic() + 0.2
    assert follow(second, until=lambda said: time.monotonic() > until) == []
    remote.kill(restart=True)
    assert trials(follow(second)) == [0, 1, 2]


def test_a_worker_that_cannot_start_is_an_error_of_all(cluster):
    remote = cluster()
    remote.why = "ModuleNotFoundError: No module named 'tuner'"
    worker = ClusterWorker(0, remote)
    [failed] = follow(worker)
    assert isinstance(failed, Failed)
    assert "cannot start on the cluster: ModuleNotFoundError" in str(failed.error)
    assert worker.gone


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (StorageError("out of reach"), Failed),
        (ZeroDivisionError("a defect"), Crashed),
    ],
)
def test_errors_of_the_loop(cluster, run_loop, error, last, capsys):
    def raises(worker, stop, tell):
        raise error

    run_loop(raises)
    worker = ClusterWorker(0, cluster())
    worker.give(TASK)
    told = follow(worker)[-1]
    assert isinstance(told, last)
    if isinstance(told, Failed):
        assert isinstance(told.error, TunerError)
        assert str(told.error) == "out of reach"
    else:
        assert told.text == "ZeroDivisionError: a defect"


def test_a_killed_worker_is_waited_for(cluster, run_loop):
    run_loop(until_told)
    remote = cluster()
    closed: list[ClusterWorker] = []
    worker = ClusterWorker(0, remote, closed=closed.append)
    worker.give(TASK)
    follow(worker, until=begun)
    worker.kill()
    worker.join()
    assert not worker.alive
    assert worker.gone
    worker.close()
    assert closed == [worker]


def test_limits_end_a_life(cluster, run_loop):
    def forever(worker, stop, tell):
        number = 0
        while not stop():
            number += 1
            tell(TrialDone(worker, number, number, "complete", 0.5, 0.1))
        return "stopped"

    run_loop(forever)
    worker = ClusterWorker(0, cluster(limits=Limits(trials=2)))
    worker.give(TASK)
    said = follow(worker)
    assert (trials(said), said[-1]) == ([1, 2], Ended("recycled"))


def test_what_is_printed_and_what_belongs_to_nobody_become_lines(cluster, run_loop):
    remote = cluster()
    notices = deque(["ray: a node left"])
    worker = ClusterWorker(2, remote, notices=notices)
    remote.stations[-1]._tell(Said(("one", "two")))
    lines: list[str] = []
    follow(worker, until=lambda said: lines.extend(worker.read_log()) or len(lines) == 3)
    assert sorted(lines) == ["ray: a node left", "worker 2: one", "worker 2: two"]


def test_lines_are_told_whole_and_written_as_they_come(capsys):
    import sys

    told: list[object] = []
    stream = station.Lines(sys.stdout, told.append)
    print("a", end="", file=stream)
    assert told == []
    print("b\n\nc\nd", end="", file=stream)
    assert told == [Said(("ab", "c"))]
    assert capsys.readouterr().out == "ab\n\nc\nd"


def test_workers_here_use_our_folder_and_others_their_own(tmp_path, monkeypatch):
    before = os.getcwd()
    other = Site("elsewhere", str(tmp_path), 3, gpu=True, variables=(("TUNER_ARTIFACTS", "/a"),))
    made = [Station(0, no_trainer, Limits(), other, capture=False)]
    assert os.getcwd() == before
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    assert [os.environ[name] for name in names] == ["3", "3", "1"]
    assert os.environ["TUNER_ARTIFACTS"] == "/a"
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    made.append(Station(0, no_trainer, Limits(), Site(this_place(), str(tmp_path)), capture=False))
    assert os.getcwd() == str(tmp_path)
    for each in made:
        each.listen(None, 0, None, True)
