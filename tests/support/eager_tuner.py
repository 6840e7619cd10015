"""`tuner`, but workers write a checkpoint every 0.3 s: `python eager_tuner.py optimize ...`."""

from __future__ import annotations

from functools import partial

from tuner.search.trainer import TrainerLike
from tuner.study.definition import StudyDefinition


def make_trainer(definition: StudyDefinition) -> TrainerLike:
    """Called in the worker."""
    from tuner.training import set_threads

    set_threads()
    from tuner.search.checkpoints import writer
    from tuner.search.study_trainer import StudyTrainer

    writer.EVERY = 0.3
    return StudyTrainer(definition)


def main() -> None:
    from tuner import workers as pool
    from tuner.cli.main import main as tuner

    pool.run_search = partial(pool.run_search, make_trainer=make_trainer)  # type: ignore[assignment]
    tuner()


if __name__ == "__main__":
    main()
