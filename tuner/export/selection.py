"""Ensemble selection: which models to average, and how much each counts.

Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble Selection from Libraries of Models", ICML 2004:
greedy selection with replacement, begun with the best models (sorted initialization).
"""

from __future__ import annotations

from collections.abc import Callable

from tuner.results.ranking import losses

#: Models that are drawn at most, one drawn twice counting twice.
DRAWS = 25
#: Draws in a row that found no better ensemble, after which there is no further one.
PATIENCE = 5

#: How often each model was drawn.
Counts = tuple[int, ...]


def select(
    models: int, score: Callable[[Counts], float], *, maximize: bool, draws: int = DRAWS
) -> Counts:
    """How often each of `models`, the best first, counts in the best ensemble that is found.

    The first N models begin, for the N whose mean scores best. Then, up to `draws` in all and while
    any of the last `PATIENCE` was of use, the model is drawn once more that makes the mean best.
    The answer is the best ensemble on the way; of equal ones the smallest, of equal models the
    better one.

    Args:
        score: of the mean of the models' predictions, each as often as it counts.
    """

    def loss(counts: Counts) -> float:
        return float(losses(score(counts), maximize=maximize))

    firsts = [
        tuple(int(model < count) for model in range(models))
        for count in range(1, min(models, draws) + 1)
    ]
    found = min(firsts, key=loss)
    best, least, idle = found, loss(found), 0
    for _ in range(draws - sum(found)):
        found = min(
            (
                tuple(count + (model == drawn) for model, count in enumerate(found))
                for drawn in range(models)
            ),
            key=loss,
        )
        own, idle = loss(found), idle + 1
        if own < least:
            best, least, idle = found, own, 0
        if idle == PATIENCE:
            break
    return best
