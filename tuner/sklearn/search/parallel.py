"""Several stacks at a time, each in a thread: TensorFlow runs without Python's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from joblib import cpu_count
from threadpoolctl import threadpool_limits

from tuner.training.callbacks import EpochCallback

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    jobs: int, work: Callable[[Item, Sequence[EpochCallback]], Result], items: Sequence[Item]
) -> Iterator[Result]:
    """`work(item, callbacks)` for each of `items`, up to `jobs` at a time; results in order.

    What `work` trains must call the `callbacks`: they end the trainings at work if another raises,
    or if the caller is interrupted.

    While they train, products of NumPy's in the caller's thread take the cores that `jobs` leave,
    one at least: joblib's rule for its processes. More threads would wait for a core that trains,
    and hold another one while they wait.
    """
    if jobs == 1 or len(items) == 1:
        for item in items:
            yield work(item, ())
        return
    ending = threading.Event()
    with ThreadPoolExecutor(jobs, thread_name_prefix="tuner-stack") as pool:
        running = [pool.submit(work, item, (_StopWhen(ending),)) for item in items]
        limits = threadpool_limits(max(1, cpu_count() // jobs), user_api="blas")
        try:
            for future in running:
                result = future.result()
                if all(own.done() for own in running):
                    limits.restore_original_limits()
                yield result
        except BaseException:
            ending.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            limits.restore_original_limits()


class _StopWhen(EpochCallback):
    def __init__(self, ending: threading.Event) -> None:
        self._ending = ending

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if self._ending.is_set():
            self.model.stop_training = True
