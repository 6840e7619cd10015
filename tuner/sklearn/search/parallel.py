"""Several stacks at a time, each in a thread: TensorFlow runs without Python's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from joblib import cpu_count
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    jobs: int, work: Callable[[Item, Sequence[Any]], Result], items: Sequence[Item]
) -> Iterator[Result]:
    """`work(item, callbacks)` for each of `items`, up to `jobs` at a time; results in order.

    What `work` trains must hear of the `callbacks` (`keras.callbacks.Callback` objects): they end
    the trainings at work where another raises, or where the caller is interrupted.

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
        running = [pool.submit(work, item, (_stop_when(ending),)) for item in items]
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


def _stop_when(ending: threading.Event) -> Any:
    import keras

    class StopWhen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if ending.is_set():
                self.model.stop_training = True

    return StopWhen()
