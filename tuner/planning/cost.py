"""What a training costs, before it runs: multiply-adds, parameters, memory, steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.data.dataset import Fold
from tuner.optimizers import OPTIMIZERS
from tuner.planning.network import layers_of
from tuner.planning.plan import ModelPlan, OptimizerPlan, TrainingPlan

_FLOAT_BYTES = 4
#: Multiply-adds of one network's training step from which on a candidate fills a stack alone: a
#: step then takes 0.1 ms or more, several times what each step costs whatever its size, and what
#: more networks hold besides would not fit a cache.
HEAVY_STEP = 4_000_000


@dataclass(frozen=True)
class Cost:
    """The cost of one candidate over its folds, trained as one stack.

    Attributes:
        networks: N, the folds.
        parameters: of one network, batch normalisation's moving statistics included: what
            Keras's `count_params` says.
        steps_per_epoch: updates of the network with the most rows.
        steps: the same over all epochs.
        multiply_adds: of one epoch of the whole stack: forward and backward over the training
            rows, forward over the validation rows. Matrix products only; they are nearly all.
        weight_bytes: weights of the stack.
        state_bytes: its gradients, the optimizer's own variables and averages of weights.
        activation_bytes: what one training step of the stack keeps for the backward pass.
    """

    networks: int
    parameters: int
    steps_per_epoch: int
    steps: int
    multiply_adds: int
    weight_bytes: int
    state_bytes: int
    activation_bytes: int

    @property
    def total_bytes(self) -> int:
        """Weights, gradients, optimizer variables and activations; the data are not included."""
        return self.weight_bytes + self.state_bytes + self.activation_bytes

    @property
    def heavy(self) -> bool:
        """Whether no step gets cheaper by more networks than the candidate's folds."""
        return self.multiply_adds >= HEAVY_STEP * max(1, self.steps_per_epoch * self.networks)


def estimate(plan: TrainingPlan, folds: Sequence[Fold]) -> Cost:
    """The cost of training `plan` on `folds`."""
    train = [len(fold.train) for fold in folds]
    validation = [len(fold.validation) for fold in folds]
    networks = len(train)
    batch = min(plan.batch_size, max(train))
    steps = -(-max(train) // plan.batch_size)
    forward, backward = forward_multiply_adds(plan.model), backward_multiply_adds(plan.model)
    weights = count_parameters(plan.model)
    trainable = count_parameters(plan.model, trainable_only=True)
    kept = 1 + optimizer_slots(plan.optimizer) + (plan.averaging is not None)
    return Cost(
        networks=networks,
        parameters=weights,
        steps_per_epoch=steps,
        steps=steps * plan.epochs,
        multiply_adds=sum(train) * (forward + backward) + sum(validation) * forward,
        weight_bytes=networks * weights * _FLOAT_BYTES,
        state_bytes=networks * trainable * kept * _FLOAT_BYTES,
        activation_bytes=networks * batch * _values_per_row(plan.model) * _FLOAT_BYTES,
    )


def count_parameters(model: ModelPlan, *, trainable_only: bool = False) -> int:
    """Numbers in the weights of all layers."""
    return sum(
        weight.size
        for layer in layers_of(model)
        for weight in layer.weights
        if weight.trained or not trainable_only
    )


def forward_multiply_adds(model: ModelPlan) -> int:
    """Multiply-adds of the matrix products of one row's prediction."""
    return sum(layer.multiply_adds for layer in layers_of(model))


def backward_multiply_adds(model: ModelPlan) -> int:
    """Multiply-adds of one row's gradient: of each kernel, and of each layer's input but the
    first's, which nothing asks for."""
    return 2 * forward_multiply_adds(model) - layers_of(model)[0].multiply_adds


def optimizer_slots(optimizer: OptimizerPlan) -> int:
    """How many variables of its shape Keras's optimizer keeps for every weight."""
    with_more = ("momentum", "amsgrad", "centered")
    return OPTIMIZERS[optimizer.name].slots + sum(map(bool, map(optimizer.setting, with_more)))


def _values_per_row(model: ModelPlan) -> int:
    """Numbers kept per row for the backward pass: the inputs, what each layer gives, and the
    gradient of the logits."""
    return model.features + sum(layer.kept for layer in layers_of(model)) + model.outputs
