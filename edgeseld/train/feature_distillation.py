"""Feature distillation by attention-based fusion (HDA-SELD FKD; ReviewKD, Chen et al. 2021)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Hierarchical context loss: full size, then average pools of 4, 2 and 1, with halving weights.
POOLS = (4, 2, 1)
MIDDLE_CHANNELS = 64


def hierarchical_context_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """MSE per item of maps (batch, channels, time, frequency) at full size and at coarser averages, (batch,).

    Weights 1, 1/2, 1/4, 1/8 over the sum of those used; pools that are not smaller than the map are left out.
    """
    total, weight_sum, weight = _mse(student, teacher), 1.0, 1.0
    for size in POOLS:
        weight /= 2.0
        if size >= min(student.shape[2:]):
            continue
        pooled = [F.adaptive_avg_pool2d(maps, size) for maps in (student, teacher)]
        total = total + weight * _mse(*pooled)
        weight_sum += weight
    return total / weight_sum


def _mse(student: Tensor, teacher: Tensor) -> Tensor:
    return (student.float() - teacher.float()).square().mean(dim=(1, 2, 3))


class Fusion(nn.Module):
    """One stage of the student's review: its map and the residual of the deeper stage, weighed against each other."""

    def __init__(self, student_channels: int, teacher_channels: int, *, deepest: bool) -> None:
        super().__init__()
        middle = MIDDLE_CHANNELS
        self.reduce = nn.Sequential(nn.Conv2d(student_channels, middle, 1, bias=False), nn.BatchNorm2d(middle))
        self.weigh = None if deepest else nn.Conv2d(2 * middle, 2, 1)
        self.expand = nn.Sequential(
            nn.Conv2d(middle, teacher_channels, 3, padding=1, bias=False), nn.BatchNorm2d(teacher_channels)
        )

    def forward(self, maps: Tensor, residual: Tensor | None) -> tuple[Tensor, Tensor]:
        """The map as the teacher's width, and the residual for the next stage."""
        x = self.reduce(maps)
        if self.weigh is not None and residual is not None:
            deeper = F.interpolate(residual, size=x.shape[2:], mode="nearest")
            weights = torch.sigmoid(self.weigh(torch.cat([x, deeper], dim=1)))
            x = x * weights[:, :1] + deeper * weights[:, 1:]
        return self.expand(x), x


class FeatureDistillation(nn.Module):
    """Adapters from the deepest stage to the first, and their loss; dropped after training."""

    def __init__(self, student_channels: Sequence[int], teacher_channels: Sequence[int]) -> None:
        super().__init__()
        deepest = len(student_channels) - 1
        self.fusions = nn.ModuleList(
            Fusion(student, teacher, deepest=index == deepest)
            for index, (student, teacher) in enumerate(zip(student_channels, teacher_channels, strict=True))
        )

    def forward(self, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
        """Loss per item, summed over stages; both maps are pooled to the coarser of their grids along each axis."""
        losses: list[Tensor] = []
        residual: Tensor | None = None
        for fusion, maps, wanted in reversed(list(zip(self.fusions, student, teacher, strict=True))):
            compared, residual = fusion(maps, residual)
            grid = (min(compared.shape[2], wanted.shape[2]), min(compared.shape[3], wanted.shape[3]))
            losses.append(hierarchical_context_loss(_pooled(compared, grid), _pooled(wanted.detach(), grid)))
        return torch.stack(losses).sum(dim=0)


def _pooled(maps: Tensor, grid: tuple[int, int]) -> Tensor:
    """Means over cells of a (time, frequency) grid."""
    return maps if maps.shape[2:] == grid else F.adaptive_avg_pool2d(maps.float(), grid)
