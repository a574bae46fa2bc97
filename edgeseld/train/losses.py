"""Task losses. Targets are the ADPIT slots (batch, frames, 6, 5, classes) of data/targets.py."""

import torch
from torch import Tensor

from edgeseld.core.spec import HeadSpec
from edgeseld.nn.heads import Output

# Slots that tracks 1, 2, 3 stand for: A0A0A0, the six ways to duplicate B0 B1, the six orders of C0 C1 C2.
ARRANGEMENTS = (
    (0, 0, 0),
    (1, 1, 2),
    (1, 2, 1),
    (1, 2, 2),
    (2, 1, 1),
    (2, 1, 2),
    (2, 2, 1),
    (3, 4, 5),
    (3, 5, 4),
    (4, 3, 5),
    (4, 5, 3),
    (5, 3, 4),
    (5, 4, 3),
)
FIRST_OF_GROUP = (0, 1, 7)
GROUP_OF_SLOT = (0, 1, 1, 2, 2, 2)
# Probabilities nearer to 0 or 1 have no logarithm in float32.
EDGE = 1e-7
# HDA-SELD: weights of activity, direction and distance.
SED_WEIGHT, DOA_WEIGHT, DISTANCE_WEIGHT = 0.1, 1.0, 0.5


def task_loss(output: Output, target: Tensor, head: HeadSpec) -> Tensor:
    """Loss per item (batch,) of the head's format."""
    if head.format == "multi-accdoa":
        return adpit_loss(output["accdoa"], target)
    if head.format == "accdoa":
        return accdoa_loss(output["accdoa"], target)
    return sed_doa_loss(output, target)


def adpit_loss(accdoa: Tensor, target: Tensor) -> Tensor:
    """Auxiliary duplicating permutation-invariant loss per item, (batch,).

    accdoa (batch, frames, 3, axes, classes). Squared errors are averaged over tracks and axes, the smallest of the 13
    arrangements counts per frame and class; an arrangement is padded with the vectors of the other groups, so that
    those of absent groups cannot win against silence (Shimada et al. 2022, eq. 4; the DCASE 2023 baseline's code).
    """
    with torch.no_grad():
        nearest = nearest_arrangement(accdoa.float(), target)
    return (accdoa.float() - nearest).square().mean(dim=(1, 2, 3, 4))


def nearest_arrangement(accdoa: Tensor, target: Tensor) -> Tensor:
    """The arrangement of least squared error for each frame and class, (batch, frames, 3, axes, classes)."""
    candidates = _padded_slots(target, axes=accdoa.shape[3])
    errors = (accdoa.unsqueeze(3) - candidates).square().sum(dim=4)
    arrangements = torch.tensor(ARRANGEMENTS, device=accdoa.device)
    totals = torch.stack([errors[:, :, 0, a] + errors[:, :, 1, b] + errors[:, :, 2, c] for a, b, c in ARRANGEMENTS])
    chosen = arrangements[totals.argmin(dim=0)].permute(0, 1, 3, 2)
    index = chosen[:, :, :, None, None].expand(-1, -1, -1, -1, accdoa.shape[3], -1)
    return candidates.gather(3, index).squeeze(3)


def _padded_slots(target: Tensor, axes: int) -> Tensor:
    """What each track would say to stand for each slot, padding included: (batch, frames, 3, 6, axes, classes)."""
    slots = target[:, :, :, :1] * target[:, :, :, 1 : 1 + axes]
    groups = [slots[:, :, list(ARRANGEMENTS[first])] for first in FIRST_OF_GROUP]
    everything = groups[0] + groups[1] + groups[2]
    others = torch.stack([everything - group for group in groups], dim=3)
    return slots.unsqueeze(2) + others[:, :, :, list(GROUP_OF_SLOT)]


def single_source(target: Tensor) -> Tensor:
    """Targets for formats with one source per class, its first event: (batch, frames, 5, classes)."""
    return target[:, :, 0] + target[:, :, 1] + target[:, :, 3]


def accdoa_loss(accdoa: Tensor, target: Tensor) -> Tensor:
    """MSE of activity-coupled vectors per item (Shimada et al. 2021); accdoa (batch, frames, 1, axes, classes)."""
    one = single_source(target)
    return (accdoa[:, :, 0] - one[:, :, :1] * one[:, :, 1 : 1 + accdoa.shape[3]]).square().mean(dim=(1, 2, 3))


def cross_entropy(activity: Tensor, active: Tensor) -> Tensor:
    """Binary cross-entropy, elementwise; torch's own refuses NaN and mixed precision before we can say where it was."""
    p = activity.float().clamp(EDGE, 1.0 - EDGE)
    return -(active * p.log() + (1.0 - active) * (1.0 - p).log())


def sed_doa_loss(output: Output, target: Tensor) -> Tensor:
    """0.1 BCE + MSE of vectors + 0.5 MSE of distances, the latter two where the class sounds, per item (HDA-SELD)."""
    one = single_source(target)
    active = one[:, :, 0]
    loss = SED_WEIGHT * cross_entropy(output["activity"], active).mean(dim=(1, 2))
    if "vectors" in output:
        error = (output["vectors"] * active.unsqueeze(2) - one[:, :, 1:4]).square()
        loss = loss + DOA_WEIGHT * error.mean(dim=(1, 2, 3))
    if "distance" in output:
        loss = loss + DISTANCE_WEIGHT * (output["distance"] * active - one[:, :, 4]).square().mean(dim=(1, 2))
    return loss
