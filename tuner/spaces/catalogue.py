"""THE list of every parameter that may stand in a space.

Data only: spaces are checked against it, planning takes its defaults from it, the table in
docs/spaces.md and the JSON Schema are made from it. What an optimizer or a schedule is set by
comes from their classes, those of other packages included. Defaults of Keras's own settings are
None, which leaves them to Keras, since they differ from optimizer to optimizer.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from tuner.embeddings import EMBEDDINGS, Embedding
from tuner.errors import UsageError
from tuner.optimizers import LEARNING_RATE, OPTIMIZERS, Optimizer
from tuner.parameters import MOST_LAYERS
from tuner.parameters import ParameterInfo as P
from tuner.schedules import FACTORS, SCHEDULES, Schedule, WarmupSchedule

#: Keras's, and RealMLP's `unit_variance`.
INITIALIZERS = (
    "zeros", "ones", "constant", "identity", "orthogonal", "glorot_uniform", "glorot_normal",
    "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "random_uniform",
    "random_normal", "truncated_normal", "variance_scaling", "unit_variance",
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

_EMA = {"weight_averaging": ("ema",)}
_CROSS_ENTROPIES = {"loss": LOSSES[:4]}


def _settings(section: str) -> list[P]:
    """The settings of all kinds of a section, tied to those that have them. What all of them have
    comes last.

    Raises UsageError if two of them mean different things by one name.
    """
    kinds = KINDS[section]
    infos: dict[str, P] = {}
    having: dict[str, list[str]] = {}
    for kind, described in kinds.items():
        for info in described.settings().values():
            if infos.setdefault(info.name, info) != info:
                first = having[info.name][0]
                raise UsageError(
                    f"{info.name} must be the same for every {section} that has it; it has other "
                    f"bounds, default or help in {kind} than in {first}. Available: another name"
                )
            having.setdefault(info.name, []).append(kind)
    tied = [
        info
        if len(having[name]) == len(kinds)
        else replace(info, only_with={section: tuple(having[name])})
        for name, info in infos.items()
    ]
    return sorted(tied, key=lambda info: not info.only_with)


#: Categories whose choices have settings.
KINDS: Mapping[str, Mapping[str, type[Optimizer] | type[Schedule] | type[Embedding]]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "embedding": EMBEDDINGS,
}
_PARAMETERS = (
    P("optimizer", "category", "adam", "Keras optimizer.", choices=tuple(OPTIMIZERS)),
    LEARNING_RATE,
    *_settings("optimizer"),
    P("optimizer.weight_decay_schedule", "category", "constant",
      "How the weight decay changes.", choices=FACTORS),
    P("learning_rate_factor.bias", "float", 1.0,
      "Rate of the biases of Dense layers over the others'.", low=0),
    P("learning_rate_factor.first_layer", "float", 1.0,
      "Rate of the first layer's kernel and bias over the others'.", low=0),
    P("learning_rate_factor.front_scale", "float", 1.0,
      "Rate of model.front_scale over the others'.", low=0),
    P("learning_rate_factor.activation", "float", 1.0,
      "Rate of model.parametric_activation over the others'.", low=0),
    P("learning_rate_factor.embedding", "float", 1.0,
      "Rate of an embedding's weights over the others'.", low=0),
    P("weight_decay_factor.bias", "float", 1.0, "Weight decay of biases over the others'.",
      low=0),
    P("schedule", "category", "constant", "How the learning rate changes.",
      choices=tuple(SCHEDULES)),
    *_settings("schedule"),
    *WarmupSchedule.settings().values(),
    P("initializer", "category", "glorot_uniform", "Initial weights of the kernels.",
      choices=INITIALIZERS,
      aliases={"uniform": "random_uniform", "normal": "random_normal", "zero": "zeros",
               "one": "ones"}),
    P("batch_size", "int", 32, "Rows in one update.", low=1, high=10**9),
    P("epochs", "int", 20, "Passes over the training rows.", low=1, high=100_000),
    P("model.layers", "int", 2, "Hidden layers.", low=0, high=MOST_LAYERS),
    P("model.units", "int", 64, "Units of each hidden layer.", low=1, high=100_000,
      widths=True),
    P("model.activation", "category", "relu", "Activation of the hidden layers.",
      choices=ACTIVATIONS, aliases={"swish": "silu"}),
    P("model.dropout", "float", 0.0, "Share of hidden units dropped in each update.",
      low=0, below=1),
    P("model.dropout_schedule", "category", "constant", "How the dropout changes.",
      choices=FACTORS),
    P("model.batch_norm", "bool", False, "Batch normalisation in every hidden layer."),
    P("model.skip_connections", "bool", False,
      "A hidden layer as wide as the hidden layer before it adds what enters it."),
    P("model.parametrization", "category", "standard",
      "ntk: a layer's sums are x @ kernel / sqrt(inputs) + bias.", choices=("standard", "ntk")),
    P("model.bias_initializer", "category", "zeros",
      "he+5: a unit bends at a random mean of 5 training rows.", choices=("zeros", "he+5")),
    P("model.front_scale", "bool", False, "Learn a scale of each input."),
    P("model.parametric_activation", "bool", False,
      "Learn how much each unit bends: x + alpha * (activation(x) - x)."),
    P("model.l1", "float", 0.0, "L1 penalty on the hidden kernels.", low=0),
    P("model.l2", "float", 0.0, "L2 penalty on the hidden kernels.", low=0),
    P("embedding", "category", "none", "What each number becomes before the first layer.",
      choices=tuple(EMBEDDINGS)),
    *_settings("embedding"),
    P("loss", "category", "auto", "Loss; auto: the task's own.", choices=LOSSES,
      aliases={"mse": "mean_squared_error", "mae": "mean_absolute_error",
               "euclidean": "mean_squared_error", "manhattan": "mean_absolute_error"}),
    P("loss.label_smoothing", "float", 0.0, "Share of the target spread over all classes.",
      low=0, below=1, only_with=_CROSS_ENTROPIES),
    P("loss.label_smoothing_schedule", "category", "constant",
      "How the label smoothing changes.", choices=FACTORS, only_with=_CROSS_ENTROPIES),
    P("loss.class_weight", "category", "none", "balanced: each class counts alike, however rare.",
      choices=("none", "balanced")),
    P("loss.delta", "float", 1.0, "Error at which Huber turns from square to linear.",
      above=0, only_with={"loss": ("huber",)}),
    P("weight_averaging", "category", "none",
      "Average of weights over the steps (ema) or the last epochs (swa), validated and kept.",
      choices=("none", "ema", "swa")),
    P("weight_averaging.ema_momentum", "float", 0.99, "Share of the last average that is kept.",
      low=0, high=1, only_with=_EMA),
    P("weight_averaging.ema_overwrite_frequency", "int", None,
      "Steps after which the weights become their average; left out: never.",
      low=1, high=10**6, only_with=_EMA),
    P("weight_averaging.swa_start", "float", 0.75,
      "Share of the epochs after which averaging begins.",
      low=0, below=1, only_with={"weight_averaging": ("swa",)}),
    P("early_stopping.patience", "int", None, "Epochs without improvement before a fold stops.",
      low=0),
    P("early_stopping.min_delta", "float", 0.0, "Smallest improvement that counts.", low=0),
    P("early_stopping.restore_best_weights", "bool", None,
      "Score a fold by its best epoch, not by its last; left out: if there is a patience."),
)  # fmt: skip

#: Every parameter by name, in the order of the documentation.
CATALOGUE: Mapping[str, P] = MappingProxyType({info.name: info for info in _PARAMETERS})


def settings_of(section: str, choice: str) -> tuple[str, ...]:
    """The names of the parameters `section.*` that do something while `section` is `choice`."""
    return tuple(
        name
        for name, info in CATALOGUE.items()
        if name.startswith(f"{section}.") and choice in info.only_with.get(section, (choice,))
    )
