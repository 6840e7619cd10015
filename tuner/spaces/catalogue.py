"""THE list of every parameter that may stand in a space.

Data only: spaces are checked against it, planning takes its defaults from it, the table in
docs/spaces.md and the JSON Schema are made from it. Defaults of Keras's own settings are None,
which leaves them to Keras, since they differ from optimizer to optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tuner.spaces.info import ParameterInfo as P

OPTIMIZERS = (
    "sgd", "rmsprop", "adam", "adamw", "nadam", "adamax", "adagrad", "adadelta", "ftrl", "lion",
)  # fmt: skip
SCHEDULES = (
    "constant", "time", "exponential", "step", "piecewise", "polynomial", "inverse_sqrt",
    "cosine", "cosine_restarts", "restarts", "one_cycle", "plateau",
)  # fmt: skip
INITIALIZERS = (
    "zeros", "ones", "constant", "identity", "orthogonal", "glorot_uniform", "glorot_normal",
    "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "random_uniform",
    "random_normal", "truncated_normal", "variance_scaling",
)  # fmt: skip
#: Keras's activations of one unit (or one layer) without arguments and with as many outputs as
#: inputs: all but `glu`, which halves them, and `threshold`, which needs a threshold.
ACTIVATIONS = (
    "relu", "linear", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "celu", "exponential",
    "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid",
    "log_softmax", "mish", "relu6", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink",
)  # fmt: skip
LOSSES = (
    "auto", "sparse_categorical_crossentropy", "categorical_crossentropy",
    "binary_crossentropy", "mean_squared_error", "mean_absolute_error", "huber",
)  # fmt: skip

_ADAM_LIKE = ("adam", "adamw", "nadam", "adamax")
_FTRL = {"optimizer": ("ftrl",)}
_CROSS_ENTROPIES = {"loss": LOSSES[:4]}


def _schedule(*names: str) -> dict[str, tuple[str, ...]]:
    return {"schedule": names}


def _optimizer(*names: str) -> dict[str, tuple[str, ...]]:
    return {"optimizer": names}


_PARAMETERS = (
    P("optimizer", "category", "adam", "Keras optimizer.", choices=OPTIMIZERS),
    P("optimizer.learning_rate", "float", 0.001, "Base learning rate (lr0).", above=0),
    P("optimizer.momentum", "float", None, "Share of the last update that is kept.",
      low=0, high=1, only_with=_optimizer("sgd", "rmsprop")),
    P("optimizer.nesterov", "bool", None, "Look ahead along the momentum.",
      only_with=_optimizer("sgd")),
    P("optimizer.rho", "float", None, "Decay of the mean of squared gradients.",
      low=0, below=1, only_with=_optimizer("rmsprop", "adadelta")),
    P("optimizer.beta_1", "float", None, "Decay of the mean of gradients.",
      low=0, below=1, only_with=_optimizer(*_ADAM_LIKE, "lion")),
    P("optimizer.beta_2", "float", None, "Decay of the mean of squared gradients.",
      low=0, below=1, only_with=_optimizer(*_ADAM_LIKE, "lion")),
    P("optimizer.epsilon", "float", None, "Added to denominators against division by zero.",
      above=0, only_with=_optimizer("rmsprop", *_ADAM_LIKE, "adagrad", "adadelta")),
    P("optimizer.amsgrad", "bool", None, "Keep the largest second moment (AMSGrad).",
      only_with=_optimizer("adam", "adamw")),
    P("optimizer.centered", "bool", None, "Normalise by the variance of gradients.",
      only_with=_optimizer("rmsprop")),
    P("optimizer.initial_accumulator_value", "float", None, "Accumulators before step 0.",
      low=0, only_with=_optimizer("adagrad", "ftrl")),
    P("optimizer.learning_rate_power", "float", None, "How fast the rate falls; 0: not at all.",
      high=0, only_with=_FTRL),
    P("optimizer.l1_regularization_strength", "float", None, "L1 penalty of Ftrl.",
      low=0, only_with=_FTRL),
    P("optimizer.l2_regularization_strength", "float", None, "L2 penalty of Ftrl.",
      low=0, only_with=_FTRL),
    P("optimizer.l2_shrinkage_regularization_strength", "float", None,
      "L2 penalty of Ftrl on the gradient.", low=0, only_with=_FTRL),
    P("optimizer.beta", "float", None, "Beta of Ftrl's paper.", low=0, only_with=_FTRL),
    P("optimizer.weight_decay", "float", None, "Decoupled weight decay.", low=0),
    P("optimizer.clipnorm", "float", None, "Largest norm of each weight's gradient.", above=0),
    P("optimizer.clipvalue", "float", None, "Largest absolute gradient.", above=0),
    P("optimizer.global_clipnorm", "float", None, "Largest norm of the whole gradient.",
      above=0),
    P("schedule", "category", "constant", "How the learning rate changes.", choices=SCHEDULES),
    P("schedule.per", "category", "step", "What a decay counts: updates or epochs.",
      choices=("step", "epoch"),
      only_with=_schedule("time", "exponential", "inverse_sqrt", "restarts")),
    P("schedule.decay", "float", 0.001, "How fast the rate falls.",
      low=0, only_with=_schedule("time", "exponential", "inverse_sqrt", "restarts")),
    P("schedule.drop", "float", 0.5, "Factor of every drop.",
      above=0, high=1, only_with=_schedule("step")),
    P("schedule.every", "int", 10, "Epochs from drop to drop.",
      low=1, only_with=_schedule("step")),
    P("schedule.boundaries", "float", None, "Epochs at which the rate changes.",
      above=0, many=True, only_with=_schedule("piecewise")),
    P("schedule.factors", "float", None, "Factor of the base rate from each boundary on.",
      above=0, many=True, only_with=_schedule("piecewise")),
    P("schedule.power", "float", 1.0, "Exponent of the polynomial; 1: a straight line.",
      above=0, only_with=_schedule("polynomial")),
    P("schedule.end_rate", "float", 0.0, "Rate at the end as a fraction of the base rate.",
      low=0, high=1,
      only_with=_schedule("polynomial", "cosine", "cosine_restarts", "one_cycle")),
    P("schedule.restart_every", "int", 10, "Epochs until the first restart (n).",
      low=1, only_with=_schedule("restarts", "cosine_restarts")),
    P("schedule.restarts", "int", 3, "How often the rate is reset (m).",
      low=0, only_with=_schedule("restarts")),
    P("schedule.cycle_mult", "float", 1.0, "Each cycle's length over the one before.",
      low=1, only_with=_schedule("restarts", "cosine_restarts")),
    P("schedule.peak", "float", 0.3, "Fraction of the training at which the rate peaks.",
      above=0, below=1, only_with=_schedule("one_cycle")),
    P("schedule.warmup", "int", 0, "Epochs of a linear rise of the rate in front of any schedule.",
      low=0),
    P("schedule.factor", "float", 0.1, "Factor of every reduction on a plateau.",
      above=0, below=1, only_with=_schedule("plateau")),
    P("schedule.patience", "int", 10, "Epochs without improvement before a reduction.",
      low=0, only_with=_schedule("plateau")),
    P("schedule.min_delta", "float", 0.0001, "Smallest improvement that counts.",
      low=0, only_with=_schedule("plateau")),
    P("schedule.min_rate", "float", 0.0, "The rate is not reduced below this.",
      low=0, only_with=_schedule("plateau")),
    P("schedule.cooldown", "int", 0, "Epochs after a reduction without counting.",
      low=0, only_with=_schedule("plateau")),
    P("initializer", "category", "glorot_uniform", "Initial weights of the kernels.",
      choices=INITIALIZERS,
      aliases={"uniform": "random_uniform", "normal": "random_normal", "zero": "zeros",
               "one": "ones"}),
    P("batch_size", "int", 32, "Rows in one update.", low=1),
    P("epochs", "int", 20, "Passes over the training rows.", low=1),
    P("model.layers", "int", 2, "Hidden layers.", low=0),
    P("model.units", "int", 64, "Units of each hidden layer.", low=1, widths=True),
    P("model.activation", "category", "relu", "Activation of the hidden layers.",
      choices=ACTIVATIONS, aliases={"swish": "silu"}),
    P("model.dropout", "float", 0.0, "Share of hidden units dropped in each update.",
      low=0, below=1),
    P("model.batch_norm", "bool", False, "Batch normalisation in every hidden layer."),
    P("model.l1", "float", 0.0, "L1 penalty on the hidden kernels.", low=0),
    P("model.l2", "float", 0.0, "L2 penalty on the hidden kernels.", low=0),
    P("loss", "category", "auto", "Loss; auto: the task's own.", choices=LOSSES,
      aliases={"mse": "mean_squared_error", "mae": "mean_absolute_error",
               "euclidean": "mean_squared_error", "manhattan": "mean_absolute_error"}),
    P("loss.label_smoothing", "float", 0.0, "Share of the target spread over all classes.",
      low=0, below=1, only_with=_CROSS_ENTROPIES),
    P("loss.delta", "float", 1.0, "Error at which Huber turns from square to linear.",
      above=0, only_with={"loss": ("huber",)}),
    P("early_stopping.patience", "int", None, "Epochs without improvement before a fold stops.",
      low=0),
    P("early_stopping.min_delta", "float", 0.0, "Smallest improvement that counts.", low=0),
)  # fmt: skip

#: Every parameter by name, in the order of the documentation.
CATALOGUE: Mapping[str, P] = MappingProxyType({info.name: info for info in _PARAMETERS})
