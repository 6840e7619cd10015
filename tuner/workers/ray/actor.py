"""A worker as a Ray actor. Ray is imported when one is made."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from tuner.workers.messages import Limits, Task
from tuner.workers.ray.nodes import Share
from tuner.workers.ray.remote import GoneError, UnreachableError
from tuner.workers.ray.station import Report, Site, Station
from tuner.workers.worker import MakeTrainer


class RayStation(Station):
    """A `Station` that knows which node of Ray's it is on."""

    def __init__(
        self, number: int, make_trainer: MakeTrainer | None, limits: Limits, site: Site
    ) -> None:
        import ray

        super().__init__(
            number,
            make_trainer,
            limits,
            site,
            node=ray.get_runtime_context().get_node_id(),
            address=ray.util.get_node_ip_address(),
        )


class RayRemote:
    """A `tuner.workers.ray.remote.Remote` that is a Ray actor of its own.

    Ray starts it again however often it dies (`max_restarts`), with a new `Station`. Its calls are
    never repeated (`max_task_retries`): what a dead process has begun is the storage's business.
    """

    def __init__(
        self,
        number: int,
        make_trainer: MakeTrainer | None,
        limits: Limits,
        site: Site,
        share: Share,
    ) -> None:
        import ray

        self._ray = ray
        options = ray.remote(RayStation).options(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            max_restarts=-1,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
            max_concurrency=4,  # a question may come while another one waits for news
        )
        self._handle = options.remote(number, make_trainer, limits, site)

    def listen(self, life: str | None, seen: int, task: Task | None, stop: bool) -> Future[Report]:
        answer: Future[Report] = Future()
        try:
            asked = self._handle.listen.remote(life, seen, task, stop).future()
        except Exception as error:
            answer.set_exception(_meaning(error))
        else:
            asked.add_done_callback(lambda done: _pass_on(done, answer))
        return answer

    def kill(self, *, restart: bool) -> None:
        self._ray.kill(self._handle, no_restart=not restart)

    def lives(self, node: str) -> bool:
        return any(row["NodeID"] == node and row["Alive"] for row in self._ray.nodes())


def _pass_on(done: Future[Any], answer: Future[Report]) -> None:
    error = done.exception()
    if error is None:
        answer.set_result(done.result())
    else:
        answer.set_exception(_meaning(error))


def _meaning(error: BaseException) -> Exception:
    """What an error of Ray's says about the worker."""
    from ray.exceptions import ActorDiedError, ActorUnschedulableError, RayTaskError

    if isinstance(error, ActorDiedError | ActorUnschedulableError | RayTaskError):
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return GoneError(lines[-1] if lines else type(error).__name__)
    return UnreachableError(str(error))
