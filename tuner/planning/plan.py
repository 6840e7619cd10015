"""What one candidate trains as: frozen, pure, comparable, and free of data and of TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tuner.schedules.base import Schedule


@dataclass(frozen=True)
class EmbeddingPlan:
    """A key of `tuner.embeddings.EMBEDDINGS` with its settings, and the numbers of the `columns`
    that are embedded."""

    name: str
    sigma: float
    frequencies: int
    units: int
    columns: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True)
class ModelPlan:
    """An MLP. `units` are the hidden layers' widths; `dropout`, `l1` and `l2` apply to each
    hidden layer (after its activation; to its kernel).

    `embedding`: of some columns, before the first layer. With `skip_connections` a hidden layer as
    wide as the hidden layer before it adds what enters it to what it answers (identity shortcuts,
    He et al. 2016, "Deep residual learning for image recognition"); others do not.
    Fields of `metadata={"later": True}` are left out of a plan's hash while they have their
    default, so that what was stored before there was one goes on.
    """

    features: int
    outputs: int
    units: tuple[int, ...]
    activation: str = "relu"
    initializer: str = "glorot_uniform"
    dropout: float = 0.0
    batch_norm: bool = False
    l1: float = 0.0
    l2: float = 0.0
    embedding: EmbeddingPlan | None = field(default=None, metadata={"later": True})
    skip_connections: bool = field(default=False, metadata={"later": True})
    parametrization: str = field(default="standard", metadata={"later": True})
    bias_initializer: str = field(default="zeros", metadata={"later": True})
    front_scale: bool = field(default=False, metadata={"later": True})
    parametric_activation: bool = field(default=False, metadata={"later": True})

    @property
    def reads_rows(self) -> bool:
        """Whether first weights follow from training rows too."""
        return self.initializer == "unit_variance" or self.bias_initializer != "zeros"


@dataclass(frozen=True)
class OptimizerPlan:
    """A Keras optimizer by name; `settings` are its constructor arguments except the learning
    rate, sorted by name (weight_decay, clipnorm, clipvalue, global_clipnorm included).
    `factors` are those of the rate and of weight decay for groups of weights, by their name in a
    space, without those that are 1 or of a group that the network does not have."""

    name: str
    settings: tuple[tuple[str, float | bool], ...] = ()
    factors: tuple[tuple[str, float], ...] = field(default=(), metadata={"later": True})

    def setting(self, name: str) -> float | bool | None:
        return dict(self.settings).get(name)


@dataclass(frozen=True)
class LossPlan:
    """A Keras loss by name (`sparse_categorical_crossentropy`, `categorical_crossentropy`,
    `binary_crossentropy`, `mean_squared_error`, `mean_absolute_error`, `huber`).

    `class_weight` multiplies the losses of a class's training rows, as Keras's: "none",
    "balanced", or one factor a class.
    """

    name: str
    label_smoothing: float = 0.0
    delta: float = 1.0
    class_weight: str | tuple[float, ...] = field(default="none", metadata={"later": True})


#: Settings besides the rate that may follow a schedule, and the parameters that choose it.
SCHEDULED: Mapping[str, str] = {
    "dropout": "model.dropout_schedule",
    "label_smoothing": "loss.label_smoothing_schedule",
    "weight_decay": "optimizer.weight_decay_schedule",
}


@dataclass(frozen=True)
class AveragingPlan:
    """Which average of a network's weights is validated and kept; see
    `tuner.training.averaging`. What is of the other kind has its default.

    `ema_overwrite_frequency` is in steps, None for never; `swa_start` is the share of the epochs
    after which averaging begins.
    """

    kind: str
    ema_momentum: float = 0.0
    ema_overwrite_frequency: int | None = None
    swa_start: float = 0.0


@dataclass(frozen=True)
class TrainingPlan:
    """All that decides a training except the rows and the seeds.

    `patience` is the number of epochs without improvement of the monitored validation score
    after which a fold stops; None: never. `restore_best_weights` says whether a fold is scored by
    its best epoch, with that epoch's weights, or by its last one; None: by its best one if there
    is a patience.

    `scheduled` has those of `SCHEDULED` that change over the training, sorted by name, and the
    schedule, from a base of 1, whose value in a step is the setting's factor.
    """

    model: ModelPlan
    optimizer: OptimizerPlan
    schedule: Schedule
    loss: LossPlan
    batch_size: int
    epochs: int
    patience: int | None = None
    min_delta: float = 0.0
    scheduled: tuple[tuple[str, Schedule], ...] = field(default=(), metadata={"later": True})
    restore_best_weights: bool | None = field(default=None, metadata={"later": True})
    averaging: AveragingPlan | None = field(default=None, metadata={"later": True})

    @property
    def depends_on_total(self) -> bool:
        """Whether the first epochs would be others if there were more of them."""
        schedules = (self.schedule, *(schedule for _, schedule in self.scheduled))
        by_share = self.averaging is not None and self.averaging.kind == "swa"
        return by_share or any(schedule.depends_on_total for schedule in schedules)

    def base(self, name: str) -> float:
        """The value of one of `SCHEDULED` that its schedule is a factor of; 0 if it has none."""
        return {
            "dropout": self.model.dropout if self.model.units else 0.0,
            "label_smoothing": self.loss.label_smoothing,
            "weight_decay": float(self.optimizer.setting("weight_decay") or 0.0),
        }[name]

    @property
    def by_best_epoch(self) -> bool:
        """Whether a fold is scored by its best epoch."""
        if self.restore_best_weights is None:
            return self.patience is not None
        return self.restore_best_weights

    @property
    def watches(self) -> bool:
        """Whether the training depends on a validation score."""
        return self.patience is not None or self.by_best_epoch or self.schedule.depends_on_scores
