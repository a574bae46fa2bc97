"""Response distillation: what a student's output should be when the teacher's is known. All losses are per item."""

from itertools import permutations

import torch
from torch import Tensor

from edgeseld.nn.heads import Output
from edgeseld.train.losses import DISTANCE_WEIGHT, DOA_WEIGHT, EDGE, SED_WEIGHT


def bernoulli_kl(teacher: Tensor, student: Tensor, temperature: float = 1.0) -> Tensor:
    """KL of Bernoulli distributions, both terms, elementwise; the temperature softens the logits of both."""
    p, q = soften(teacher, temperature), soften(student, temperature)
    return p * (p / q).log() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).log()


def soften(probability: Tensor, temperature: float) -> Tensor:
    """The probability whose logit is that of `probability` over the temperature."""
    clamped = probability.float().clamp(EDGE, 1.0 - EDGE)
    if temperature == 1.0:
        return clamped
    # A temperature below 1 sharpens, to 1 itself in float32.
    return torch.sigmoid(clamped.logit() / temperature).clamp(EDGE, 1.0 - EDGE)


def response_loss(student: Output, teacher: Output, target: Tensor) -> Tensor:
    """Loss per item between outputs of any two formats (HDA-SELD); the teacher's may hold several formats at once.

    Equal formats: KL of activity and MSE of vectors, or MSE of ACCDOA vectors under the best permutation of tracks.
    From SED + DOA to ACCDOA the target is p u for every track where the reference holds at most one event of the
    class; from ACCDOA to branches the loudest track counts.
    """
    if "accdoa" in student and "accdoa" in teacher:
        return permuted_mse(student["accdoa"], teacher["accdoa"])
    if "accdoa" in student:
        return _single_source_mse(student["accdoa"], teacher, target)
    if "accdoa" in teacher:
        teacher = {**_as_sed_doa(teacher["accdoa"]), **teacher}
    return sed_doa_response(student, teacher)


def sed_doa_response(student: Output, teacher: Output, temperature: float = 1.0) -> Tensor:
    """0.1 T^2 KL of activity + MSE of vectors + 0.5 MSE of distance, the latter two weighted by the teacher's activity.

    What one of the two does not give is left out.
    """
    p = teacher["activity"].float()
    divergence = bernoulli_kl(p, student["activity"], temperature).mean(dim=(1, 2))
    loss = SED_WEIGHT * temperature**2 * divergence
    if "vectors" in student and "vectors" in teacher:
        error = p.unsqueeze(2) * (student["vectors"].float() - teacher["vectors"].float()).square()
        loss = loss + DOA_WEIGHT * error.mean(dim=(1, 2, 3))
    if "distance" in student and "distance" in teacher:
        error = p * (student["distance"].float() - teacher["distance"].float()).square()
        loss = loss + DISTANCE_WEIGHT * error.mean(dim=(1, 2))
    return loss


def permuted_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """MSE of ACCDOA vectors (batch, frames, tracks, axes, classes), tracks permuted to fit per frame and class."""
    axes = min(student.shape[3], teacher.shape[3])
    student, teacher = student[:, :, :, :axes].float(), teacher[:, :, :, :axes].float()
    if student.shape[2] != teacher.shape[2]:
        teacher = loudest_track(teacher).expand(-1, -1, student.shape[2], -1, -1)
    orders = list(permutations(range(student.shape[2])))
    errors = torch.stack([(student - teacher[:, :, list(order)]).square().mean(dim=(2, 3)) for order in orders])
    return errors.min(dim=0).values.mean(dim=(1, 2))


def loudest_track(accdoa: Tensor) -> Tensor:
    """The longest vector of each class, (batch, frames, 1, axes, classes)."""
    loudest = accdoa[:, :, :, :3].norm(dim=3, keepdim=True).argmax(dim=2, keepdim=True)
    return accdoa.gather(2, loudest.expand(-1, -1, -1, accdoa.shape[3], -1))


def _single_source_mse(student: Tensor, teacher: Output, target: Tensor) -> Tensor:
    """MSE of every track to p u where the reference has at most one event of the class; nothing elsewhere."""
    wanted = (teacher["activity"].float().unsqueeze(2) * _unit(teacher["vectors"].float())).unsqueeze(2)
    one_source = (target[:, :, 1:, 0].sum(dim=2) == 0).float()
    error = (student[:, :, :, :3].float() - wanted).square().mean(dim=(2, 3))
    return (error * one_source).mean(dim=(1, 2))


def _as_sed_doa(accdoa: Tensor) -> Output:
    """The loudest track as activity and direction, so that an ACCDOA teacher can teach two branches."""
    vector = loudest_track(accdoa.float())[:, :, 0, :3]
    return {"activity": vector.norm(dim=2).clamp(max=1.0), "vectors": _unit(vector)}


def _unit(vectors: Tensor) -> Tensor:
    """(batch, frames, 3, classes) to length one."""
    return vectors / vectors.norm(dim=2, keepdim=True).clamp(min=1e-6)
