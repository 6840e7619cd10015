"""Which loss fits which task, and what a loss may be given."""

from collections.abc import Mapping

from tuner.data.dataset import CLASSES, Task
from tuner.errors import PlanError
from tuner.parameters import checked
from tuner.planning.plan import LossPlan
from tuner.spaces.catalogue import CATALOGUE
from tuner.text import quoted

_DISTANCES = ("mean_squared_error", "mean_absolute_error", "huber")

#: Task -> the losses that fit it, the default first. On a multiclass task every loss but the
#: sparse one compares the softmax with the one-hot row; on binary and multilabel tasks the
#: sigmoid is compared with 0 and 1.
LOSSES: Mapping[Task, tuple[str, ...]] = {
    "binary": ("binary_crossentropy", *_DISTANCES),
    "multiclass": ("sparse_categorical_crossentropy", "categorical_crossentropy", *_DISTANCES),
    "multilabel": ("binary_crossentropy", *_DISTANCES),
    "regression": _DISTANCES,
}

#: Losses with label smoothing -> the Keras loss that has it. The sparse one has none in Keras;
#: on one-hot rows the categorical one is the same number.
SMOOTHED: Mapping[str, str] = {
    "sparse_categorical_crossentropy": "categorical_crossentropy",
    "categorical_crossentropy": "categorical_crossentropy",
    "binary_crossentropy": "binary_crossentropy",
}


def plan_loss(
    name: object, smoothing: float, delta: object, task: Task, class_weight: str = "none"
) -> LossPlan:
    """The loss `name` for `task`; "auto" is the task's own.

    Euclidean distance is minimised through its square, the mean squared error; Manhattan
    distance is the mean absolute error times the number of outputs. Label smoothing above 0
    makes a sparse cross-entropy a categorical one. `delta` is Huber's; None if it is not
    given.

    Raises PlanError for an unknown loss, one that does not fit the task, Hamming distance
    (which has no gradient), smoothing with a loss that has none, `delta` with any loss but
    Huber's, and a `class_weight` of rows that have not one class each.
    """
    fitting = LOSSES[task]
    aliases = [alias for alias, of in CATALOGUE["loss"].aliases.items() if of in fitting]
    listed = f"Available for a {task} task: {', '.join(['auto', *fitting, *aliases])}"
    if name in ("hamming", "hamming_loss"):
        raise PlanError(
            "a loss must have a gradient, and Hamming distance has none: it is a metric only "
            f"(metric hamming); got loss: {quoted(name)}. {listed}"
        )
    loss = checked(CATALOGUE["loss"], name)
    if loss == "auto":
        loss = fitting[0]
    if loss not in fitting:
        raise PlanError(
            f"the loss must fit the task, which is {task}; got {quoted(name)}. {listed}"
        )
    if smoothing > 0:
        if loss not in SMOOTHED:
            smoothable = [other for other in fitting if other in SMOOTHED]
            raise PlanError(
                f"loss.label_smoothing is for cross-entropies; got {smoothing:g} with the loss "
                f"{loss}. Available for a {task} task: {', '.join(smoothable) or 'none'}"
            )
        loss = SMOOTHED[loss]
    if class_weight != "none":
        require_classes(class_weight, task)
    if delta is None:
        return LossPlan(loss, smoothing, class_weight=class_weight)
    if loss != "huber":
        raise PlanError(
            f"loss.delta is for the loss huber; got {quoted(delta)} with the loss {loss}"
        )
    return LossPlan(loss, smoothing, checked(CATALOGUE["loss.delta"], delta), class_weight)


def require_classes(class_weight: object, task: Task) -> None:
    """Raises PlanError if rows of `task` have not one class each, whose weight theirs could be."""
    if task not in CLASSES:
        raise PlanError(
            f"loss.class_weight is for {' and '.join(CLASSES)} tasks, whose rows have one class "
            f"each; got {quoted(class_weight)} for a {task} task. Available: none"
        )
