"""Self-distillation: early exits learn from labels, the deepest output and its features (Zhang et al. 2019)."""

from torch import Tensor

from edgeseld.core.recipe import SelfDistillSpec
from edgeseld.core.spec import HeadSpec
from edgeseld.nn.heads import Output
from edgeseld.nn.network import Inference
from edgeseld.train.losses import task_loss
from edgeseld.train.response import sed_doa_response


def self_distillation_loss(inference: Inference, target: Tensor, head: HeadSpec, spec: SelfDistillSpec) -> Tensor:
    """Sum over exits of (1 - a) L_hard + a L_soft + b |hint - embedding|^2 per item; the deepest output is detached.

    L_soft is T^2 KL for activities (temperature on the logits), MSE for directions and for ACCDOA vectors, which have
    no logits.
    """
    deepest = {name: tensor.detach() for name, tensor in inference.output.items()}
    embedding = inference.embedding.detach()
    total = target.new_zeros(target.shape[0])
    for name, output in inference.exits.items():
        hard = task_loss(output, target, head)
        soft = soft_loss(output, deepest, spec.temperature)
        hint = (inference.hints[name].float() - embedding.float()).square().sum(dim=(1, 2))
        total = total + (1.0 - spec.soft_share) * hard + spec.soft_share * soft + spec.hint_weight * hint
    return total


def soft_loss(output: Output, deepest: Output, temperature: float) -> Tensor:
    """Distance of an exit's output to the deepest one, per item."""
    if "accdoa" in output:
        return (output["accdoa"].float() - deepest["accdoa"].float()).square().mean(dim=(1, 2, 3, 4))
    return sed_doa_response(output, deepest, temperature)
